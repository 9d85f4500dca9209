/** The runs that are chosen in a list, to be looked at side by side. */

import { signal } from "@preact/signals";

/** at once in one connection (`/api/events`) */
export const MOST_CHOSEN = 32;

export const chosen = signal<readonly string[]>([]);

/** Choose a run, or no longer; nothing happens when there are enough. */
export function choose(id: string, on: boolean): void {
  const others = chosen.value.filter((each) => each !== id);
  if (!on) chosen.value = others;
  else if (others.length < MOST_CHOSEN) chosen.value = [...others, id];
}

/** Return where those runs are shown side by side. */
export function sideBySide(root: string, ids: readonly string[]): string {
  return `${root}runs?${new URLSearchParams(ids.map((id) => ["run", id])).toString()}`;
}
