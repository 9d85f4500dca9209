/** What a run's output tells as it comes: when the last of it came, and how far the command says it is (OSC 9;4). */

import { type Signal, signal } from "@preact/signals";
import { type Progress, progressIn } from "../../core/osc";
import type { RunNews } from "../../net/feed";
import { serverTime } from "../../parts/now";

/** characters that are looked at again with the next piece, for a sequence may be cut between two */
const OVERLAP = 64;
/** between two looks at what has come: a flood comes in hundreds of pieces a second */
const EVERY_MS = 250;

export class Pulse {
  /** null: nothing has come since the page was opened */
  readonly lastOutput: Signal<number | null> = signal(null);
  /** bytes of output, as far as they have come here */
  readonly size: Signal<number> = signal(0);
  readonly progress: Signal<Progress | null> = signal(null);
  /** progress, or the end, has come here */
  #hasHeard = false;
  #rest = "";
  #end = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Have what was told before; what has come since is newer. */
  begin(progress: Progress | null | undefined): void {
    if (progress && !this.#hasHeard) this.progress.value = progress;
  }

  take(news: RunNews): void {
    if (news.kind === "output") this.#hear(news.piece.text, news.end);
    else if (news.kind === "end") {
      this.#hasHeard = true;
      this.progress.value = null;
    }
  }

  #hear(text: string, end: number): void {
    this.#end = end;
    this.#timer ??= setTimeout(() => this.#tell(), EVERY_MS);
    const progress = progressIn(this.#rest + text);
    this.#rest = text.slice(-OVERLAP);
    if (progress === undefined) return;
    this.#hasHeard = true;
    this.progress.value = progress;
  }

  #tell(): void {
    this.#timer = undefined;
    this.size.value = this.#end;
    this.lastOutput.value = Math.floor(serverTime() / 1000) * 1000; // a second's change at most
  }
}
