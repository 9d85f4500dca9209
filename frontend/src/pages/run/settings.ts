/** How outputs are shown, as somebody prefers it; the same on all pages. */

import type { Times } from "../../core/clock";
import { isBoolean, preference } from "../../parts/preferences";

export const TIMES: readonly (readonly [Times, string])[] = [
  ["none", "No times"],
  ["clock", "Clock"],
  ["start", "Since start"],
  ["previous", "Since line before"],
];

export const wrap = preference("wrap", true, isBoolean);
export const numbers = preference("numbers", true, isBoolean);
export const times = preference<Times>("times", "none", isTimes);

function isTimes(value: unknown): value is Times {
  return TIMES.some(([each]) => each === value);
}

/** Show the next kind of times. */
export function nextTimes(): void {
  const at = TIMES.findIndex(([each]) => each === times.value);
  times.value = TIMES[(at + 1) % TIMES.length]?.[0] ?? "none";
}
