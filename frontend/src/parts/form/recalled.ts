/** Which values a run was started with, read from its argv by the command's template.
 *
 * A template has as many elements as the argv, and a value fills one place or a part of one. `{name}` stands for a
 * parameter, `{{` and `}}` for braces.
 */

import type { Command, Run } from "../../core/shapes";

const PIECES = /\{\{|\}\}|\{([^{}]+)\}|[^{}]+/g;

/** Return the values as text, as far as they can be read; null: this is no run of the command as it is now. */
export function recalled(command: Command, run: Run): Record<string, string> | null {
  if (command.argv.length !== run.argv.length) return null;
  const values: Record<string, string> = {};
  for (const [index, element] of command.argv.entries()) {
    const { form, names } = read(element);
    const match = form.exec(run.argv[index] ?? "");
    if (match === null) return null;
    for (const [place, name] of names.entries()) values[name] ??= match[place + 1] ?? "";
  }
  return values;
}

/** Tell whether a run can be started again as it was, without asking anybody anything. */
export function isRecalledWhole(command: Command, values: Readonly<Record<string, string>>): boolean {
  return Object.entries(command.parameters.properties).every(
    ([name, schema]) => schema.format !== "password" && schema.type !== "array" && name in values,
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
