/** The last pieces of one run, kept for whoever joins those who follow it already: they need not begin anew.
 *
 * Who joins asks for an offset. Pieces of another connection are cut elsewhere, so the offset may lie within a piece; it
 * is cut there, if that can be done exactly: not where its text has U+FFFD for bytes that are no UTF-8.
 */

import { byteLength, indexOfByte } from "../core/bytes";
import type { Piece } from "../core/shapes";

export interface Output {
  kind: "output";
  piece: Piece;
  end: number;
}

/** When there is more, the oldest pieces go; who joins from before them is brought up by a connection of his own. */
export const KEPT_BYTES = 1 << 20;

export class Window {
  #kept: Output[] = [];
  #first = 0;

  add(output: Output): void {
    this.#kept.push(output);
    const least = output.end - KEPT_BYTES;
    while ((this.#kept[this.#first]?.end ?? Number.POSITIVE_INFINITY) <= least) this.#first += 1;
    if (this.#first > 1000 || this.#first * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#first);
      this.#first = 0;
    }
  }

  clear(): void {
    this.#kept = [];
    this.#first = 0;
  }

  /** Return the pieces from this offset on; null: they are not here, or cannot be cut there. */
  since(offset: number): Output[] | null {
    const from = this.#kept.findIndex((each, at) => at >= this.#first && each.end > offset);
    const first = this.#kept[from];
    if (first === undefined) return this.#kept[this.#kept.length - 1]?.end === offset ? [] : null;
    const begins = behind(first, offset);
    return begins === null ? null : [begins, ...this.#kept.slice(from + 1)];
  }
}

/** Return what of a piece lies behind an offset; null: that cannot be told. */
export function behind(output: Output, offset: number): Output | null {
  const { piece, end } = output;
  if (offset === piece.offset) return output;
  if (offset < piece.offset || byteLength(piece.text) !== end - piece.offset) return null;
  const at = indexOfByte(piece.text, offset - piece.offset);
  return at === null ? null : { kind: "output", piece: { ...piece, offset, text: piece.text.slice(at) }, end };
}
