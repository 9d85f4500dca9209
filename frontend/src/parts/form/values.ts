/** What the fields of a command's form hold, and what is sent of it.
 *
 * The server alone decides what a value may be, and says what is wrong with each; here nothing is judged twice.
 */

import type { Command, ParameterSchema } from "../../core/shapes";
import type { Value } from "../../net/api";

/** a field's text, a box's state, or the choices that are taken */
export type FieldValue = string | boolean | readonly string[];
export type FieldValues = Readonly<Record<string, FieldValue>>;

export type FieldKind =
  | "text"
  | "lines"
  | "secret"
  | "whole"
  | "number"
  | "yes"
  | "choice"
  | "choices"
  | "date"
  | "instant";

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const WHOLE = /^-?(0|[1-9]\d*)$/;
const FORMATS: Readonly<Record<string, FieldKind>> = {
  password: "secret",
  date: "date",
  "date-time": "instant",
  multiline: "lines",
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
      return FORMATS[schema.format ?? ""] ?? (String(schema.default ?? "").includes("\n") ? "lines" : "text");
  }
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

function initial(schema: ParameterSchema, value: unknown): FieldValue {
  switch (kindOf(schema)) {
    case "yes":
      return value === true || value === "true";
    case "choices":
      return Array.isArray(value) ? value.map(String) : [];
    case "secret":
      return "";
    default:
      return value === undefined || value === null ? "" : String(value);
  }
}

/** Return what is sent to start the command: JSON values; or, where a whole number has more digits than a JavaScript
 * number, a form, in which all of them arrive. A field that was left empty is left out where empty means nothing. */
export function sent(command: Command, values: FieldValues): Record<string, Value> | URLSearchParams {
  const fields: Record<string, Value> = {};
  let isExact = true;
  for (const [name, schema] of Object.entries(command.parameters.properties)) {
    const value = valueIn(schema, values[name] ?? "");
    if (value === null) continue;
    fields[name] = value;
    if (schema.type === "integer" && typeof value === "string" && WHOLE.test(value)) isExact = false;
  }
  if (isExact) return fields;
  return new URLSearchParams(Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]));
}

function valueIn(schema: ParameterSchema, value: FieldValue): Value {
  switch (kindOf(schema)) {
    case "yes":
    case "choices":
    case "text":
    case "lines":
      return value;
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
