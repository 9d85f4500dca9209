/** The keys: one table of all that there are at the moment, which the sheet behind `?` shows.
 *
 * A key of one character does nothing while something is being typed, and can be switched off as a whole (WCAG 2.2,
 * 2.1.4). Of two entries for one key, the newer one counts, so that a panel may take over a page's.
 */

import { signal } from "@preact/signals";
import type { Unsubscribe } from "../core/listeners";
import { isBoolean, preference } from "./preferences";

export interface Key {
  /** as the sheet shows it: `?`, `g`, `Shift+F3`, `Ctrl+F`, `ArrowDown` */
  key: string;
  does: string;
  group: string;
  /** whether it works while something is being typed; keys of one character never do */
  always?: boolean;
  /** Do it; false: it was not for this one. */
  act: (event: KeyboardEvent) => unknown;
}

export const keys = signal<readonly Key[]>([]);
export const hasLetters = preference("letters", true, isBoolean);

/** Add keys to the table, until the function that is returned is called. */
export function addKeys(added: readonly Key[]): Unsubscribe {
  keys.value = [...keys.value, ...added];
  return () => {
    keys.value = keys.value.filter((key) => !added.includes(key));
  };
}

/** Return what was pressed, as the table names it. */
export function pressed(event: KeyboardEvent): string {
  const isCharacter = [...event.key].length === 1;
  const name = isCharacter && (event.ctrlKey || event.metaKey) ? event.key.toUpperCase() : event.key;
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey) parts.push("Alt");
  if (event.shiftKey && !isCharacter) parts.push("Shift");
  return [...parts, name].join("+");
}

/** Act on what is pressed, from now on. */
export function listenToKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    const name = pressed(event);
    const isLetter = [...name].length === 1;
    if (isLetter && (!hasLetters.value || isTyping(event.target))) return;
    if (document.querySelector("dialog[open]") !== null) return;
    for (const key of [...keys.value].reverse()) {
      if (key.key !== name || (!key.always && !isLetter && isTyping(event.target))) continue;
      if (key.act(event) === false) continue;
      event.preventDefault();
      return;
    }
  });
}

/** Tell whether keys are for what has the focus. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("[data-takes-keys]") !== null) return true;
  if (target instanceof HTMLInputElement)
    return !["checkbox", "radio", "range", "button", "submit"].includes(target.type);
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}
