/** Hits of a search on the strip beside the scroll bar. */

import type { Hit } from "../core/shapes";
import type { Source } from "./source";
import type { Marks } from "./view-marks";
import { Strip } from "./view-strip";

export class Hits {
  readonly #source: Source;
  readonly #marks: Marks;
  readonly #chosen: (hit: Hit) => void;
  readonly strip = new Strip((at) => this.#chose(at));
  #isOld = false;

  /** @param chosen told which hit somebody pressed on */
  constructor(source: Source, marks: Marks, chosen: (hit: Hit) => void) {
    this.#source = source;
    this.#marks = marks;
    this.#chosen = chosen;
  }

  /** Hits are others, or the whole is: they are shown anew at the next frame. */
  change(): void {
    this.#isOld = true;
  }

  show(): void {
    if (!this.#isOld) return;
    this.#isOld = false;
    this.strip.show(
      [...this.#marks.hits].map((hit) => ({ at: this.#share(hit), isCurrent: this.#marks.isCurrent(hit) })),
    );
  }

  /** Where in the whole a hit is, between 0 and 1; what is counted from the end is below 0. */
  #share({ number }: Hit): number {
    const { count } = this.#source;
    const index = number > 0 ? number - 1 : count + number;
    return count > 1 ? Math.min(1, Math.max(0, index / (count - 1))) : 0;
  }

  #chose(at: number): void {
    let nearest: Hit | null = null;
    for (const hit of this.#marks.hits) {
      if (nearest === null || Math.abs(this.#share(hit) - at) < Math.abs(this.#share(nearest) - at)) nearest = hit;
    }
    if (nearest !== null) this.#chosen(nearest);
  }
}
