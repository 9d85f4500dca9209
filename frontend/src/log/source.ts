/** What a log view shows: rows by index, of which only a few are here at a time.
 *
 * Rows are numbered from 0 to `count` - 1; row n is line n + 1. While not all lines have been counted, `count` is an
 * estimate, rows near the end are placed from the end backwards, and their `number` is null. When the truth is known,
 * or a better estimate, a `moved` event tells by how much the index of the rows at the end has changed.
 */

import type { Unsubscribe } from "../core/listeners";
import type { Row } from "../core/row";
import type { Gap } from "../core/shapes";

export type SourceEvent =
  /** rows [first, last) have come, or are others now; or the count has grown */
  | { kind: "changed"; first: number; last: number }
  /** the rows at the end have other indexes now, by so much; all others are gone, and come again when asked for */
  | { kind: "moved"; by: number }
  /** so many bytes from there on were not waited for, in order to stay at the end; they come when they are wanted */
  | { kind: "skipped"; from: number; bytes: number }
  /** a part is missing, and output goes on behind it */
  | { kind: "missing"; gap: Gap }
  /** rows cannot be had; `retry` is called by who wants to try again */
  | { kind: "failed"; message: string; retry: () => void };

export interface Source {
  /** rows so far, or an estimate; it grows while the run goes */
  readonly count: number;
  /** whether `count` is exact, for the bytes that there are */
  readonly isCounted: boolean;
  /** between 0 and 1: how much of the output has been counted */
  readonly counted: number;
  /** whether the run is over, and all of it is known */
  readonly isComplete: boolean;
  /** when the output began, as milliseconds since 1970; null: not known */
  readonly startedAt: number | null;

  /** Return the row, or undefined while it is not here. Cheap; asks for nothing. */
  row(index: number): Row | undefined;

  /** Rows [first, last) are to be seen: have them fetched, with some around them; what is far away may be dropped, and
   * what was asked for before and has not come is asked for no more. */
  want(first: number, last: number): void;

  /** Return at which index the line with this number is, counted from 1. Without this, it is the number, less 1; where
   * lines are being counted, that is not the truth yet. */
  indexOfLine?(number: number): Promise<number>;

  /** Return at which index the line with this byte is: by fetching it, if need be. */
  indexOfOffset(offset: number): Promise<number>;

  /** Return at which index the output was so many seconds after the start. */
  indexOfTime(seconds: number): Promise<number>;

  on(listener: (event: SourceEvent) => void): Unsubscribe;
}
