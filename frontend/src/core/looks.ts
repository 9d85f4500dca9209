/** How text looks, as SGR sequences set it: `CSI … m` (ECMA-48, 8.3.117, and what xterm added to it). */

import type { Colour, Look } from "./row";

export const PLAIN: Look = Object.freeze({});

/** that a colour takes behind its code, at most: `2;r;g;b` */
const MOST_FIELDS = 4;

/** Which switches a parameter turns on. */
const ON: Readonly<Record<number, Look>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  8: { hidden: true },
  9: { strike: true },
  21: { underline: true },
};

/** Which are turned off by one. */
const OFF: Readonly<Record<number, readonly (keyof Look)[]>> = {
  22: ["bold", "dim"],
  23: ["italic"],
  24: ["underline"],
  27: ["inverse"],
  28: ["hidden"],
  29: ["strike"],
  39: ["fg"],
  49: ["bg"],
};

/** Return the look after the parameters of one SGR sequence: what stands between `CSI` and `m`. What is not known changes
 * nothing. */
export function after(look: Look, parameters: string): Look {
  const fields = parameters.split(";");
  let now = look;
  for (let at = 0; at < fields.length; at += 1) {
    const parts = (fields[at] ?? "").split(":");
    const code = numberOf(parts[0]);
    if (code === 38 || code === 48 || code === 58) {
      // the underline's own colour (58) is not shown, but what belongs to it must be passed over
      const [colour, taken] =
        parts.length > 1 ? [colourOf(parts.slice(1), true), 0] : following(fields.slice(at + 1, at + 1 + MOST_FIELDS));
      at += taken;
      if (colour !== undefined && code !== 58) now = { ...now, [code === 38 ? "fg" : "bg"]: colour };
    } else if (code === 4 && parts[1] === "0") {
      now = without(now, ["underline"]);
    } else {
      now = changed(now, code);
    }
  }
  return now;
}

function changed(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  const on = ON[code];
  if (on) return { ...look, ...on };
  const off = OFF[code];
  if (off) return without(look, off);
  if (code >= 30 && code <= 37) return { ...look, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...look, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...look, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...look, bg: code - 92 };
  return look;
}

function without(look: Look, names: readonly (keyof Look)[]): Look {
  if (!names.some((name) => name in look)) return look;
  const kept = { ...look };
  for (const name of names) delete kept[name];
  return kept;
}

/** Read `5;n` or `2;r;g;b`; return how many fields that took, too. */
function following(fields: readonly string[]): [Colour | undefined, number] {
  const taken = fields[0] === "5" ? 2 : fields[0] === "2" ? 4 : 1;
  return [colourOf(fields.slice(0, taken), false), taken];
}

/** With colons, a colour space may stand before red, green and blue (ISO 8613-6): `2:space:r:g:b`. */
function colourOf(parts: readonly string[], isColons: boolean): Colour | undefined {
  if (parts[0] === "5") {
    const index = numberOf(parts[1]);
    return index <= 255 ? index : undefined;
  }
  if (parts[0] !== "2") return undefined;
  const rgb = (isColons && parts.length > 4 ? parts.slice(2, 5) : parts.slice(1, 4)).map(numberOf);
  if (rgb.length !== 3 || rgb.some((value) => value > 255)) return undefined;
  return `#${rgb.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** A parameter that is left out is 0; one that is no number is none that there is. */
function numberOf(text: string | undefined): number {
  if (text === undefined || text === "") return 0;
  return /^\d{1,5}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
}

/** Whether two looks are the same. */
export function isSame(one: Look, other: Look): boolean {
  if (one === other) return true;
  const names = Object.keys(one) as (keyof Look)[];
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
