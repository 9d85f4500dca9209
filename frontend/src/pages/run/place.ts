/** A place in an output as it stands in an address, and as somebody types it. */

export type Place = { line: number; to?: number } | { time: number };

/** Return the place in an address behind `#`: `#L120`, `#L120-L140`, `#t=12.5`; null: there is none. */
export function placeIn(hash: string): Place | null {
  const lines = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash);
  if (lines) return linesOf(Number(lines[1]), lines[2] === undefined ? undefined : Number(lines[2]));
  const time = /^#t=(\d{1,9}(?:\.\d+)?)$/.exec(hash);
  return time ? { time: Number(time[1]) } : null;
}

/** Return the place as it stands in an address, with its `#`. */
export function hashOf(place: Place): string {
  if ("time" in place) return `#t=${Math.round(place.time * 1000) / 1000}`;
  return place.to === undefined || place.to === place.line ? `#L${place.line}` : `#L${place.line}-L${place.to}`;
}

/** Return what somebody means who types `120`, `120-140`, `10:42:07`, `+90`, `+1:30` or `12.5s`; null: nothing that is
 * understood.
 *
 * @param startedAt when the output began, in milliseconds since 1970: times of a clock are those after it.
 */
export function placeTyped(text: string, startedAt: number | null): Place | null {
  const typed = text.trim().replaceAll(",", "");
  const lines = /^L?(\d{1,15})(?:\s*[-–]\s*L?(\d{1,15}))?$/i.exec(typed);
  if (lines) return linesOf(Number(lines[1]), lines[2] === undefined ? undefined : Number(lines[2]));
  const seconds = /^\+?(\d+(?:\.\d+)?)\s*s$/.exec(typed) ?? /^\+(\d+(?:\.\d+)?)$/.exec(typed);
  if (seconds) return { time: Number(seconds[1]) };
  const isRelative = typed.startsWith("+");
  const parts = /^\+?(\d{1,3}):(\d{2})(?::(\d{2}(?:\.\d+)?))?$/.exec(typed);
  if (!parts) return null;
  const numbers = parts
    .slice(1)
    .filter((part) => part !== undefined)
    .map(Number);
  if (isRelative) return { time: numbers.reduce((sum, part) => sum * 60 + part, 0) };
  const [hours = 0, minutes = 0, rest = 0] = numbers;
  return startedAt === null || hours > 23 ? null : { time: sinceStart(startedAt, hours, minutes, rest) };
}

function linesOf(line: number, to: number | undefined): Place | null {
  if (line < 1) return null;
  if (to === undefined || to === line) return { line };
  return { line: Math.min(line, to), to: Math.max(line, to) };
}

/** Return how long after the start a clock shows this for the first time; a second before it is taken for the start. */
function sinceStart(startedAt: number, hours: number, minutes: number, seconds: number): number {
  const at = new Date(startedAt);
  at.setHours(hours, minutes, 0, 0);
  const since = (at.getTime() - startedAt) / 1000 + seconds;
  if (since >= 0) return since;
  if (since > -1) return 0;
  at.setDate(at.getDate() + 1);
  return (at.getTime() - startedAt) / 1000 + seconds;
}
