/** What becomes of rows that are held when the rows at the end of their source get other indexes. */

import type { Row } from "../core/row";
import type { Source } from "./source";
import type { Rows } from "./view-rows";

/** It is where it was; it has gone with those at the end; or it is not here any more, and nobody knows where it is. */
export type Fate = "stays" | "moves" | "lost";

export function fateOf(source: Source, row: Row, index: number, by: number): Fate {
  if (source.row(index + by)?.offset === row.offset) return "moves";
  return source.row(index)?.offset === row.offset || row.number === index + 1 ? "stays" : "lost";
}

/** Return the first of the rows held that has gone with those at the end; infinity: none has. */
export function firstMoved(source: Source, rows: Rows, by: number): number {
  let first = Number.POSITIVE_INFINITY;
  for (let index = rows.last - 1; index >= rows.first; index -= 1) {
    const row = rows.at(index)?.row;
    if (row === undefined) continue;
    if (fateOf(source, row, index, by) !== "moves") return first;
    first = index;
  }
  return first;
}
