/** A few words for a moment: that something was copied, say. A screen reader hears them too. */

import { announce } from "./announce";

const SHOWN_MS = 2500;
/** at once; an older one goes for a new one */
const MOST = 3;

let place: HTMLElement | null = null;

export function toast(text: string): void {
  place ??= document.body.appendChild(Object.assign(document.createElement("div"), { className: "toasts" }));
  place.setAttribute("aria-hidden", "true"); // it is announced
  const element = Object.assign(document.createElement("div"), { className: "toast", textContent: text });
  place.append(element);
  while (place.childElementCount > MOST) place.firstElementChild?.remove();
  setTimeout(() => element.remove(), SHOWN_MS);
  announce(text);
}
