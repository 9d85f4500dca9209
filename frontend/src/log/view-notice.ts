/** What the log view has to say: that something was copied, was too much, could not be had. Screen readers hear it. */

import { part } from "./view-row";

export interface Choice {
  text: string;
  /** a link, or else a button */
  href?: string;
  chosen?: () => void;
}

/** How long a notice without a choice stays, in milliseconds. */
const STAY_MS = 4000;

export class Notice {
  readonly element = part("div", "log-notice");
  readonly #box = part("div", "log-notice-box");
  #leaving: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.element.setAttribute("role", "status");
  }

  /** Say something; with choices it stays until one is made. */
  say(text: string, choices: readonly Choice[] = [], { canDismiss = true } = {}): void {
    clearTimeout(this.#leaving);
    const said = part("span", "log-notice-text");
    said.textContent = text;
    this.#box.replaceChildren(said, ...choices.map((choice) => this.#choice(choice)));
    if (choices.length > 0 && canDismiss) this.#box.append(this.#choice({ text: "Dismiss" }));
    this.element.replaceChildren(this.#box);
    if (choices.length === 0) this.#leaving = setTimeout(() => this.clear(), STAY_MS);
  }

  clear(): void {
    clearTimeout(this.#leaving);
    this.element.replaceChildren();
  }

  #choice({ text, href, chosen }: Choice): HTMLElement {
    const element = href === undefined ? part("button", "log-choice") : part("a", "log-choice");
    element.textContent = text;
    if (element instanceof HTMLAnchorElement) element.href = href ?? "";
    else element.type = "button";
    element.addEventListener("click", () => {
      this.clear();
      chosen?.();
    });
    return element;
  }
}
