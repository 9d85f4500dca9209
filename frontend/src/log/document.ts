/** The output of one run, as rows: its end as it comes, the rest by pages.
 *
 * The end is a `Tail`, fed by the feed from where the first page ended. Its lines stand at `base` and behind it; while
 * their numbers are not known, because not all before them has been counted or some has been skipped, `base` is an
 * estimate. Then the server is asked for the number of one of them, until it knows.
 *
 * Where numbers are estimates, pages are asked for by offsets: those beside a page that is here by where it ends or
 * begins, others by where they would be if all lines were as long as the average. A page that shows an estimate to be
 * wrong moves the end.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Row } from "../core/row";
import { gapRow, toRow } from "../core/rows";
import type { Gap, Line, LinePage, Run } from "../core/shapes";
import { type Api, type LineQuery, messageOf } from "../net/api";
import type { Feed, RunNews } from "../net/feed";
import { isAborted, isPassing } from "../net/problem";
import { baseOf, End } from "./end";
import { Fetching, type Request } from "./fetching";
import { MOST_CHARS, Pages } from "./pages";
import { pause, pollMs } from "./pause";
import type { Source, SourceEvent } from "./source";

/** Lines that are fetched first, from the end. */
const OPENING_LINES = 300;
/** Rows that are fetched around those that are seen, on each side. */
const MARGIN = 150;
/** Rows of one request. */
const PAGE_LINES = 400;
const AGAIN_MS = 1000;

export interface DocumentOptions {
  api: Api;
  feed: Feed;
  runId: string;
  /** the run as it is known already */
  run?: Run;
}

