/** The time, once a second, for whatever ticks; it stands still while nobody looks at the page. */

import { signal } from "@preact/signals";

const EVERY_MS = 1000;

/** milliseconds since 1970 */
export const now = signal(Date.now());

let timer: ReturnType<typeof setInterval> | undefined;

function look(): void {
  clearInterval(timer);
  now.value = Date.now();
  if (document.visibilityState === "visible")
    timer = setInterval(() => {
      now.value = Date.now();
    }, EVERY_MS);
}

/** Let the time go on, from now on. */
export function startClock(): void {
  document.addEventListener("visibilitychange", look);
  look();
}
