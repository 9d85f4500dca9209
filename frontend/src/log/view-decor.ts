/** What rows show besides their text: numbers, times, marks, the range that is linked to, and where the caret is. */

import type { Times } from "../core/clock";
import type { Row } from "../core/row";
import type { Source } from "./source";
import type { Marks } from "./view-marks";
import type { RowView } from "./view-row";
import type { Looks } from "./view-rows";
import { timeOf } from "./view-times";

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
      isInRange: number !== null && this.#range !== null && number >= this.#range.from && number <= this.#range.to,
      hasCaret: row?.partial === true && index === this.#source.count - 1 && !this.#source.isComplete,
      isWaiting: times === "previous" && index > 0 && row !== undefined && before === undefined,
      rest: row?.continued ? rest(row) : null,
      permalink,
    };
  }
}
