/** A row's text cut into pieces that are painted alike: where its looks change, and where marks begin and end. */

import type { Look, Row } from "../core/row";
import type { Mark } from "./view-marks";

export interface Piece {
  text: string;
  look: Look;
  href: string | null;
  mark: "none" | "hit" | "current";
}

/** Pieces in a row. A row with more (a picture, one colour a character) has its rest in one piece without looks: all of
 * the text is there, and no row can make the browser stand still. */
export const MOST_PIECES = 1000;

export function piecesOf(row: Row, marks: readonly Mark[]): Piece[] {
  const pieces: Piece[] = [];
  let column = 0;
  let next = 0;
  for (const span of row.spans) {
    let from = 0;
    while (from < span.text.length) {
      if (pieces.length >= MOST_PIECES) return withRest(pieces, row, column);
      while (marks[next] !== undefined && (marks[next]?.to ?? 0) <= column) next += 1;
      const mark = marks[next];
      const isInside = mark !== undefined && mark.from <= column;
      const edge = mark === undefined ? Number.POSITIVE_INFINITY : isInside ? mark.to : mark.from;
      const length = Math.min(span.text.length - from, edge - column);
      pieces.push({
        text: span.text.slice(from, from + length),
        look: span.look,
        href: span.href ?? null,
        mark: isInside ? (mark.isCurrent ? "current" : "hit") : "none",
      });
      from += length;
      column += length;
    }
  }
  return pieces;
}

function withRest(pieces: Piece[], row: Row, column: number): Piece[] {
  return [...pieces, { text: row.text.slice(column), look: {}, href: null, mark: "none" }];
}

/** Whether it is one piece without any look, as most rows are. */
export function isPlain(pieces: readonly Piece[]): boolean {
  const [only] = pieces;
  if (pieces.length > 1) return false;
  return only === undefined || (only.href === null && only.mark === "none" && Object.keys(only.look).length === 0);
}
