/** Times beside lines: of the clock, since the start, since the line before. */

export type Times = "none" | "clock" | "start" | "previous";

/** Return `14:03:07.120`, in the reader's own zone. */
export function ofDay(at: number): string {
  const date = new Date(at);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}

/** Return the whole instant, for who wants to know: `2026-11-27 14:03:07.120`. */
export function instant(at: number): string {
  const date = new Date(at);
  const parts = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0"));
  return `${parts.join("-")} ${ofDay(at)}`;
}

/** Return the same to the minute, for what nobody needs to know exactly: `2026-11-27 14:03`. */
export function minute(at: number): string {
  return instant(at).slice(0, "2026-11-27 14:03".length);
}

/** Return seconds since the start: `0:00.020`, `1:02:03.400`. */
export function sinceStart(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000);
  const [hours, minutes] = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60];
  const rest = ((milliseconds % 60_000) / 1000).toFixed(3).padStart(6, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

/** Return seconds since the line before: `+0.020`, `+75.3`; nothing where there was no time between. */
export function sincePrevious(seconds: number): string {
  if (seconds < 0.0005) return "";
  return `+${seconds < 60 ? seconds.toFixed(3) : seconds.toFixed(1)}`;
}
