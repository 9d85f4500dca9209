/** The rows at the end of an output: a `Tail`, and the index at which its lines stand. */

import { PLAIN } from "../core/looks";
import type { Look, Row } from "../core/row";
import { lookAfter, toRow } from "../core/rows";
import type { Line, LinePage, Piece } from "../core/shapes";
import { Tail } from "./tail";

export class End {
  /** the index of the tail's line 0 */
  base = 0;
  /** whether each index is the line's number, less 1 */
  isExact = false;
  tail: Tail;
  /** rows that were made, of lines that do not change any more */
  readonly #rows = new Map<number, Row>();
  /** what these lines leave behind */
  readonly #looks = new Map<number, Look>();
  #bytesInLine = USUAL_LINE;

  /** Begin with these lines, which are the last ones, and end at this offset. */
  constructor(lines: readonly Line[], begin: number, end: number) {
    this.tail = new Tail(begin);
    fill(this.tail, lines, end);
    this.#bytesInLine = this.tail.bytesInLine ?? USUAL_LINE;
  }

  /** The index behind the last row. */
  get count(): number {
    return this.base + this.tail.count;
  }

  /** The index of the first row that is here. */
  get first(): number {
    return this.base + this.tail.first;
  }

  /** Where the first row begins in the output. */
  get begin(): number {
    return this.tail.begin;
  }

  /** Return the row; undefined: it is not here. Rows that have gone from here are there as long as they are looked at. */
  row(index: number): Row | undefined {
    const seq = index - this.base;
    const known = this.#rows.get(seq);
    if (known !== undefined) return known;
    const line = this.tail.line(seq);
    if (line === undefined) return undefined;
    const look = this.#lookAfter(seq - 1);
    const row = toRow(this.isExact ? { ...line, number: index + 1 } : line, look);
    if (row.partial) return row;
    this.#rows.set(seq, row);
    this.#looks.set(seq, lookAfter(line.text, look));
    return row;
  }

  /** Take the next piece; return the index of the first row that has changed. Rows in [first, last) are looked at. */
  add(piece: Piece, end: number, looked: readonly [number, number]): number {
    const changed = Math.max(0, this.tail.count - 1);
    this.tail.add(piece, end);
    this.#rows.delete(changed);
    this.#forget(looked);
    return this.base + changed;
  }

  /** Go on at this offset, so many rows further by estimate. */
  skip(to: number, looked: readonly [number, number]): void {
    this.tail = new Tail(to, this.tail.count + this.linesIn(to - this.tail.end), false);
    this.isExact = false;
    this.#forget(looked);
  }

  /** The line 0 of the tail stands there, and that is certain. */
  settle(base: number): number {
    const by = base - this.base;
    this.base = base;
    this.isExact = true;
    this.#rows.clear();
    return by;
  }

  /** Return how many lines so many bytes are, by estimate. */
  linesIn(bytes: number): number {
    return Math.max(0, Math.round(bytes / this.#bytesInLine));
  }

  /** Colours go on from line to line: of those before this one, so many are looked at as could matter. */
  #lookAfter(seq: number): Look {
    let from = seq;
    while (from > this.tail.first && from > seq - LOOKED_BACK && !this.#looks.has(from)) from -= 1;
    let look = this.#looks.get(from) ?? lookAfter(this.tail.line(from)?.text ?? "", PLAIN);
    for (let each = from + 1; each <= seq; each += 1) look = lookAfter(this.tail.line(each)?.text ?? "", look);
    return look;
  }

  #forget([first, last]: readonly [number, number]): void {
    if (this.#looks.size > MOST_LOOKS) this.#looks.clear();
    if (this.#rows.size <= this.tail.count - this.tail.first + (last - first)) return;
    for (const seq of this.#rows.keys()) {
      const index = this.base + seq;
      if (seq < this.tail.first && (index < first || index >= last)) this.#rows.delete(seq);
    }
  }
}

/** Bytes in a line, before any is known. */
const USUAL_LINE = 80;
/** Lines that a colour is looked for in, before one that is shown. */
const LOOKED_BACK = 40;
/** When there are more, they are found again. */
const MOST_LOOKS = 5000;

/** Fill a tail with the lines of a page. A line that has not ended is left to the feed, if that can give all of it: it
 * may stop within a character. */
function fill(tail: Tail, lines: readonly Line[], end: number): void {
  for (const [at, line] of lines.entries()) {
    const next = lines[at + 1];
    if (line.partial === true && line.continued !== true) return;
    const isPiece = line.partial === true || (next !== undefined && line.rest === next.offset); // of one long line
    const text = isPiece ? line.text : `${line.text}\n`;
    tail.add({ ...line, text }, next?.offset ?? end, line.continued === true && !isPiece);
  }
}

/** Return where the tail's line 0 stands, by a page that begins with its anchor; without one, that ends where it does. */
export function baseOf(page: LinePage, tail: Tail, anchor: { seq: number } | null): number {
  if (anchor !== null) return page.start - 1 - anchor.seq;
  const last = page.lines.at(-1);
  if (page.end === tail.end && last?.partial !== true) tail.beginsLine();
  return (last?.number ?? page.start) - tail.count;
}
