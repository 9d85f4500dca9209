/** How a piece of a row looks: classes for what the theme decides, exact colours for what the command did.
 *
 * On the theme's own ground the 16 colours are the theme's; all others are the command's, and the style sheet brings
 * their lightness to where they can be read. Where the command coloured the ground as well, the theme no longer
 * matters: both colours are exact, and the text is moved towards black or white until it can be read.
 */

import type { Colour, Look } from "../core/row";

export interface Dress {
  classes: string;
  /** the text's colour, and the ground's; null: as the classes say */
  ink: string | null;
  ground: string | null;
}

const PLAIN: Dress = { classes: "", ink: null, ground: null };

/** The 16 colours where the ground is the command's. */
const SIXTEEN = [
  "#1d1f24", "#c4314b", "#1f8a3b", "#a87b00", "#2f6fd0", "#a33ea1", "#16858f", "#d4d6da",
  "#6b7280", "#f2637b", "#4cc46a", "#ecc94b", "#6aa5ff", "#d98be0", "#4fd1d9", "#ffffff",
]; // biome-ignore format: a table
const STEPS = [0, 95, 135, 175, 215, 255];

/** Contrast that text must have (WCAG 2.2, 1.4.3). */
const ENOUGH = 4.5;

/** Looks that are remembered; when there are more, all are forgotten. */
const MOST = 1000;
const known = new Map<string, Dress>();

export function dressOf(look: Look): Dress {
  const key = keyOf(look);
  if (key === "") return PLAIN;
  const found = known.get(key);
  if (found !== undefined) return found;
  if (known.size >= MOST) known.clear();
  const made = make(look);
  known.set(key, made);
  return made;
}

function keyOf(look: Look): string {
  let key = "";
  if (look.fg !== undefined) key += `f${look.fg}`;
  if (look.bg !== undefined) key += `b${look.bg}`;
  for (const [name, letter] of FLAGS) if (look[name]) key += letter;
  return key;
}

const FLAGS = [
  ["bold", "B"],
  ["dim", "D"],
  ["italic", "I"],
  ["underline", "U"],
  ["strike", "S"],
  ["inverse", "N"],
  ["hidden", "H"],
] as const;

function make(look: Look): Dress {
  const classes = FLAGS.filter(([name]) => look[name] && name !== "inverse").map(([name]) => `is-${name}`);
  const hasGround = look.inverse ? look.fg !== undefined || look.bg !== undefined : look.bg !== undefined;
  if (hasGround) {
    const [ink, ground] = look.inverse ? [look.bg, look.fg] : [look.fg, look.bg];
    const exactGround = ground === undefined ? "#d4d6da" : exact(ground);
    return { classes: [...classes, "is-exact"].join(" "), ink: readable(ink, exactGround), ground: exactGround };
  }
  if (look.inverse) return { classes: [...classes, "is-inverse"].join(" "), ink: null, ground: null };
  if (look.fg === undefined) return { classes: classes.join(" "), ink: null, ground: null };
  if (typeof look.fg === "number" && look.fg < 16) {
    return { classes: [...classes, `fg-${look.fg}`].join(" "), ink: null, ground: null };
  }
  return { classes: [...classes, "is-tinted"].join(" "), ink: exact(look.fg), ground: null };
}

/** Return a colour as `#rrggbb`; indexes as xterm has them. */
export function exact(colour: Colour): string {
  if (typeof colour === "string") return colour;
  if (colour < 16) return SIXTEEN[colour] ?? "#000000";
  if (colour >= 232) return hex([8, 8, 8].map((base) => base + 10 * (colour - 232)));
  const cube = colour - 16;
  return hex([Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((step) => STEPS[step] ?? 0));
}

/** Return the colour nearest to `ink` that can be read on this ground. */
export function readable(ink: Colour | undefined, ground: string): string {
  const end = contrast("#ffffff", ground) > contrast("#000000", ground) ? "#ffffff" : "#000000";
  if (ink === undefined) return end;
  const wished = exact(ink);
  for (const part of [0, 0.25, 0.5, 0.75]) {
    const mixed = mix(wished, end, part);
    if (contrast(mixed, ground) >= ENOUGH) return mixed;
  }
  return end;
}

/** WCAG 2.2's contrast ratio. */
export function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = parts(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function mix(one: string, other: string, part: number): string {
  const to = parts(other);
  return hex(parts(one).map((value, place) => Math.round(value + ((to[place] ?? 0) - value) * part)));
}

function parts(colour: string): number[] {
  return [1, 3, 5].map((place) => Number.parseInt(colour.slice(place, place + 2), 16));
}

function hex(values: number[]): string {
  return `#${values.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
