/** How large everything is: the view, a line, a character. Told by the browser: zoom, fonts that come, windows pulled. */

import type { RowHeights } from "./view-heights";
import type { Pane } from "./view-pane";
import type { Parts } from "./view-parts";
import type { Rows } from "./view-rows";
import type { Scroller } from "./view-scroller";

/** Characters in the probe. */
const TEN = 10;

export class Sizes {
  readonly #parts: Parts;
  readonly #rows: Rows;
  readonly #heights: RowHeights;
  readonly #scroller: Scroller;
  readonly #pane: Pane;
  readonly #observer: ResizeObserver;
  #columns = 0;
  /** width of a character, in pixels */
  character = 8;

  /** @param changed told at each change, before the next frame */
  constructor(parts: Parts, rows: Rows, heights: RowHeights, scroller: Scroller, pane: Pane, changed: () => void) {
    this.#parts = parts;
    this.#rows = rows;
    this.#heights = heights;
    this.#scroller = scroller;
    this.#pane = pane;
    this.#observer = new ResizeObserver(changed);
    for (const watched of [parts.scroller, rows.element, parts.probe]) this.#observer.observe(watched);
  }

  /** Take the sizes as they are; the row at the top edge stays there. */
  take(isWrapped: boolean): void {
    const { scroller, probe } = this.#parts;
    const line = probe.getBoundingClientRect();
    if (line.width === 0) return; // not in sight
    this.character = line.width / TEN;
    const columns = Math.max(1, Math.floor(this.#room / this.character));
    const hasOtherRows = columns !== this.#columns && (isWrapped || this.#columns === 0);
    const isOther =
      line.height !== this.#heights.line || hasOtherRows || isWrapped !== (this.#heights.columns !== null);
    if (!isOther && this.#scroller.viewport === scroller.clientHeight) return;
    this.#scroller.ignore();
    this.#scroller.viewport = scroller.clientHeight;
    this.#pane.settle();
    this.#columns = columns;
    if (isOther) this.#forgetRows(line.height, isWrapped ? columns : null);
  }

  dispose(): void {
    this.#observer.disconnect();
  }

  get #room(): number {
    return this.#rows.at(this.#rows.first)?.text.clientWidth ?? this.#parts.scroller.clientWidth;
  }

  #forgetRows(line: number, columns: number | null): void {
    this.#pane.hold();
    this.#heights.forgetAll();
    this.#heights.line = line;
    this.#heights.columns = columns;
    this.#rows.remeasure();
    this.#scroller.narrow();
  }
}
