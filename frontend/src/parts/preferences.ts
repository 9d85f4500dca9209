/** What somebody prefers, kept in the browser; where nothing can be kept, for as long as the page is open. */

import { effect, type Signal, signal } from "@preact/signals";

const PREFIX = "tailrace.";

/** Return a preference; `isOne` tells whether what was kept is a value of it. */
export function preference<Value>(
  name: string,
  standard: Value,
  isOne: (value: unknown) => value is Value,
): Signal<Value> {
  const kept = read(name);
  const value = signal(isOne(kept) ? kept : standard);
  effect(() => write(name, value.value));
  return value;
}

export function isBoolean(value: unknown): value is boolean {
  return typeof value === "boolean";
}

function read(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name) ?? "null");
  } catch {
    return null; // no storage here, or not ours
  }
}

function write(name: string, value: unknown): void {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // no storage, or it is full: then it is forgotten with the page
  }
}
