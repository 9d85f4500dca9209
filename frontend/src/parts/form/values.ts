/** What the fields of a command's form hold, and what is sent of it.
 *
 * The server alone decides what a value may be, and says what is wrong with each; here nothing is judged twice.
 */

import type { Command, ParameterSchema } from "../../core/shapes";
import type { Value } from "../../net/api";

/** a field's text, a box's state, the choices that are taken, or the file that was chosen */
export type FieldValue = string | boolean | readonly string[] | File;
export type FieldValues = Readonly<Record<string, FieldValue>>;

export type FieldKind =
  | "text"
  | "lines"
  | "secret"
  | "secret-lines"
  | "whole"
  | "number"
  | "yes"
  | "choice"
  | "choices"
  | "date"
  | "instant"
  | "file";

export const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
export const WHOLE = /^-?(0|[1-9]\d*)$/;
const FORMATS: Readonly<Record<string, FieldKind>> = {
  date: "date",
  "date-time": "instant",
  binary: "file",
};

export function kindOf(schema: ParameterSchema): FieldKind {
  switch (schema.type) {
    case "integer":
      return "whole";
    case "number":
      return "number";
    case "boolean":
      return "yes";
    case "array":
      return "choices";
    case "string":
      if (schema.enum) return "choice";
      if (schema.format === "password") return schema.multiline ? "secret-lines" : "secret";
      return FORMATS[schema.format ?? ""] ?? (hasLines(schema) ? "lines" : "text");
  }
}

function hasLines(schema: ParameterSchema): boolean {
  return schema.multiline === true || String(schema.default ?? "").includes("\n");
}

/** Whether it is asked anew each time, and kept nowhere: a secret, or a file. */
export function isAskedAnew(schema: ParameterSchema): boolean {
  return schema.format === "password" || schema.format === "binary";
}

/** Return the choices of a field that has some. */
export function choicesOf(schema: ParameterSchema): readonly string[] {
  return schema.enum ?? schema.items?.enum ?? [];
}

/** Return what a form begins with: what is known from elsewhere, else the defaults. */
export function initialValues(command: Command, known: Readonly<Record<string, unknown>> = {}): FieldValues {
  const entries = Object.entries(command.parameters.properties);
  return Object.fromEntries(entries.map(([name, schema]) => [name, initial(schema, known[name] ?? schema.default)]));
}

/** Return the values without the secrets. */
export function withoutSecrets(command: Command, values: FieldValues): FieldValues {
  const schemas = command.parameters.properties;
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, schemas[name]?.format === "password" ? "" : value]),
  );
}

function initial(schema: ParameterSchema, value: unknown): FieldValue {
  if (isAskedAnew(schema)) return "";
  switch (kindOf(schema)) {
    case "yes":
      return value === true || (typeof value === "string" && lastLine(value) === "true");
    case "choices":
      return choicesIn(schema, value);
    default:
      return value === undefined || value === null ? "" : String(value);
  }
}

/** A plain form that is shown again says the values of a name in a line each, its hidden field's first. */
function choicesIn(schema: ParameterSchema, value: unknown): readonly string[] {
  const told = Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split("\n") : [];
  return choicesOf(schema).filter((choice) => told.includes(choice));
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1);
}

/** Return what is sent to start the command: JSON values; a form with parts, where there is a file; or, where a whole
 * number has more digits than a JavaScript number, a form, in which all of them arrive. A field that was left empty is
 * left out where empty means nothing. */
export function sent(command: Command, values: FieldValues): Record<string, Value> | FormData | URLSearchParams {
  const fields: Record<string, Value> = {};
  const files: [string, File][] = [];
  let isExact = true;
  for (const [name, schema] of Object.entries(command.parameters.properties)) {
    const held = values[name] ?? "";
    if (held instanceof File) {
      files.push([name, held]);
      continue;
    }
    const value = valueIn(schema, held);
    if (value === null) continue;
    fields[name] = value;
    if (schema.type === "integer" && typeof value === "string" && WHOLE.test(value)) isExact = false;
  }
  if (files.length > 0) return withFiles(fields, files);
  return isExact ? fields : new URLSearchParams(textsOf(fields));
}

function withFiles(fields: Readonly<Record<string, Value>>, files: readonly [string, File][]): FormData {
  const form = new FormData();
  for (const [name, text] of textsOf(fields)) form.append(name, text);
  for (const [name, file] of files) form.append(name, file, file.name);
  return form;
}

/** Return the fields as a form has them: of several choices each, behind an empty one, which says that there are any. */
function textsOf(fields: Readonly<Record<string, Value>>): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const all = Array.isArray(value) ? ["", ...value] : [value];
    return all.map((each): [string, string] => [name, String(each)]);
  });
}

function valueIn(schema: ParameterSchema, value: Exclude<FieldValue, File>): Value {
  switch (kindOf(schema)) {
    case "yes":
    case "choices":
      return value;
    case "text":
    case "lines":
      return schema.format === "path" && value === "" ? null : value;
    case "choice":
      return value === "" && !choicesOf(schema).includes("") ? null : value;
    case "whole":
      return numberOf(String(value), WHOLE);
    case "number":
      return numberOf(String(value), NUMBER);
    default:
      return value === "" ? null : value;
  }
}

/** Return the number; as it was typed, what is none, which the server will refuse in words, and what has too many digits;
 * null: nothing. */
function numberOf(text: string, form: RegExp): number | string | null {
  const typed = text.trim();
  if (typed === "") return null;
  const number = Number(typed);
  const isWhole = WHOLE.test(typed);
  return form.test(typed) && (!isWhole || Number.isSafeInteger(number)) ? number : typed;
}
