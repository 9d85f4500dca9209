/** A search through the whole output, by the server: hits as they come, and, while the run goes on, as it writes them.
 *
 * What is kept is bounded: the places of the first hits, the texts of those near the one that is looked at, and for all
 * how many there are in each portion of the output. A search that finds too much stops, and can be told to go on.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Hit } from "../core/shapes";
import { type Api, type Needle, needlePairs, runPath } from "./api";
import { field, isHit } from "./checks";
import type { ServerEvent } from "./event-parser";
import { EventStream } from "./events";
import type { Connection } from "./feed";
import { PORTIONS, Portions } from "./portions";
import type { ApiProblem } from "./problem";

/** Hits whose places are kept; of those behind them, only how many they are. `after` asks the server for them. */
export const MOST_KEPT = 10_000;
/** Characters of hits that are kept; when there are more, those go that are farthest from what is looked at. */
export const MOST_CHARS = 1 << 20;
/** Hits after which the search stops by itself: a pattern that fits nearly every line would bring all of the output. */
export const ENOUGH = 100_000;
/** Lines whose hits are fetched again at once, when their texts had to go. */
const FILLED = 50;
/** Hits of one request, where all before a place are looked through. */
const PAGE_HITS = 500;
const COLUMN_COST = 16;

export interface Mark {
  /** of the line, from 1 */
  number: number;
  /** of the line */
  offset: number;
  /** of the first match in it */
  match: number;
  /** null: not kept; `fill` has it fetched */
  hit: Hit | null;
}

export type SearchState =
  /** it is being searched; for a run that goes on, what comes is searched too */
  | { state: "searching" }
  /** the connection was lost, and is made again */
  | { state: "waiting"; until: number; why: string }
  /** all of a run that is over has been searched */
  | { state: "done" }
  /** it has found so much that it stopped; `goOn` */
  | { state: "enough" }
  /** the server refuses: the regular expression is none, say */
  | { state: "refused"; problem: ApiProblem | null; why: string };

export interface SearchOptions {
  api: Api;
  runId: string;
  needle: Needle;
  /** of the output, as far as it is known */
  size: number;
}

export class Search {
  readonly needle: Needle;
  readonly marks: Mark[] = [];
  readonly portions: Portions;
  state: SearchState = { state: "searching" };
  /** hits so far, kept or not */
  total = 0;
  /** the offset up to which the output has been searched, at least */
  searched = 0;
  readonly #api: Api;
  readonly #runId: string;
  readonly #changes = new Listeners<Search>();
  readonly #closing = new AbortController();
  #stream: EventStream;
  #isOver = false;
  #isDue = false;
  #enough = ENOUGH;
  #chars = 0;
  /** the index of the mark that is looked at */
  #focus = 0;
  #problem: ApiProblem | null = null;

  constructor({ api, runId, needle, size }: SearchOptions) {
    this.#api = api;
    this.#runId = runId;
    this.needle = needle;
    this.portions = new Portions(size);
    this.#stream = this.#open();
  }

