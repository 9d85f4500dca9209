/** The end of an output, as it comes: pieces of text, of which lines are made only when they are asked for.
 *
 * A piece is kept as it came; all that is done with it is to count its newlines. Lines are counted here from 0, from
 * where this tail began (their `seq`): which number that is in the output is the document's to know. A line may lie in
 * several pieces, of both streams: it ends at LF, and only there.
 */

import { byteLength } from "../core/bytes";
import type { Line, Piece } from "../core/shapes";

/** When there are more lines or characters, whole pieces go from the front; what they held is fetched when wanted. */
export const KEPT_LINES = 2000;
export const KEPT_CHARS = 512 << 10;
/** Of one line; the server's pages show no more either. */
export const LINE_CHARS = 64 << 10;
/** The line that has no end yet may have so many characters before it is reduced to what can be seen of it. */
const OPEN_CHARS = 2 * LINE_CHARS;
/** Of a line that returns to its beginning again and again, so much of its end is kept: what a terminal would still show
 * of what lies before that is lost, which can matter only where the line became shorter. */
const RETURNED_CHARS = 32 << 10;

const JOINED_CHARS = 4 << 10;

interface Chunk {
  offset: number;
  end: number;
  time: number | null;
  stream: Piece["stream"];
  text: string;
  /** the line that is going on where the chunk begins, and whether it begins there */
  first: number;
  isLineStart: boolean;
  breaks: number;
  /** more bytes than its text tells */
  isCut: boolean;
  /** where its newlines are, in UTF-16 units and in bytes; made when a line is asked for */
  ends: { at: Uint32Array; byte: Uint32Array } | null;
}

export class Tail {
  /** the offset behind the last byte */
  end: number;
  #chunks: Chunk[] = [];
  #chars = 0;
  #seq: number;
  #isLineStart: boolean;
  #openChars = 0;

  /** Begin at an offset, with this line; `isLineStart`: whether it begins there, or somewhere before. */
  constructor(offset: number, seq = 0, isLineStart = true) {
    this.end = offset;
    this.#seq = seq;
    this.#isLineStart = isLineStart;
  }

  /** Lines so far, from 0 on; the last one may lack its end. */
  get count(): number {
    return this.#isLineStart ? this.#seq : this.#seq + 1;
  }

  /** The first line that is here as a whole. */
  get first(): number {
    const chunk = this.#chunks[0];
    if (chunk === undefined) return this.#isLineStart ? this.#seq : this.#seq + 1;
    return chunk.isLineStart ? chunk.first : chunk.first + 1;
  }

  /** Where the first line begins that is here as a whole. */
  get begin(): number {
    return this.line(this.first)?.offset ?? this.end;
  }

  /** Bytes in a line, on the average; null: nobody knows. */
  get bytesInLine(): number | null {
    const first = this.#chunks[0];
    const lines = first === undefined ? 0 : this.#seq - first.first;
    return first === undefined || lines < 1 ? null : Math.max(1, (this.end - first.offset) / lines);
  }

  /** A line, and exactly where it begins; null: there is none of which that is certain. */
  get anchor(): { seq: number; offset: number } | null {
    const chunk = this.#chunks.find((each) => each.isLineStart);
    return chunk === undefined ? null : { seq: chunk.first, offset: chunk.offset };
  }

