/** A row's text cut into pieces that are painted alike: where its looks change, and where marks begin and end. */

import type { Look, Row } from "../core/row";
import type { Mark } from "./view-marks";

export interface Piece {
  text: string;
  look: Look;
  href: string | null;
  mark: "none" | "hit" | "current";
}

/** A stretch of a row's text, in UTF-16 units. */
export interface Slice {
  from: number;
  to: number;
}

/** Pieces in a row. A row with more (a picture, one colour a character) has its rest in one piece without looks: all of
 * the text is there, and no row can make the browser stand still. */
export const MOST_PIECES = 1000;

/** Cut a slice of a row's text where looks change and where marks begin and end. */
export function piecesOf(row: Row, marks: readonly Mark[], { from: begin, to: end }: Slice): Piece[] {
  const pieces: Piece[] = [];
  let start = 0;
  let next = 0;
  for (const span of row.spans) {
    const stop = Math.min(start + span.text.length, end);
    for (let column = Math.max(start, begin); column < stop; ) {
      if (pieces.length >= MOST_PIECES) return [...pieces, plain(row.text.slice(column, end))];
      while ((marks[next]?.to ?? Number.POSITIVE_INFINITY) <= column) next += 1;
      const mark = marks[next];
      const isInside = mark !== undefined && mark.from <= column;
      const edge = Math.min(stop, mark === undefined ? stop : isInside ? mark.to : mark.from);
      pieces.push({
        text: span.text.slice(column - start, edge - start),
        look: span.look,
        href: span.href ?? null,
        mark: isInside ? (mark.isCurrent ? "current" : "hit") : "none",
      });
      column = edge;
    }
    start += span.text.length;
  }
  return pieces;
}

/** Return a piece without looks. */
export function plain(text: string): Piece {
  return { text, look: {}, href: null, mark: "none" };
}

/** Whether it is one piece without any look, as most rows are. */
export function isPlain(pieces: readonly Piece[]): boolean {
  const [only] = pieces;
  if (pieces.length > 1) return false;
  return only === undefined || (only.href === null && only.mark === "none" && Object.keys(only.look).length === 0);
}