  /** Call this when something has changed, at most once for what comes at once. */
  on(listener: (search: Search) => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  /** Stop searching; what was found stays. */
  close(): void {
    this.#closing.abort();
    this.#stream.close();
  }

  retry(): void {
    this.#stream.retry();
  }

  /** Search on, after it was enough. */
  goOn(): void {
    if (this.state.state !== "enough") return;
    this.#enough = this.total + ENOUGH;
    this.state = { state: "searching" };
    this.#stream = this.#open();
    this.#changed();
  }

  /** Return the next hit in a line behind this offset; null: there is none so far. */
  async after(offset: number): Promise<Mark | null> {
    const mark = this.marks[this.#firstFrom(offset + 1)];
    if (mark !== undefined || this.total <= this.marks.length) return mark ?? null;
    const from = Math.max(offset + 1, (this.marks.at(-1)?.offset ?? -1) + 1);
    return (await this.#hits(from, 2)).map(markOf).find((each) => each.offset > offset) ?? null;
  }

  /** Return the last hit in a line before this offset; null: there is none. */
  async before(offset: number): Promise<Mark | null> {
    const kept = this.marks[this.#firstFrom(offset) - 1] ?? null;
    const last = this.marks.at(-1);
    if (last === undefined || kept !== last || this.total <= this.marks.length) return kept;
    const { bytesEach, counts } = this.portions;
    for (let at = Math.min(PORTIONS - 1, Math.floor((offset - 1) / bytesEach)); at >= 0; at -= 1) {
      if (bytesEach * (at + 1) <= last.offset) break;
      const from = Math.max(bytesEach * at, last.offset + 1);
      const found = counts[at] ? await this.#lastIn(from, Math.min(offset, bytesEach * (at + 1))) : null;
      if (found !== null) return found;
    }
    return kept;
  }

  /** Return the hits in the lines behind this offset, as many as can be in sight. */
  async near(offset: number): Promise<readonly Hit[]> {
    return this.#hits(offset, FILLED * 4);
  }

  /** Return the marks of the lines that begin in [from, to). */
  between(from: number, to: number): readonly Mark[] {
    return this.marks.slice(this.#firstFrom(from), this.#firstFrom(to));
  }

  /** The marks with these indexes are looked at: have their texts fetched, where they were not kept. */
  async fill(first: number, last: number): Promise<void> {
    this.#focus = Math.floor((first + last) / 2);
    const at = this.marks.findIndex((mark, index) => index >= first && index < last && mark.hit === null);
    const missing = this.marks[at];
    if (missing === undefined) return;
    const hits = await this.#hits(missing.offset, Math.max(FILLED, last - at));
    for (const hit of hits) {
      const mark = this.marks[this.#firstFrom(hit.offset)];
      if (mark?.offset === hit.offset && mark.hit === null) this.#keep(mark, hit);
    }
    this.#trim();
    this.#changed();
  }

  #open(): EventStream {
    return new EventStream({
      api: this.#api,
      address: (lastId) => this.#address(lastId),
      take: (event) => this.#take(event),
      takeId: (id) => this.#takeId(id),
      told: (connection) => this.#told(connection),
      isOver: () => this.#isOver,
      over: () => this.#done(),
      refused: async (problem) => {
        this.#problem = problem;
        return false;
      },
    });
  }

  #address(lastId: string): string {
    const from = offsetOf(lastId) ?? this.searched;
    const pairs = [...needlePairs(this.needle), ["from", from], ["format", "sse"]] as const;
    return this.#api.address(runPath(this.#runId, "search"), pairs);
  }

  #take({ name, data }: ServerEvent): void {
    const told: unknown = JSON.parse(data);
    if (name === "hit" && isHit(told)) this.#takeHit(told);
    else if (name === "end") {
      this.#isOver = true;
      const size = field(told, "size");
      if (typeof size === "number") this.searched = size;
    }
    this.#changed();
  }

  #takeId(id: string): void {
    if (this.state.state !== "enough") this.searched = Math.max(this.searched, offsetOf(id) ?? 0);
  }

  #takeHit(hit: Hit): void {
    if (this.state.state === "enough") return;
    this.total += 1;
    this.portions.add(hit.offset);
    if (this.marks.length < MOST_KEPT) {
      const mark = markOf({ ...hit });
      mark.hit = null;
      this.marks.push(mark);
      this.#keep(mark, hit);
      this.#trim();
    }
    if (this.total < this.#enough) return;
    this.#stream.close();
    this.state = { state: "enough" };
  }

  #keep(mark: Mark, hit: Hit): void {
    mark.hit = hit;
    this.#chars += costOf(hit);
  }

  /** Let texts go, from both ends towards what is looked at. */
  #trim(): void {
    let [from, to] = [0, this.marks.length - 1];
    while (this.#chars > MOST_CHARS && from < to) {
      const mark = this.#focus - from > to - this.#focus ? this.marks[from++] : this.marks[to--];
      if (mark === undefined || mark.hit === null) continue;
      this.#chars -= costOf(mark.hit);
      mark.hit = null;
    }
  }

  /** Return the last hit in the lines that begin in [from, to): by all of them, as nobody searches backwards. */
  async #lastIn(from: number, to: number): Promise<Mark | null> {
    let last: Hit | null = null;
    for (let at = from; ; ) {
      const hits = await this.#hits(at, PAGE_HITS);
      last = hits.findLast((hit) => hit.offset >= from && hit.offset < to) ?? last;
      const end = hits.at(-1);
      if (end === undefined || hits.length < PAGE_HITS || end.offset >= to) return last && markOf(last);
      at = end.offset + 1;
    }
  }

  async #hits(from: number, count: number): Promise<Hit[]> {
    return (await this.#api.search(this.#runId, this.needle, { from, count }, this.#closing.signal)).hits;
  }

  /** Return the index of the first mark of a line that begins there or behind. */
  #firstFrom(offset: number): number {
    let [from, to] = [0, this.marks.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((this.marks[middle]?.offset ?? 0) >= offset) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  #told(connection: Connection): void {
    if (this.state.state === "enough") return;
    if (connection.state === "waiting") this.state = connection;
    else if (connection.state === "refused") this.state = { ...connection, problem: this.#problem };
    else this.state = { state: "searching" };
    this.#changed();
  }

  #done(): void {
    this.state = { state: "done" };
    this.#changed();
  }

  #changed(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => {
      this.#isDue = false;
      this.#changes.tell(this);
    });
  }
}

function markOf(hit: Hit): Mark {
  return { number: hit.number, offset: hit.offset, match: hit.match, hit };
}

function costOf(hit: Hit): number {
  return hit.text.length + hit.columns.length * COLUMN_COST;
}

/** Return the offset in the id of an event of one run, `<run id>/<offset>`, with `/end` behind it at the end. */
function offsetOf(id: string): number | null {
  const match = /^[^/]+\/(\d+)(?:\/end)?$/.exec(id);
  return match?.[1] === undefined ? null : Number(match[1]);
}
