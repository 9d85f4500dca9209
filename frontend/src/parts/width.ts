/** Whether the page is as narrow as a phone. The style sheets say the same. */

import { signal } from "@preact/signals";

const query = typeof matchMedia === "function" ? matchMedia("(max-width: 639px)") : null;

export const isNarrow = signal(query?.matches ?? false);
query?.addEventListener("change", (event) => {
  isNarrow.value = event.matches;
});
