/** What rows show besides their text: numbers, times, marks, the range that is linked to, and where the caret is. */

import type { Times } from "../core/clock";
import type { Row } from "../core/row";
import type { Source } from "./source";
import type { Marks } from "./view-marks";
import type { Slice } from "./view-pieces";
import type { RowView } from "./view-row";
import type { Looks } from "./view-rows";
import { timeOf } from "./view-times";

/** Lines longer than this are shown in slices where they are not wrapped: what is far beyond the edge is left out. */
const LONG = 2048;

/** A slice goes from one of these before the left edge to two behind it; in between nothing changes. */
const STEP = 512;

/** Lines, both included, counted from 1. */
export interface LineRange {
  from: number;
  to: number;
}

export interface DecorOptions {
  times: Times;
  /** the address that a line's number leads to */
  permalink: (line: number) => string;
  /** the address where a line goes on that is longer than what is shown; null: there is none */
  rest: (row: Row) => string | null;
}

export class Decor implements Looks {
  readonly #source: Source;
  readonly #marks: Marks;
  #options: DecorOptions;
  #range: LineRange | null = null;
  version = 0;
  /** the column at the left edge; null: lines are wrapped, and shown whole */
  column: number | null = null;

  constructor(source: Source, marks: Marks, options: DecorOptions) {
    this.#source = source;
    this.#marks = marks;
    this.#options = options;
  }

  set options(options: DecorOptions) {
    this.#options = options;
    this.change();
  }

  get range(): LineRange | null {
    return this.#range;
  }

  set range(range: LineRange | null) {
    this.#range = range;
    this.change();
  }

  /** Rows are to be shown anew. */
  change(): void {
    this.version += 1;
  }

  row(index: number): Row | undefined {
    return this.#source.row(index);
  }

  /** Return the line's number, from 1; null: nobody knows it yet. */
  numberOf(index: number, row: Row | undefined): number | null {
    if (row !== undefined) return row.number;
    return this.#source.isCounted ? index + 1 : null;
  }

  sliceOf(row: Row | undefined): number {
    if (this.column === null || row === undefined || row.text.length <= LONG) return 0;
    return Math.floor(Math.min(this.column, row.text.length) / STEP);
  }

  view(index: number, row: Row | undefined): RowView {
    const { times, permalink, rest } = this.#options;
    const before = times === "previous" && index > 0 ? this.#source.row(index - 1) : undefined;
    const number = this.numberOf(index, row);
    return {
      index,
      row,
      number,
      time: row === undefined ? "" : timeOf(times, row, before, this.#source.startedAt),
      marks: row === undefined ? [] : this.#marks.of(row),
      slice: this.#slice(row),
      isInRange: number !== null && this.#range !== null && number >= this.#range.from && number <= this.#range.to,
      hasCaret: row?.partial === true && index === this.#source.count - 1 && !this.#source.isComplete,
      isWaiting: times === "previous" && index > 0 && row !== undefined && before === undefined,
      rest: row?.continued ? rest(row) : null,
      permalink,
    };
  }

  #slice(row: Row | undefined): Slice | null {
    if (this.column === null || row === undefined || row.text.length <= LONG) return null;
    const step = this.sliceOf(row);
    return { from: whole(row.text, (step - 1) * STEP), to: whole(row.text, (step + 2) * STEP) };
  }
}

/** Return a column that is within a text and not within a character. */
function whole(text: string, column: number): number {
  const code = text.charCodeAt(column);
  return Math.min(text.length, Math.max(0, code >= 0xdc00 && code < 0xe000 ? column + 1 : column));
}
