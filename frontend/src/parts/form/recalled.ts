/** Which values a run was started with: as the server has kept them, or else, of older runs and of servers that do not
 * tell, read from its argv by the command's template. Secrets and files are kept nowhere, and are asked anew.
 *
 * A template has as many elements as the argv, and a value fills one place or a part of one. `{name}` stands for a
 * parameter, `{{` and `}}` for braces.
 */

import type { Command, ParameterSchema, Run } from "../../core/shapes";
import { isAskedAnew, kindOf } from "./values";

const PIECES = /\{\{|\}\}|\{([^{}]+)\}|[^{}]+/g;

/** Return the values, as far as they are known; null: this is no run of the command as it is now. */
export function recalled(command: Command, run: Run): Record<string, unknown> | null {
  const values = run.spec?.parameters ?? readBack(command, run);
  if (values === null) return null;
  const known = Object.entries(command.parameters.properties).filter(([, schema]) => !isAskedAnew(schema));
  return Object.fromEntries(known.filter(([name]) => name in values).map(([name]) => [name, values[name]]));
}

/** Whether an argument is the value itself: not a flag, one of several, or a path that was followed. */
function isPlain(schema: ParameterSchema | undefined, text: string): boolean {
  if (schema === undefined || schema.format === "path") return false;
  const kind = kindOf(schema);
  return kind !== "choices" && (kind !== "yes" || text === "true" || text === "false");
}

/** Return the values as text. */
function readBack(command: Command, run: Run): Record<string, string> | null {
  if (command.argv.length !== run.argv.length) return null;
  const values: Record<string, string> = {};
  for (const [index, element] of command.argv.entries()) {
    const { form, names } = read(element);
    const match = form.exec(run.argv[index] ?? "");
    if (match === null) return null;
    for (const [place, name] of names.entries()) values[name] ??= match[place + 1] ?? "";
  }
  const schemas = command.parameters.properties;
  return Object.fromEntries(Object.entries(values).filter(([name, text]) => isPlain(schemas[name], text)));
}

/** Tell whether a run can be started again as it was, without asking anybody anything. */
export function isRecalledWhole(command: Command, values: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(command.parameters.properties).every(
    ([name, schema]) => !isAskedAnew(schema) && name in values,
  );
}

function read(element: string): { form: RegExp; names: string[] } {
  const names: string[] = [];
  let form = "";
  for (const [piece, name] of element.matchAll(PIECES)) {
    if (name !== undefined) {
      names.push(name);
      form += "([\\s\\S]*?)";
    } else form += escaped(piece === "{{" ? "{" : piece === "}}" ? "}" : piece);
  }
  return { form: new RegExp(`^${form}$`), names };
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
