/** The time, once a second, for whatever ticks; it stands still while nobody looks at the page.
 *
 * What a run's times are compared with is the server's clock. A browser's may be wrong, by hours or days: how far it is
 * from the server's is told by the server's answers.
 */

import { signal } from "@preact/signals";

const EVERY_MS = 1000;
/** An answer's time is in whole seconds, and was on its way: clocks that differ by less are taken for the same. */
const SAME_MS = 5000;

/** milliseconds since 1970, by the server's clock */
export const now = signal(Date.now());
/** the same by the browser's own, for what it has set itself */
export const here = signal(Date.now());

let aheadMs = 0;
let timer: ReturnType<typeof setInterval> | undefined;

function tick(): void {
  here.value = Date.now();
  now.value = here.value + aheadMs;
}

function look(): void {
  clearInterval(timer);
  tick();
  if (document.visibilityState === "visible") timer = setInterval(tick, EVERY_MS);
}

/** Return the time by the server's clock, in milliseconds since 1970. */
export function serverTime(): number {
  return Date.now() + aheadMs;
}

/** The server has said what time it is, in milliseconds since 1970. */
export function setServerTime(at: number): void {
  const ahead = at - Date.now();
  if (Math.abs(ahead - aheadMs) <= SAME_MS) return;
  aheadMs = Math.abs(ahead) <= SAME_MS ? 0 : ahead;
  tick();
}

/** Let the time go on, from now on. */
export function startClock(): void {
  document.addEventListener("visibilitychange", look);
  look();
}
