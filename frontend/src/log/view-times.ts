/** The time beside a row: by the clock, since the start, or since the line before it. */

import { ofDay, sincePrevious, sinceStart, type Times } from "../core/clock";
import type { Row } from "../core/row";

/** Return what stands beside a row; nothing where it is not known. */
export function timeOf(times: Times, row: Row, before: Row | undefined, startedAt: number | null): string {
  if (row.time === null || times === "none") return "";
  if (times === "start") return sinceStart(row.time);
  if (times === "clock") return startedAt === null ? "" : ofDay(startedAt + row.time * 1000);
  if (row.offset === 0) return sincePrevious(row.time);
  return before === undefined || before.time === null ? "" : sincePrevious(row.time - before.time);
}
