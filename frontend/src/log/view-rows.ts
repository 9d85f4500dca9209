/** The rows that are held as elements: a stretch of the output, in order, one behind the other.
 *
 * Elements that are no longer needed at one end are used again at the other, so scrolling makes no garbage.
 */

import type { Row } from "../core/row";
import type { RowHeights } from "./view-heights";
import type { Span } from "./view-place";
import { part, RowElement, type RowView } from "./view-row";

/** Elements held at most; a screen that shows more rows than this leaves its last ones empty. */
const MOST = 600;

/** What a row shows is asked for by its index; `version` is another whenever the answers may be others. */
export interface Looks {
  readonly version: number;
  row(index: number): Row | undefined;
  view(index: number, row: Row | undefined): RowView;
  /** Which slice of a row is shown; 0: the first, or all of it. */
  sliceOf(row: Row | undefined): number;
}

/** Pieces made in one frame. When there are more, the other rows are shown without looks, and get them in the next
 * frames: however colourful an output is, it does not make the browser stand still. */
const BUDGET = 6000;

export class Rows {
  readonly element = part("div", "log-rows");
  readonly #looks: Looks;
  readonly #heights: RowHeights;
  #shown: RowElement[] = [];
  #top = -1;
  #pieces = 0;
  /** some rows have no looks yet */
  isUnfinished = false;

  constructor(looks: Looks, heights: RowHeights) {
    this.#looks = looks;
    this.#heights = heights;
  }

  get first(): number {
    return this.#shown[0]?.index ?? 0;
  }

  get shown(): Iterable<RowElement> {
    return this.#shown;
  }

  /** The one behind the last. */
  get last(): number {
    return this.first + this.#shown.length;
  }

  at(index: number): RowElement | undefined {
    return this.#shown[index - this.first];
  }

  /** Whether something in the rows has the keyboard's focus. */
  get hasFocus(): boolean {
    const root = this.element.getRootNode();
    const focused = root instanceof Document || root instanceof ShadowRoot ? root.activeElement : null;
    return this.element.contains(focused);
  }

  /** Return the row that a node is in. */
  holding(node: Node): RowElement | undefined {
    return this.#shown.find(({ element }) => element.contains(node));
  }

  /** Hold rows [first, last), of which those from `top` on are in sight. */
  show({ first, last }: Span, top: number): void {
    this.#fit(first, Math.min(last, first + MOST));
    const before = Math.max(0, top - first);
    for (let place = before; place < this.#shown.length; place += 1) this.#update(place, first);
    for (let place = before - 1; place >= 0; place -= 1) this.#update(place, first);
  }

  /** A new frame begins: there is time for so many pieces again. */
  begin(): void {
    this.#pieces = 0;
    this.isUnfinished = false;
  }

  /** What is held has other indexes, or is something else. */
  reset(): void {
    for (const shown of this.#shown) {
      shown.row = undefined;
      shown.version = -1;
    }
  }

  /** Measure what is new; return whether anything is higher or lower than was thought. */
  measure(): boolean {
    const fresh = this.#shown.filter((shown) => shown.isNew);
    const heights = fresh.map((shown) => shown.element.getBoundingClientRect().height); // one layout for all
    let differs = false;
    for (const [place, shown] of fresh.entries()) {
      shown.isNew = false;
      differs = this.#heights.measure(shown.index, heights[place] ?? 0) || differs;
    }
    return differs;
  }

  /** Something has changed that makes all rows higher or lower. */
  remeasure(): void {
    for (const shown of this.#shown) shown.isNew = true;
  }

  placeAt(top: number): void {
    if (top === this.#top) return;
    this.#top = top;
    this.element.style.top = `${top}px`;
  }

  #fit(first: number, last: number): void {
    const [oldFirst, oldLast] = [this.first, this.last];
    const overlaps = first < oldLast && oldFirst < last;
    const spare = overlaps ? this.#trim(first - oldFirst, oldLast - last) : [];
    if (overlaps) for (let index = oldFirst - 1; index >= first; index -= 1) this.#prepend(spare.pop());
    while (this.#shown.length > last - first) this.#remove(this.#shown.pop());
    while (this.#shown.length < last - first) this.#append(spare.pop());
    for (const shown of spare) this.#remove(shown);
  }

  /** Take elements away at the front and at the end; they stay where they are until they are used or removed. */
  #trim(front: number, end: number): RowElement[] {
    const spare = front > 0 ? this.#shown.splice(0, front) : [];
    if (end > 0) spare.push(...this.#shown.splice(-end));
    return spare;
  }

  #prepend(spare: RowElement | undefined): void {
    const shown = spare ?? new RowElement();
    this.element.insertBefore(shown.element, this.#shown[0]?.element ?? null);
    this.#shown.unshift(shown);
  }

  #append(spare: RowElement | undefined): void {
    const shown = spare ?? new RowElement();
    const last = this.#shown.at(-1)?.element;
    if (last === undefined) this.element.prepend(shown.element);
    else last.after(shown.element);
    this.#shown.push(shown);
  }

  #remove(shown: RowElement | undefined): void {
    shown?.element.remove();
  }

  #update(place: number, first: number): void {
    const shown = this.#shown[place];
    const index = first + place;
    if (shown === undefined) return;
    const row = this.#looks.row(index);
    const isSame = shown.index === index && shown.version === this.#looks.version;
    const isSameSlice = shown.slice === this.#looks.sliceOf(shown.row);
    // A source may drop what is still seen (to have room for what is copied): it stays as it is.
    if (isSame && isSameSlice && (row === shown.row || row === undefined)) return;
    this.#heights.forget(index);
    this.#show(shown, this.#looks.view(index, row));
  }

  #show(shown: RowElement, view: RowView): void {
    const isBare = this.#pieces >= BUDGET;
    const pieces = shown.show(view, { isBare });
    this.#pieces += pieces > 1 ? pieces : 0;
    if (isBare && pieces > 0) this.isUnfinished = true;
    shown.slice = this.#looks.sliceOf(view.row);
    shown.version = view.isWaiting || isBare ? -1 : this.#looks.version;
  }
}
