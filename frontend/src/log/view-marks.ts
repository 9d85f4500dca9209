/** Where hits of a search are: in the rows, and in the whole output. */

import type { Row } from "../core/row";
import type { Hit } from "../core/shapes";

/** A stretch of a row's text, in UTF-16 units. */
export interface Mark {
  from: number;
  to: number;
  isCurrent: boolean;
}

/** Return a hit's stretches in a row's text, in UTF-16 units; empty where what was found is not shown. */
export type ColumnsIn = (row: Row, hit: Hit) => readonly (readonly [number, number])[];

/** Marks in one row; those beyond are not painted (the strip has the row all the same). */
const MOST_IN_ROW = 500;

export class Marks {
  readonly #columnsIn: ColumnsIn;
  readonly #byOffset = new Map<number, Hit>();
  #current: number | null = null;

  constructor(columnsIn: ColumnsIn) {
    this.#columnsIn = columnsIn;
  }

  /** Take hits, and the offset of the line that one is at. Who searches bounds how many there are. */
  set(hits: readonly Hit[], current: number | null): void {
    this.#byOffset.clear();
    for (const hit of hits) this.#byOffset.set(hit.offset, hit);
    this.#current = current;
  }

  get hits(): Iterable<Hit> {
    return this.#byOffset.values();
  }

  get size(): number {
    return this.#byOffset.size;
  }

  /** The offset of the line of the hit that one is at. */
  get current(): number | null {
    return this.#current;
  }

  isCurrent(hit: Hit): boolean {
    return hit.offset === this.#current;
  }

  /** Return where the current mark begins, if its row is among these; null: it is not. */
  currentColumn(rows: Iterable<{ row: Row | undefined }>): number | null {
    for (const { row } of rows) {
      if (row !== undefined && row.offset === this.#current) return this.of(row)[0]?.from ?? null;
    }
    return null;
  }

  /** Return a row's marks in order, none over another. */
  of(row: Row): readonly Mark[] {
    const hit = this.#byOffset.get(row.offset);
    if (hit === undefined || row.gap !== undefined) return NONE;
    const isCurrent = this.isCurrent(hit);
    const marks: Mark[] = [];
    let behind = 0;
    for (const [from, to] of this.#columnsIn(row, hit)) {
      if (from < behind || to <= from || marks.length >= MOST_IN_ROW) continue;
      marks.push({ from, to, isCurrent });
      behind = to;
    }
    return marks;
  }
}

const NONE: readonly Mark[] = [];
