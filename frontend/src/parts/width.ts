/** How wide the page is, where that decides what is there. The style sheets say the same. */

import { type ReadonlySignal, signal } from "@preact/signals";

/** as narrow as a phone */
export const isNarrow = matching("(max-width: 639px)");
/** too narrow for two columns */
export const isStacked = matching("(max-width: 899px)");

function matching(query: string): ReadonlySignal<boolean> {
  if (typeof matchMedia !== "function") return signal(false);
  const list = matchMedia(query);
  const is = signal(list.matches);
  list.addEventListener("change", (event) => {
    is.value = event.matches;
  });
  return is;
}
