/** A line as it is shown: what a terminal would have left of it, in pieces of one look each. */

import type { StreamName } from "./shapes";

/** An index of the terminal's 256 colours, or `#rrggbb`. */
export type Colour = number | `#${string}`;

/** How a piece looks; what is left out is as usual. */
export interface Look {
  fg?: Colour;
  bg?: Colour;
  bold?: true;
  dim?: true;
  italic?: true;
  underline?: true;
  strike?: true;
  inverse?: true;
  hidden?: true;
}

export interface Span {
  text: string;
  look: Look;
  /** where it leads: http or https only */
  href?: string;
}

export interface Row {
  /** the line's number, from 1; null: not known yet */
  number: number | null;
  /** where the line begins, in bytes */
  offset: number;
  /** when its first byte came, in seconds after the start; null: not known */
  time: number | null;
  stream: StreamName;
  spans: readonly Span[];
  /** what is shown, without looks; columns of marks count its UTF-16 units */
  text: string;
  /** the line as it came, escape codes and all, without its LF */
  raw: string;
  /** the line is longer than what is here */
  continued: boolean;
  /** the line has no LF so far */
  partial: boolean;
  /** this is no line but a part of the output that is missing */
  gap?: { from: number; to: number; why: string };
}
