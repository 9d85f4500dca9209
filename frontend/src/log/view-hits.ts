/** Hits of a search on the strip beside the scroll bar. */

import type { Hit } from "../core/shapes";
import type { Source } from "./source";
import type { Marks } from "./view-marks";
import { Strip } from "./view-strip";

export class Hits {
  readonly #source: Source;
  readonly #marks: Marks;
  readonly #chosen: (chosen: { hit: Hit } | { at: number }) => void;
  readonly strip = new Strip((at) => this.#chose(at));
  #isOld = false;
  /** where others are, of which no more is known: between 0 and 1 */
  #others: readonly number[] = [];

  /** @param chosen told which hit somebody pressed on, or where others are */
  constructor(source: Source, marks: Marks, chosen: (chosen: { hit: Hit } | { at: number }) => void) {
    this.#source = source;
    this.#marks = marks;
    this.#chosen = chosen;
  }

  /** Hits are others, or the whole is: they are shown anew at the next frame. */
  change(others = this.#others): void {
    this.#others = others;
    this.#isOld = true;
  }

  show(): void {
    if (!this.#isOld) return;
    this.#isOld = false;
    const ticks = [...this.#marks.hits].map((hit) => ({ at: this.#share(hit), isCurrent: this.#marks.isCurrent(hit) }));
    this.strip.show([...ticks, ...this.#others.map((at) => ({ at, isCurrent: false }))]);
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
    const gap = nearest === null ? 1 : Math.abs(this.#share(nearest) - at);
    const other = this.#others.find((each) => Math.abs(each - at) < gap);
    if (other !== undefined) this.#chosen({ at: other });
    else if (nearest !== null) this.#chosen({ hit: nearest });
  }
}
