/** What a value may be, in a few words, and whether what is filled in looks like it: told, and never held against anybody.
 * Only the server decides; the words are those of the plain form (`tailrace.web.page.hints`).
 */

import type { ParameterSchema } from "../../core/shapes";
import { size } from "../../core/words";
import { choicesOf, type FieldValue, kindOf, NUMBER, WHOLE } from "./values";

/** a bound beyond which it is none for people */
const FAR = 2 ** 53;
/** characters that nobody types by hand */
const LONG = 1000;
const LONGEST = 32_768;

/** Return what a value may be, as a sentence; empty: anything of its kind. */
export function hintOf(schema: ParameterSchema): string {
  const words = wordsOf(schema);
  return words === "" ? "" : `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

function wordsOf(schema: ParameterSchema): string {
  switch (kindOf(schema)) {
    case "file":
      return [`up to ${size(schema.maxLength ?? 0)}`, schema.accept?.join(", ")].filter(Boolean).join("; ");
    case "date":
      return [
        schema.formatMinimum && `from ${schema.formatMinimum}`,
        schema.formatMaximum && `to ${schema.formatMaximum}`,
      ]
        .filter(Boolean)
        .join(" ");
    case "whole":
    case "number":
      return range(bound(schema.minimum), bound(schema.maximum));
    case "choices":
      return count(schema.minItems ?? 0, schema.maxItems ?? 0, choicesOf(schema).length);
    case "text":
    case "lines":
    case "secret":
    case "secret-lines":
      return schema.format === "path" ? "" : length(schema.minLength ?? 0, schema.maxLength ?? LONGEST);
    default:
      return "";
  }
}

function bound(at: number | undefined): number | undefined {
  return at !== undefined && Math.abs(at) < FAR ? at : undefined;
}

function range(least: number | undefined, most: number | undefined): string {
  if (least === undefined) return most === undefined ? "" : `${most} or less`;
  return most === undefined ? `${least} or more` : `${least} to ${most}`;
}

function count(least: number, most: number, choices: number): string {
  if (most < choices) return least > 0 ? `choose ${least} to ${most}` : `choose up to ${most}`;
  return least > 0 ? `choose ${least} or more` : "";
}

function length(least: number, most: number): string {
  if (most < LONG) return least > 1 ? `${least} to ${most} characters` : `up to ${most} characters`;
  return least > 1 ? `${least} characters or more` : "";
}

/** Return what looks wrong with a value that was filled in; empty: nothing does. */
export function doubtOf(schema: ParameterSchema, value: FieldValue): string {
  if (value instanceof File) return value.size > (schema.maxLength ?? Number.POSITIVE_INFINITY) ? fileDoubt(value) : "";
  if (typeof value !== "string" || value === "") return "";
  switch (kindOf(schema)) {
    case "whole":
      return numberDoubt(schema, value.trim(), WHOLE, "a whole number");
    case "number":
      return numberDoubt(schema, value.trim(), NUMBER, "a number");
    case "date":
      return value < (schema.formatMinimum ?? value) || value > (schema.formatMaximum ?? value) ? unlike(schema) : "";
    case "text":
    case "lines":
      return textDoubt(schema, value) || patternDoubt(schema, value);
    case "secret":
    case "secret-lines":
      return textDoubt(schema, value);
    default:
      return "";
  }
}

function fileDoubt(file: File): string {
  return `This one has ${size(file.size)}.`;
}

function numberDoubt(schema: ParameterSchema, text: string, form: RegExp, what: string): string {
  if (!form.test(text)) return `This does not look like ${what}.`;
  const number = Number(text);
  return number < (schema.minimum ?? number) || number > (schema.maximum ?? number) ? unlike(schema) : "";
}

function textDoubt(schema: ParameterSchema, text: string): string {
  const characters = [...text].length; // as the server counts, and not in UTF-16
  if (characters <= (schema.maxLength ?? characters) && characters >= (schema.minLength ?? 0)) return "";
  return `It has ${characters} characters. ${hintOf(schema)}`;
}

/** The pattern is one of Python's: what JavaScript cannot read, or reads otherwise, is not judged here. */
function patternDoubt(schema: ParameterSchema, text: string): string {
  if (schema.pattern === undefined) return "";
  try {
    return new RegExp(schema.pattern, "u").test(text) ? "" : "This may not be what is wanted here.";
  } catch {
    return "";
  }
}

function unlike(schema: ParameterSchema): string {
  return `This is out of range. ${hintOf(schema)}`;
}
