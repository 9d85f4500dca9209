/** Lines made into rows: what a terminal would have left of the line, harmless, with its looks and links.
 *
 * Most lines hold nothing special, and cost one test. Those that do are written to a `ScreenLine`. A line's text is at
 * most 64 KiB (the server sees to that), so each costs a bounded time.
 */

import { linksIn } from "./links";
import { after, isSame, PLAIN } from "./looks";
import type { Look, Row, Span } from "./row";
import { ACTING, MANY_COMBINING } from "./safe";
import { type Cell, ScreenLine } from "./screenline";
import type { Hit, Line } from "./shapes";

/** No other sequence can have one in it: it would have an ESC in it. */
const SGR = /\x1b\[(?![<-?])([0-?]*)m/g;

/** Return what is shown of a line. `look` is what the line before it left behind, if that is known. */
export function toRow(line: Line, look: Look = PLAIN): Row {
  return {
    number: line.number > 0 ? line.number : null,
    offset: line.offset,
    time: line.time,
    stream: line.stream,
    ...shownOf(line.text, look),
    raw: line.text,
    continued: line.continued ?? false,
    partial: line.partial ?? false,
  };
}

/** Return the look that a line's text leaves behind. */
export function lookAfter(text: string, look: Look): Look {
  let last = look;
  for (const [, parameters = ""] of text.matchAll(SGR)) last = after(last, parameters);
  return last;
}

/** Return the row that stands for a part of the output that is missing. */
export function gapRow(gap: { from: number; to: number; why: string }): Row {
  const nothing = { spans: [], text: "", raw: "", continued: false, partial: false } as const;
  return { number: null, offset: gap.from, time: null, stream: "mixed", ...nothing, gap };
}

/** Return the parts of a row's shown text that a hit's matches have become, as [begin, end) in UTF-16 units. */
export function columnsIn(row: Row, hit: Hit): [number, number][] {
  const before = hit.skipped ? unitsOf(row.raw, hit.skipped) : 0;
  if (before === null) return [];
  const units = unitsAt(hit.text, hit.columns.flat());
  const wanted = hit.columns.map(([begin, end]): [number, number] => [
    before + (units.get(begin) ?? 0),
    before + (units.get(end) ?? 0),
  ]);
  if (isSimple(row.raw)) return wanted.filter(([begin]) => begin < row.text.length);
  return placesIn(cellsOf(row.raw, PLAIN), wanted);
}

function shownOf(text: string, look: Look): { spans: Span[]; text: string } {
  if (isSimple(text)) return { spans: linked([{ text, look }], text), text };
  const cells = cellsOf(text, look);
  const shown = cells.map((cell) => cell.text).join("");
  return { spans: linked(joined(cells), shown), text: shown };
}

/** Whether the text is shown as it is; a tab is. */
function isSimple(text: string): boolean {
  return !ACTING.test(text.includes("\t") ? text.replaceAll("\t", " ") : text) && !MANY_COMBINING.test(text);
}

function cellsOf(text: string, look: Look): Cell[] {
  const line = new ScreenLine(look);
  line.write(text);
  return line.cells;
}

/** Join neighbours of one look and one link. */
function joined(cells: readonly Cell[]): Span[] {
  const spans: Span[] = [];
  for (const cell of cells) {
    const last = spans.at(-1);
    if (last && last.href === cell.href && isSame(last.look, cell.look)) last.text += cell.text;
    else
      spans.push(
        cell.href ? { text: cell.text, look: cell.look, href: cell.href } : { text: cell.text, look: cell.look },
      );
  }
  return spans;
}

/** Cut the spans where an address begins or ends, and let it lead there; a link that the command made stays. */
function linked(spans: Span[], text: string): Span[] {
  const links = linksIn(text);
  if (links.length === 0) return text === "" ? [] : spans;
  const cut: Span[] = [];
  let at = 0;
  let next = 0;
  for (const span of spans) {
    const end = at + span.text.length;
    while (at < end) {
      while ((links[next]?.end ?? Number.POSITIVE_INFINITY) <= at) next += 1;
      const link = links[next];
      const isInside = link !== undefined && link.begin <= at;
      const until = Math.min(end, link ? (isInside ? link.end : link.begin) : end);
      const part = span.text.slice(span.text.length - (end - at), span.text.length - (end - until));
      cut.push(isInside && !span.href ? { ...span, text: part, href: link.href } : { ...span, text: part });
      at = until;
    }
  }
  return cut;
}

/** Return where the cells are shown that came from these ranges of the text, which follow one another. */
function placesIn(cells: readonly Cell[], ranges: readonly [number, number][]): [number, number][] {
  const places = ranges.map((): [number, number][] => []);
  let at = 0;
  for (const cell of cells) {
    const next = at + cell.text.length;
    const found = places[rangeWith(ranges, cell.source)];
    const last = found?.at(-1);
    if (last && last[1] === at) last[1] = next;
    else found?.push([at, next]);
    at = next;
  }
  return places.flat();
}

/** Return the index of the range with this place; -1: there is none. */
function rangeWith(ranges: readonly [number, number][], place: number): number {
  let [from, to] = [0, ranges.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((ranges[middle]?.[1] ?? 0) > place) to = middle;
    else from = middle + 1;
  }
  return (ranges[from]?.[0] ?? Number.POSITIVE_INFINITY) <= place ? from : -1;
}

/** Return, for each count of characters, how many UTF-16 units they take. */
function unitsAt(text: string, counts: readonly number[]): Map<number, number> {
  const wanted = new Set(counts);
  const units = new Map<number, number>();
  let characters = 0;
  let at = 0;
  for (const character of text) {
    if (wanted.has(characters)) units.set(characters, at);
    characters += 1;
    at += character.length;
  }
  for (const count of wanted) if (!units.has(count)) units.set(count, at);
  return units;
}

/** Return how many UTF-16 units the first so many bytes of a text take; null: it has not so many. A U+FFFD is taken for
 * the one byte that it mostly stands for. */
function unitsOf(text: string, bytes: number): number | null {
  let left = bytes;
  let at = 0;
  while (left > 0 && at < text.length) {
    const code = text.codePointAt(at) ?? 0;
    left -= code < 0x80 || code === 0xfffd ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    at += code > 0xffff ? 2 : 1;
  }
  return left > 0 ? null : at;
}