export class RunDocument implements Source {
  readonly runId: string;
  /** parts of the output that are missing, as far as they have been told */
  readonly gaps: Gap[] = [];
  /** the run as last told */
  run: Run | null;
  readonly #api: Api;
  readonly #feed: Feed;
  readonly #events = new Listeners<SourceEvent>();
  readonly #runs = new Listeners<Run>();
  readonly #pages = new Pages();
  readonly #fetching = new Fetching();
  readonly #closing = new AbortController();
  #end = new End([], 0, 0);
  /** rows before this index have their number, less 1, for an index, also while not all are counted */
  #exact = 0;
  #counted = 0;
  #isOver = false;
  #isOpen = false;
  #tellOpened: () => void = () => undefined;
  /** who asks for a place before anything is here waits for it */
  readonly #opened = new Promise<void>((resolve) => {
    this.#tellOpened = resolve;
  });
  #wanted: [number, number] = [0, 0];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isLocating = false;
  #leave: Unsubscribe[] = [];

  constructor({ api, feed, runId, run }: DocumentOptions) {
    this.#api = api;
    this.#feed = feed;
    this.runId = runId;
    this.run = run ?? null;
    void this.#open();
  }

  get count(): number {
    return this.#end.count + this.#gapsAtEnd.length;
  }

  get isCounted(): boolean {
    return this.#end.isExact;
  }

  get counted(): number {
    return this.isCounted ? 1 : this.#counted;
  }

  get isComplete(): boolean {
    return this.#isOver && this.isCounted;
  }

  get startedAt(): number | null {
    const started = this.run?.started ?? null;
    return started === null ? null : Date.parse(started);
  }

  /** Whether anything has come yet. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  on(listener: (event: SourceEvent) => void): Unsubscribe {
    return this.#events.add(listener);
  }

  /** Call this when the run's state is told, and now if it is known. */
  onRun(listener: (run: Run) => void): Unsubscribe {
    if (this.run !== null) listener(this.run);
    return this.#runs.add(listener);
  }

  row(index: number): Row | undefined {
    const gap = this.#gapsAtEnd[index - this.#end.count];
    if (gap !== undefined) return gapRow(gap);
    return (index < this.#end.first ? this.#pages.row(index, toRow) : undefined) ?? this.#end.row(index);
  }

  want(first: number, last: number): void {
    this.#wanted = [Math.max(0, first), Math.min(last, this.count)];
    this.#fetch();
  }

  async indexOfOffset(offset: number): Promise<number> {
    await this.#opened;
    const seq = this.#end.tail.seqOfOffset(offset);
    return seq === null ? this.#reach({ at: offset, count: PAGE_LINES }) : this.#end.base + seq;
  }

  async indexOfTime(seconds: number): Promise<number> {
    await this.#opened;
    const seq = this.#end.tail.seqOfTime(seconds);
    return seq === null ? this.#reach({ time: seconds, count: PAGE_LINES }) : this.#end.base + seq;
  }

  /** See `Source`; of the last one, if there are not so many. Where lines are being counted this waits for it, and may
   * move the rows at the end. */
  async indexOfLine(number: number): Promise<number> {
    await this.#opened;
    const index = Math.max(0, number - 1);
    if (this.isCounted) return Math.max(0, Math.min(index, this.count - 1));
    return this.#reach({ start: index + 1, count: PAGE_LINES });
  }

  close(): void {
    this.#closing.abort();
    this.#fetching.stop();
    clearTimeout(this.#timer);
    for (const leave of this.#leave) leave();
  }

  /** A row each, as long as nothing comes behind them. Nothing ever does, of a run on this server's disk: what is missing
   * there is behind the limit, behind a disk's failure or behind the end of a damaged file. */
  get #gapsAtEnd(): readonly Gap[] {
    let [first, end] = [this.gaps.length, this.#end.tail.end];
    for (let gap = this.gaps[first - 1]; gap?.to === end; gap = this.gaps[first - 1]) {
      first -= 1;
      end = gap.from;
    }
    return this.gaps.slice(first);
  }

  // The end

  async #open(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const page = await this.#api.lines(this.runId, { last: OPENING_LINES }, signal);
      if (!signal.aborted) this.#begin(page);
    } catch (error) {
      if (isAborted(error)) return;
      this.#fail(error, () => this.#again(0));
      if (isPassing(error)) this.#again();
    }
  }

  #begin(page: LinePage): void {
    const { lines, size } = page;
    this.#isOpen = true;
    const begin = lines[0]?.offset ?? page.begin ?? size;
    this.#end = new End(lines, begin, page.end ?? size);
    this.#counted = size === 0 ? 1 : page.counted / size;
    if (begin === 0) this.#end.settle(0);
    else if (page.start > 0) this.#end.settle(page.start - 1);
    else this.#end.base = this.#end.linesIn(begin);
    this.#leave.push(
      this.#feed.follow(this.runId, this.#end.tail.end, (news) => this.#take(news)),
      this.#feed.onConnection(({ state }) => state === "open" && this.#fetch()),
    );
    this.#tellOpened();
    this.#changed(0);
    if (!this.isCounted) void this.#locate();
    this.#fetch();
  }

  #take(news: RunNews): void {
    if (news.kind === "output") {
      for (const gap of this.#gapsAtEnd) this.#events.tell({ kind: "missing", gap });
      this.#changed(this.#end.add(news.piece, news.end, this.#wanted));
    } else if (news.kind === "skipped") this.#skip(news.to);
    else if (news.kind === "gap") this.#gap(news.gap);
    else if (news.kind === "state") this.#runIs(news.run);
    else if (news.kind === "refused") this.#events.tell({ kind: "failed", message: news.why, retry: () => undefined });
    else {
      this.#isOver = true;
      this.#runIs(news.run);
      this.#changed(this.count);
    }
  }

  #runIs(run: Run): void {
    this.run = run;
    this.#runs.tell(run);
  }

  #gap(gap: Gap): void {
    const { count } = this;
    this.gaps.push(gap);
    if (gap.from === this.#end.tail.end) this.#end.tail.end = gap.to;
    this.#changed(count - 1);
  }

  /** What lies between is fetched when it is wanted; how many lines that are is not known. */
  #skip(to: number): void {
    const [first, from] = [this.count, this.#end.tail.end];
    if (this.isCounted) this.#exact = first;
    this.#end.skip(to, this.#wanted);
    this.#events.tell({ kind: "skipped", from, bytes: to - from });
    this.#changed(first);
    void this.#locate();
  }

  /** Have the server tell the number of a line of the tail. */
  async #locate(): Promise<void> {
    if (this.#isLocating) return;
    this.#isLocating = true;
    while (!this.isCounted && !this.#closing.signal.aborted) {
      const { tail } = this.#end;
      const { anchor, end } = tail;
      const query: LineQuery = anchor === null ? { before: end, count: 1 } : { at: anchor.offset, count: 0 };
      const page = await this.#api.lines(this.runId, query, this.#closing.signal).catch(() => null);
      if (page !== null && page.size > 0) this.#counted = Math.min(1, page.counted / page.size);
      const isSame = tail === this.#end.tail && (anchor !== null || end === tail.end);
      if (page !== null && isSame && page.start > 0) this.#settle(baseOf(page, tail, anchor));
      else if (page !== null) this.#changed(this.count);
      if (!this.isCounted) await pause(pollMs(), this.#closing.signal);
    }
    this.#isLocating = false;
  }

  #settle(base: number): void {
    this.#pages.drop((page) => page.lines[0]?.number !== page.first + 1);
    this.#moved(this.#end.settle(base));
    this.#fetch();
  }

  #move(by: number): void {
    this.#end.base += by;
    this.#moved(by);
  }

  #moved(by: number): void {
    const [first, last] = this.#wanted;
    if (first >= this.#end.first - by) this.#wanted = [first + by, last + by];
    this.#events.tell({ kind: "moved", by });
  }

  // Pages

  #fetch(): void {
    if (!this.#isOpen || this.#closing.signal.aborted) return;
    const [first, last] = this.#wanted;
    const end = Math.min(last + MARGIN, this.#end.first);
    const begin = Math.max(0, first - MARGIN);
    this.#fetching.keep(begin, last + MARGIN);
    this.#pages.trim(begin, end);
    const isDear = this.#pages.costOf(begin, end) > MOST_CHARS / 2; // then only what is seen
    const seen = this.#pages.holes(first, Math.min(last, end));
    for (const hole of isDear ? seen : [...seen, ...this.#pages.holes(begin, end)]) {
      if (!this.#fetching.isFree) return;
      const request = this.#requestFor(hole);
      if (!this.#fetching.has(request.first, request.last)) void this.#ask(request);
    }
  }

  /** Return what to ask for, for the sake of a hole: as much as a page has, if so much is missing there. */
  #requestFor([from, to]: [number, number]): Request {
    const around = this.#pages.holes(Math.max(0, from - PAGE_LINES), Math.min(this.#end.first, to + PAGE_LINES));
    const [least, most] = around.find((hole) => hole[0] <= from && to <= hole[1]) ?? [from, to];
    const isUp = to === most && from > least; // there is something behind it, and nothing before
    const first = isUp ? Math.max(least, to - PAGE_LINES) : from;
    const last = isUp ? to : Math.min(most, from + PAGE_LINES);
    const count = last - first;
    if (this.#isExact(last) || first === 0) return { first, last, query: { start: first + 1, count } };
    const before = last === this.#end.first ? this.#end.begin : this.#pages.beginAt(last);
    if (before !== undefined) return { first, last, query: { before, count } };
    const at = this.#pages.endAt(first) ?? this.#offsetOf(first);
    return { first, last, query: { at, count } };
  }

  async #ask(request: Request): Promise<void> {
    try {
      const page = await this.#fetching.run(request, (signal) => this.#api.lines(this.runId, request.query, signal));
      if (page.lines.length === 0) return this.#again();
      const first = "before" in request.query ? request.last - page.lines.length : request.first;
      this.#place(page, this.#isExact(request.last) && page.start > 0 ? page.start - 1 : first);
    } catch (error) {
      if (isAborted(error) || this.#closing.signal.aborted) return;
      this.#fail(error, () => this.#again(0));
      if (isPassing(error)) this.#again();
      return;
    }
    this.#fetch();
  }

  /** Ask later for what is still wanted then. */
  #again(ms = AGAIN_MS): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#isOpen ? this.#fetch() : void this.#open()), ms);
  }

  /** Fetch a page that may lie anywhere, and return the index of its first row. */
  async #reach(query: LineQuery): Promise<number> {
    for (;;) {
      const page = await this.#api.lines(this.runId, query, this.#closing.signal);
      if (page.begin !== null) return this.#placeAnywhere(page);
      this.#counted = page.size === 0 ? 1 : page.counted / page.size;
      this.#changed(this.count);
      await pause(pollMs(), this.#closing.signal);
    }
  }

  #placeAnywhere(page: LinePage): number {
    const begin = page.begin ?? 0;
    const seq = this.#end.tail.seqOfOffset(begin);
    if (seq !== null) return this.#end.base + seq;
    const first = page.start > 0 ? page.start - 1 : this.#indexAt(begin);
    if (page.lines.length === 0) return Math.min(first, Math.max(0, this.count - 1));
    return this.#place(page, first);
  }

  /** Put a page among the rows; return the index of its first one. */
  #place(page: LinePage, wanted: number): number {
    const lines = this.#beforeTail(page.lines);
    const begin = page.begin ?? lines[0]?.offset ?? 0;
    if (lines.length === 0) return this.#end.first;
    const end = lines.length < page.lines.length ? this.#end.begin : (page.end ?? begin);
    const first = begin === 0 ? 0 : this.#roomBefore(wanted, begin);
    this.#pages.put({ first, lines, begin, end });
    if (!this.isCounted) this.#fitTail(first + lines.length, end);
    const [from, to] = this.#wanted;
    this.#pages.trim(from, to);
    this.#changed(first, first + lines.length);
    return first;
  }

  /** While numbers are not known, a page may reach into the tail. */
  #beforeTail(lines: readonly Line[]): readonly Line[] {
    if (this.isCounted) return lines;
    const { begin } = this.#end;
    const at = lines.findIndex((line) => line.offset >= begin);
    return at === -1 ? lines : lines.slice(0, at);
  }

  /** A page that is not the first one cannot begin at row 0: if it would, there are more rows than was thought. */
  #roomBefore(first: number, begin: number): number {
    if (first > 0 || this.isCounted || first < this.#exact) return first;
    const more = Math.max(1, this.#end.linesIn(begin)) - first;
    this.#pages.shift(more);
    this.#move(more);
    return first + more;
  }

  /** Where a page ends, at this row and this offset, tells whether the tail can be where it is thought to be. */
  #fitTail(last: number, end: number): void {
    const bytes = this.#end.begin - end;
    const isTouching = bytes === 0;
    if (isTouching ? last === this.#end.first : last < this.#end.first) return;
    this.#move(last + (isTouching ? 0 : Math.max(1, this.#end.linesIn(bytes))) - this.#end.first);
  }

  #isExact(index: number): boolean {
    return this.isCounted || index <= this.#exact;
  }

  #offsetOf(index: number): number {
    return Math.max(0, Math.floor((index / Math.max(1, this.#end.first)) * this.#end.begin));
  }

  #indexAt(offset: number): number {
    const { begin } = this.#end;
    return begin === 0 ? 0 : Math.min(this.#end.first - 1, Math.floor((offset / begin) * this.#end.first));
  }

  #changed(first: number, last = this.count): void {
    this.#events.tell({ kind: "changed", first, last });
  }

  #fail(error: unknown, retry: () => void): void {
    this.#events.tell({ kind: "failed", message: messageOf(error), retry });
  }
}
