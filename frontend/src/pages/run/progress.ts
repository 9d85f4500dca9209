/** What a run's output tells as it comes: when the last of it came, and how far the command says it is (OSC 9;4). */

import { type Signal, signal } from "@preact/signals";
import { type Progress, progressIn } from "../../core/osc";
import type { RunNews } from "../../net/feed";

/** characters that are looked at again with the next piece, for a sequence may be cut between two */
const OVERLAP = 64;

export class Pulse {
  /** null: nothing has come since the page was opened */
  readonly lastOutput: Signal<number | null> = signal(null);
  /** bytes of output, as far as they have come here */
  readonly size: Signal<number> = signal(0);
  readonly progress: Signal<Progress | null> = signal(null);
  #rest = "";

  take(news: RunNews): void {
    if (news.kind === "output") this.#hear(news.piece.text, news.end);
    else if (news.kind === "end") this.progress.value = null;
  }

  #hear(text: string, end: number): void {
    this.size.value = end;
    this.lastOutput.value = Math.floor(Date.now() / 1000) * 1000; // a second's change at most
    const progress = progressIn(this.#rest + text);
    this.#rest = text.slice(-OVERLAP);
    if (progress !== undefined) this.progress.value = progress;
  }
}
