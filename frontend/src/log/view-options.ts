/** What a log view can be asked to be, and what it tells. */

import type { Hit } from "../core/shapes";
import type { Source } from "./source";
import type { ClipboardOptions } from "./view-clipboard";
import type { DecorOptions, LineRange } from "./view-decor";

export interface LogOptions extends DecorOptions, ClipboardOptions {
  /** what it is, for who cannot see it */
  label: string;
  /** whether lines that are too long go on below, or beyond the edge */
  wrap: boolean;
  numbers: boolean;
  /** whether the last line stays in sight */
  follow: boolean;
}

export type Target = { line: number; to?: number } | { offset: number } | { time: number };

export type LogEvent =
  | { kind: "following"; isFollowing: boolean }
  /** lines were chosen to be linked to */
  | { kind: "range"; range: LineRange | null }
  /** other rows are in sight: from the first to the last */
  | { kind: "position"; first: number; last: number }
  /** so many lines came since the end was left */
  | { kind: "newlines"; count: number }
  /** a mark was chosen on the strip */
  | { kind: "mark"; hit: Hit }
  /** a mark of hits that are not here, at this part of the whole, between 0 and 1 */
  | { kind: "place"; at: number };

export const USUAL: LogOptions = {
  label: "Output",
  wrap: false,
  numbers: true,
  follow: true,
  times: "none",
  permalink: (line) => `#L${line}`,
  rest: () => null,
  download: () => null,
};

/** Return at which index a target is. A line that is still to come will be where its number says. */
export async function indexOf(source: Source, target: Target): Promise<number> {
  if ("offset" in target) return source.indexOfOffset(target.offset);
  if ("time" in target) return source.indexOfTime(target.time);
  const isKnown = source.isCounted && source.count > 0;
  return (isKnown ? undefined : await source.indexOfLine?.(target.line)) ?? target.line - 1;
}
