/** What is seen of the rows, and where: the place at the top edge, the elements around it, and the scroller in step.
 *
 * Everything is done in `render`, once a frame at most. First the scroller says how it was moved; from that comes the
 * place; around the place rows are shown, and measured if their heights can differ; then they are laid where the place
 * says, and the scroller is put where it belongs if that is not where it is. At both ends of the output the way ends
 * exactly with the rows. Between them it may drift from what it should be; when the scroller rests that is put right,
 * rows and scroller together, so that nothing is seen to move.
 */

import type { RowHeights } from "./view-heights";
import { around, bounded, endOf, isBehind, type Place, sum } from "./view-place";
import type { Rows } from "./view-rows";
import type { Scroller } from "./view-scroller";
import { type Track, trackOf } from "./view-track";

/** Rows held before and after what is seen, in viewports; fewer while the end is followed, where each frame may make all
 * of them anew. */
const MARGIN = 0.75;
const MARGIN_AT_END = 0.25;

/** Rounds of showing and measuring; after these, rows are a little off until the next frame. */
const ROUNDS = 4;

/** Where one is taken to: so much of the viewport above the row. */
const ABOVE = 0.3;

export class Pane {
  readonly #rows: Rows;
  readonly #scroller: Scroller;
  readonly #heights: RowHeights;
  readonly #count: () => number;
  /** where one wants to be, which may lie in rows that have not come; `top` is where one is */
  #wanted: Place = { index: 0, offset: 0 };
  #downwards = false;
  #isToSettle = false;
  top: Place = { index: 0, offset: 0 };
  /** the last row is at the bottom edge, and is to stay there */
  isAtEnd = false;

  constructor(rows: Rows, scroller: Scroller, heights: RowHeights, count: () => number) {
    this.#rows = rows;
    this.#scroller = scroller;
    this.#heights = heights;
    this.#count = count;
  }

  /** Leave the end, unless all rows are in sight: then there is nowhere else to be. */
  letGo(): void {
    if (this.top.index > 0 || this.top.offset > 0) this.isAtEnd = false;
  }

  /** Move by pixels, at the next frame. */
  moveBy(pixels: number): void {
    if (pixels < 0) this.letGo();
    this.#wanted = { index: this.top.index, offset: this.top.offset + pixels };
    this.#downwards = pixels > 0;
    this.#isToSettle = true;
  }

  /** Somebody wants to see what is behind: whoever is at the end stays there. */
  lean(): void {
    this.#downwards = true;
  }

  /** Go where a row is well in sight. */
  moveTo(index: number, above = ABOVE): void {
    this.isAtEnd = false;
    this.#wanted = { index, offset: -Math.round(this.#scroller.viewport * above) };
    this.#isToSettle = true;
  }

  moveToPlace(place: Place): void {
    this.isAtEnd = false;
    this.#wanted = place;
    this.#isToSettle = true;
  }

  moveToEnd(): void {
    this.isAtEnd = true;
    this.#isToSettle = true;
  }

  /** The rows at the place have other indexes now. */
  shift(by: number): void {
    this.#wanted = { ...this.#wanted, index: Math.max(0, this.#wanted.index + by) };
    this.top = { ...this.top, index: Math.max(0, this.top.index + by) };
    this.#isToSettle = true;
  }

  /** Put the scroller where it belongs, at the next frame. */
  settle(): void {
    this.#isToSettle = true;
  }

  /** Keep the row at the top edge where it is, though all rows are about to have other heights. */
  hold(): void {
    const height = this.#heights.of(this.top.index);
    if (this.#wanted.offset >= 0) this.#wanted = { ...this.top, offset: Math.min(this.top.offset, height - 1) };
  }

  /** Return whether a row is in sight. */
  has(index: number): boolean {
    return index >= this.top.index && index <= this.bottom;
  }

  /** The last row in sight. */
  get bottom(): number {
    let index = this.top.index;
    let left = this.#scroller.viewport + this.top.offset;
    for (; index < this.#count(); index += 1) {
      left -= this.#heights.of(index);
      if (left <= 0) return index;
    }
    return Math.max(0, index - 1);
  }

  render(): void {
    this.#take();
    this.#rows.begin();
    for (let round = 0; round < ROUNDS; round += 1) {
      this.#find();
      this.#rows.show(this.#around(), this.top.index);
      if (this.#heights.columns === null || !this.#rows.measure()) break;
    }
    this.#find();
    this.#lay();
    this.#isToSettle = false;
    this.#downwards = false;
  }

  #take(): void {
    const motion = this.#scroller.read();
    if (motion.kind === "by") this.#moved(motion.pixels);
    if (motion.kind === "to") this.#put(motion.scroll);
  }

  #moved(pixels: number): void {
    if (pixels < 0) this.isAtEnd = false;
    this.#downwards = pixels > 0;
    this.#wanted = { index: this.top.index, offset: this.top.offset + pixels };
  }

  #put(scroll: number): void {
    const track = this.#track();
    this.isAtEnd = scroll >= track.height - this.#scroller.viewport - 1;
    const rows = track.toPixels(scroll) / this.#heights.average;
    const index = Math.min(Math.floor(rows), Math.max(0, this.#count() - 1));
    this.#wanted = { index, offset: Math.round((rows - index) * this.#heights.of(index)) };
  }

  #find(): void {
    const [count, viewport] = [this.#count(), this.#scroller.viewport];
    const end = endOf(count, viewport, this.#heights);
    if (this.isAtEnd) {
      this.#wanted = this.top = end;
      return;
    }
    this.top = bounded(this.#wanted, count, viewport, this.#heights);
    const near = { index: end.index, offset: end.offset - 1 };
    if (this.#downwards && !isBehind(near, this.top)) this.isAtEnd = true;
  }

  #around() {
    const { viewport } = this.#scroller;
    const margin = viewport * (this.isAtEnd ? MARGIN_AT_END : MARGIN);
    return around(this.top, this.#count(), viewport, margin, this.#heights);
  }

  #track(): Track {
    return trackOf(this.#count() * this.#heights.average, this.#scroller.viewport);
  }

  #lay(): void {
    const { first, last } = this.#rows;
    const above = sum(first, this.top.index, this.#heights) + this.top.offset;
    const content = sum(first, last, this.#heights);
    const [hasFirst, hasLast] = [first === 0, last === this.#count()];
    const [scroll, height] = this.#aim(hasFirst, hasLast, above, content);
    this.#scroller.show({ isAllHere: hasFirst && hasLast });
    const got = this.#scroller.place(scroll, height);
    this.#rows.placeAt(got - above);
  }

  /** Return where the scroller is to be, and how long its way is. */
  #aim(hasFirst: boolean, hasLast: boolean, above: number, content: number): [scroll: number, height: number] {
    const { viewport, position, isDragged } = this.#scroller;
    if (hasFirst && hasLast) return [above, Math.max(viewport, content)];
    if (this.#isToSettle && !isDragged) this.#heights.learn();
    const track = this.#track();
    const lowest = track.height - content + above;
    if (hasLast && (this.isAtEnd || !isDragged)) return [lowest, track.height];
    if (isDragged) return [position, track.height];
    if (hasFirst) return [above, track.height];
    const isOutside = position < above || position > lowest;
    if (!this.#isToSettle && !isOutside) return [position, track.height];
    const { index, offset } = this.top;
    const rows = index + offset / this.#heights.of(index);
    const place = track.toScroll(rows * this.#heights.average);
    return [Math.min(Math.max(above, place), lowest), track.height];
  }
}
