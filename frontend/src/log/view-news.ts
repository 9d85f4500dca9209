/** What the source tells that is to be said: that rows cannot be had, that some were skipped in order to stay live. */

import { size } from "../core/words";
import type { SourceEvent } from "./source";
import type { Notice } from "./view-notice";
import { gapText } from "./view-row";

export class News {
  readonly #notice: Notice;
  readonly #go: (offset: number) => void;
  /** rows could not be had, and it says so */
  #hasFailed = false;
  /** what was skipped since somebody last went there or dismissed it: its beginning, and how much it is in all */
  #skipped: { from: number; bytes: number } | null = null;

  /** @param go goes where a byte is */
  constructor(notice: Notice, go: (offset: number) => void) {
    this.#notice = notice;
    this.#go = go;
  }

  /** Say it; return whether there is nothing more to do about it. */
  take(event: SourceEvent): boolean {
    if (event.kind === "failed") {
      this.#notice.say(event.message, [{ text: "Try again", chosen: event.retry }]);
      this.#hasFailed = true;
      return true;
    }
    if (event.kind === "skipped") {
      this.#skip(event.from, event.bytes);
      return true;
    }
    if (event.kind === "missing") {
      const { from } = event.gap;
      const choices = [{ text: "Show where", chosen: () => this.#go(Math.max(0, from - 1)) }];
      this.#notice.say(`${gapText(event.gap)}. The output goes on behind that.`, choices);
      return true;
    }
    if (this.#hasFailed) this.#notice.clear(); // it goes on
    this.#hasFailed = false;
    return false;
  }

  #skip(from: number, bytes: number): void {
    this.#skipped = { from: this.#skipped?.from ?? from, bytes: (this.#skipped?.bytes ?? 0) + bytes };
    const skipped = this.#skipped;
    const there = () => {
      this.#skipped = null;
      this.#go(skipped.from);
    };
    const text = `Skipped ${size(skipped.bytes)} to stay live. All of it is here: scroll up.`;
    const dismissed = () => {
      this.#skipped = null;
    };
    const choices = [
      { text: "Show", chosen: there },
      { text: "Dismiss", chosen: dismissed },
    ];
    this.#notice.say(text, choices, { canDismiss: false });
  }
}