  /** It has turned out that a line begins where this tail does. */
  beginsLine(): void {
    if (this.#chunks.length === 0) this.#isLineStart = true;
  }

  /** Take the next piece; `end` is the offset behind it, `isCut` says that its text is not all of it. */
  add(piece: Piece, end: number, isCut = false): void {
    const { offset, time, stream, text } = piece;
    const breaks = newlinesIn(text);
    const [first, isLineStart] = [this.#seq, this.#isLineStart];
    const last = this.#chunks.at(-1);
    if (breaks === 0 && last !== undefined && !isCut && isJoinable(last, piece)) {
      last.text += text;
      last.end = end;
    } else this.#chunks.push({ offset, end, time, stream, text, first, isLineStart, breaks, isCut, ends: null });
    this.end = end;
    this.#chars += text.length;
    if (text !== "") this.#isLineStart = text.endsWith("\n");
    this.#seq += breaks;
    this.#openChars = breaks > 0 ? text.length - 1 - text.lastIndexOf("\n") : this.#openChars + text.length;
    if (this.#openChars > OPEN_CHARS) this.#reduce();
    this.#trim();
  }

  /** Return a line, its number left open; undefined: it is not here. */
  line(seq: number): Line | undefined {
    const place = this.#placeOf(seq);
    if (place === null) return undefined;
    const { chunk } = place;
    const { text, isPartial, isContinued } = this.#textOf(seq, place);
    const line: Line = { number: 0, offset: byteAt(chunk, seq), time: chunk.time, stream: chunk.stream, text };
    if (isPartial) line.partial = true;
    if (isContinued) line.continued = true;
    return line;
  }

  /** Return the line with this byte; null: it is not here. */
  seqOfOffset(offset: number): number | null {
    if (offset < this.begin || this.#chunks.length === 0) return null;
    const chunk = this.#chunks[lowest(this.#chunks.length, (at) => (this.#chunks[at]?.end ?? 0) > offset)];
    if (chunk === undefined) return Math.max(this.first, this.count - 1);
    const { byte } = endsOf(chunk);
    const lines = lowest(byte.length, (at) => chunk.offset + (byte[at] ?? 0) >= offset);
    return Math.max(this.first, Math.min(chunk.first + lines, this.count - 1));
  }

  /** Return the first line that began at this time or later; null: it is before what is here, or nobody knows. */
  seqOfTime(seconds: number): number | null {
    const first = this.#chunks[0];
    if (first === undefined || first.time === null || first.time >= seconds) return null;
    const at = lowest(this.#chunks.length, (each) => (this.#chunks[each]?.time ?? 0) >= seconds);
    return Math.max(this.first, Math.min(this.#chunks[at]?.first ?? this.count, this.count - 1));
  }

  #trim(): void {
    let drop = 0;
    for (; drop < this.#chunks.length - 1; drop += 1) {
      const [chunk, next] = [this.#chunks[drop], this.#chunks[drop + 1]];
      if (chunk === undefined || next === undefined) break;
      const isOpen = next.first === this.#seq && !next.isLineStart; // the line that is going on begins in this chunk
      const isMany = this.count - (next.isLineStart ? next.first : next.first + 1) >= KEPT_LINES;
      if (isOpen || !(isMany || this.#chars > KEPT_CHARS)) break;
      this.#chars -= chunk.text.length;
    }
    if (drop > 0) this.#chunks.splice(0, drop);
  }

  /** Make one chunk of those that hold nothing but the line that is going on, of what can be seen of it. */
  #reduce(): void {
    const from = lowest(this.#chunks.length, (at) => this.#chunks[at]?.first === this.#seq);
    const parts = this.#chunks.splice(from).filter((each) => each.text !== "");
    const first = parts[0];
    if (first === undefined) return;
    const whole = parts.map((each) => each.text).join("");
    const text = visible(whole);
    this.#chunks.push({ ...first, end: this.end, text, isCut: true, ends: null });
    this.#chars -= whole.length - text.length;
    this.#openChars = text.length;
  }

  #placeOf(seq: number): { at: number; chunk: Chunk; unit: number } | null {
    if (seq < this.first || seq >= this.count) return null;
    const at = lowest(this.#chunks.length, (each) => {
      const chunk = this.#chunks[each];
      return chunk !== undefined && chunk.first + chunk.breaks >= seq;
    });
    const chunk = this.#chunks[at];
    if (chunk === undefined) return null;
    const unit = chunk.first === seq ? 0 : (endsOf(chunk).at[seq - chunk.first - 1] ?? 0) + 1;
    if (unit < chunk.text.length) return { at, chunk, unit };
    const next = this.#chunks.findIndex((each, index) => index > at && each.text !== "");
    const begun = this.#chunks[next];
    return begun === undefined ? null : { at: next, chunk: begun, unit: 0 };
  }

  #textOf(seq: number, { at, unit }: { at: number; unit: number }): Shown {
    const parts: string[] = [];
    let [from, left] = [unit, OPEN_CHARS + LINE_CHARS];
    let isPartial = true;
    let isCut = false;
    for (let each = at; isPartial && each < this.#chunks.length; each += 1) {
      const chunk = this.#chunks[each];
      if (chunk === undefined) break;
      isPartial = seq >= chunk.first + chunk.breaks;
      isCut = !isPartial && chunk.isCut;
      const end = isPartial ? chunk.text.length : (endsOf(chunk).at[seq - chunk.first] ?? 0);
      if (left > 0) parts.push(chunk.text.slice(from, Math.min(end, from + left)));
      left -= end - from;
      from = 0;
    }
    const text = parts.join("");
    if (text.length <= LINE_CHARS) return { text, isPartial, isContinued: isCut };
    const shown = visible(text);
    return { text: shown.slice(0, LINE_CHARS), isPartial, isContinued: isCut || shown.length > LINE_CHARS };
  }
}

/** Whether a piece without a newline may become a part of the one before: scraps of a line need not be many. */
function isJoinable(chunk: Chunk, { offset, stream }: Piece): boolean {
  const isScrap = chunk.breaks === 0 && chunk.text.length < JOINED_CHARS;
  return isScrap && chunk.end === offset && chunk.stream === stream && !chunk.isCut;
}

interface Shown {
  text: string;
  isPartial: boolean;
  isContinued: boolean;
}

/** Return what of a long line that is going on is worth to be kept: from a return on, if there is one; otherwise what is
 * shown of it, and one more, which tells that there is more. */
function visible(text: string): string {
  const returned = text.indexOf("\r", text.length - RETURNED_CHARS);
  const from = returned === -1 ? text.lastIndexOf("\r") : returned;
  return from === -1 ? text.slice(0, LINE_CHARS + 1) : text.slice(from, from + LINE_CHARS + 1);
}

function newlinesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count += 1;
  return count;
}

function endsOf(chunk: Chunk): { at: Uint32Array; byte: Uint32Array } {
  if (chunk.ends !== null) return chunk.ends;
  const { text, breaks } = chunk;
  const size = chunk.end - chunk.offset;
  const isAscii = size === text.length;
  const ends = { at: new Uint32Array(breaks), byte: new Uint32Array(breaks) };
  let bytes = 0;
  for (let each = 0, from = 0; each < breaks; each += 1) {
    const at = text.indexOf("\n", from);
    bytes += isAscii ? at - from : byteLength(text, from, at);
    ends.at[each] = at;
    ends.byte[each] = Math.min(bytes, size - 1); // U+FFFD may stand for fewer bytes than its own
    bytes += 1;
    from = at + 1;
  }
  chunk.ends = ends;
  return ends;
}

function byteAt(chunk: Chunk, seq: number): number {
  return seq === chunk.first ? chunk.offset : chunk.offset + (endsOf(chunk).byte[seq - chunk.first - 1] ?? -1) + 1;
}

/** Return the lowest of the first `count` indexes for which this holds, as it does for all behind it; `count` if none. */
function lowest(count: number, holds: (at: number) => boolean): number {
  let [from, to] = [0, count];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}
