/** Whether what came is what it should be: as far as needed to tell the server's answers from those of others, such as a
 * proxy's login page. That the server keeps to its own shapes is tested where it is made. */

import type { Command, Gap, Hit, LinePage, Link, Piece, Problem, Run, Shared, Who } from "../core/shapes";

export type Check<Shape> = (value: unknown) => value is Shape;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function has(value: unknown, ...types: [name: string, type: "string" | "number" | "boolean" | "object"][]): boolean {
  return isObject(value) && types.every(([name, type]) => typeof value[name] === type);
}

export function isProblem(value: unknown): value is Problem {
  return has(value, ["title", "string"], ["status", "number"], ["detail", "string"], ["hint", "string"]);
}

export function isRun(value: unknown): value is Run {
  return has(value, ["id", "string"], ["state", "string"], ["size", "number"]) && Array.isArray(field(value, "argv"));
}

export function isCommand(value: unknown): value is Command {
  return has(value, ["name", "string"], ["title", "string"], ["parameters", "object"]);
}

export function isShared(value: unknown): value is Shared {
  return has(value, ["url", "string"], ["token", "string"], ["expires", "string"]);
}

export function isLink(value: unknown): value is Link {
  return has(value, ["id", "string"], ["created", "string"], ["expires", "string"]);
}

export function isWho(value: unknown): value is Who {
  return has(value, ["via", "string"], ["sees_all", "boolean"]) && Array.isArray(field(value, "may"));
}

export function isPiece(value: unknown): value is Piece {
  return has(value, ["offset", "number"], ["stream", "string"], ["text", "string"]);
}

export function isGap(value: unknown): value is Gap {
  return has(value, ["from", "number"], ["to", "number"], ["why", "string"]);
}

export function isHit(value: unknown): value is Hit {
  return has(value, ["number", "number"], ["offset", "number"], ["text", "string"], ["columns", "object"]);
}

export function isLinePage(value: unknown): value is LinePage {
  const types = ["start", "counted", "size"].map((name): [string, "number"] => [name, "number"]);
  return has(value, ...types) && Array.isArray(field(value, "lines"));
}

/** Return a check of an object that has a list of such things under a name. */
export function isListOf<Name extends string, Item>(name: Name, isItem: Check<Item>): Check<Record<Name, Item[]>> {
  return (value): value is Record<Name, Item[]> => {
    const list = field(value, name);
    return Array.isArray(list) && list.every(isItem);
  };
}

export function field(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
