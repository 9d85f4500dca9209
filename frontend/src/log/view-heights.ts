/** How high rows are. Without wrapping all are one line high; with it each as it was measured, or as its length lets
 * expect. */

import type { Row } from "../core/row";
import type { Heights } from "./view-place";

/** Heights that are remembered; when there are more, all are forgotten and estimated until they are seen again. */
const MOST = 4096;

export class RowHeights implements Heights {
  /** of one line, in pixels */
  line = 20;
  /** characters in a line; null: lines are not wrapped */
  columns: number | null = null;

  readonly #row: (index: number) => Row | undefined;
  readonly #measured = new Map<number, number>();
  #sum = 0;
  #count = 0;
  #average = 0;

  constructor(row: (index: number) => Row | undefined) {
    this.#row = row;
  }

  of(index: number): number {
    if (this.columns === null) return this.line;
    return this.#measured.get(index) ?? this.#estimate(index, this.columns);
  }

  /** Take a measured height; return whether it is another than `of` said. */
  measure(index: number, height: number): boolean {
    const differs = Math.abs(this.of(index) - height) > 0.25;
    if (this.#measured.size >= MOST) this.#measured.clear();
    if (!this.#measured.has(index)) {
      this.#sum += height;
      this.#count += 1;
    }
    this.#measured.set(index, Math.max(1, height));
    return differs;
  }

  /** A row is another now. */
  forget(index: number): void {
    this.#measured.delete(index);
  }

  /** Rows have other heights, or other indexes. */
  forgetAll(): void {
    this.#measured.clear();
    this.#sum = 0;
    this.#count = 0;
    this.#average = 0;
  }

  /** What a row is high on average. It stays until `learn`, so that the scroll bar does not twitch. */
  get average(): number {
    if (this.columns === null) return this.line;
    if (this.#average === 0) this.learn();
    return this.#average || this.line;
  }

  learn(): void {
    this.#average = this.#count > 0 ? this.#sum / this.#count : 0;
  }

  #estimate(index: number, columns: number): number {
    const length = this.#row(index)?.text.length ?? 0;
    return Math.max(1, Math.ceil(length / columns)) * this.line;
  }
}
