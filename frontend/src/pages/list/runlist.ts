/** A list of runs, newest first, of which only a part is here.
 *
 * It consists of what is new since the list was opened (`#head`), and of pages of the server's, one behind the other by
 * cursor. Pages that are far from what is looked at are forgotten, and fetched again by their cursor; so scrolling a
 * hundred thousand runs holds a few thousand. While somebody reads further down, new runs wait (`pending`), so that
 * nothing moves; they come in when he asks for them, or is back at the top.
 */

import { Listeners, type Unsubscribe } from "../../core/listeners";
import type { Run } from "../../core/shapes";
import type { RunPage, RunQuery } from "../../net/api";
import { isAborted } from "../../net/problem";
import { type Filter, matches, queryOf } from "./filter";

/** in the first page, which is to be there at once, and in those that follow */
export const FIRST_RUNS = 100;
export const PAGE_RUNS = 400;
/** pages that are kept; of more, those farthest from what is looked at are forgotten */
export const MOST_PAGES = 15;
/** new runs that are kept beside the pages; with more, the list begins anew */
export const MOST_NEW = 500;

export type FetchRuns = (query: RunQuery, signal: AbortSignal) => Promise<RunPage>;

interface Part {
  cursor: string | null;
  /** null: not here, or forgotten */
  runs: Run[] | null;
  count: number;
  isAsked: boolean;
}

export class RunList {
  readonly #changes = new Listeners<void>();
  #head: Run[] = [];
  #waiting: Run[] = [];
  #early: Run[] = [];
  #parts: Part[] = [];
  #next: string | null = null;
  #control = new AbortController();
  #isHeld = false;
  #tooMany = false;

  /** how many runs the server has for this filter; null: it does not say */
  total: number | null = null;
  /** what a request ended with; `retry` asks again */
  fault: unknown = null;

  constructor(
    readonly fetch: FetchRuns,
    public filter: Filter,
  ) {
    this.reload();
  }

  on(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  /** whether the first page has come */
  get isOpen(): boolean {
    return this.#parts[0]?.runs !== null;
  }

  /** whether there is more behind what is known */
  get hasMore(): boolean {
    return this.#next !== null || !this.isOpen;
  }

  /** runs that are known, be they here or forgotten */
  get count(): number {
    return this.#parts.reduce((sum, part) => sum + part.count, this.#head.length);
  }

  /** new runs that wait to be let in, as far as they are kept */
  get pending(): number {
    return this.#waiting.length;
  }

  /** Return the run of a row, or undefined while it is not here. */
  at(index: number): Run | undefined {
    if (index < this.#head.length) return this.#head[index];
    const [part, begin] = this.#partAt(index);
    return part?.runs?.[index - begin];
  }

  /** Rows [first, last) are looked at: have them fetched, and forget what is far away. */
  want(first: number, last: number): void {
    if (this.fault === null) this.#askFor(first, last); // else `retry` does: each answer would have this called again
    this.#forget(first);
  }

  #askFor(first: number, last: number): void {
    let begin = this.#head.length;
    for (const part of [...this.#parts]) {
      if (part.runs === null && begin < last && begin + part.count > first) void this.#ask(part);
      begin += part.count;
    }
    if (last >= begin && this.#next !== null) void this.#ask(this.#following(this.#next));
  }

  /** Return the page behind all that came, which may have been asked for in vain. */
  #following(cursor: string): Part {
    const last = this.#parts.at(-1);
    if (last?.cursor === cursor) return last;
    const part: Part = { cursor, runs: null, count: 0, isAsked: false };
    this.#parts.push(part);
    return part;
  }

  /** Show other runs, from the first. */
  show(filter: Filter): void {
    this.filter = filter;
    this.reload();
  }

  /** Begin anew. */
  reload(): void {
    this.#control.abort();
    this.#control = new AbortController();
    this.#head = [];
    this.#waiting = [];
    this.#early = [];
    this.#tooMany = false;
    this.#next = null;
    this.total = null;
    this.fault = null;
    const first: Part = { cursor: null, runs: null, count: 0, isAsked: false };
    this.#parts = [first];
    void this.#ask(first);
    this.#changes.tell();
  }

  retry(): void {
    this.fault = null;
    for (const part of this.#parts) if (part.runs === null) void this.#ask(part);
    this.#changes.tell();
  }

  /** The connection was lost for a while: what was removed meanwhile was not told. Whoever reads further down keeps his
   * place; the pages that he sees are fetched again, and the list begins anew when he is back at the top. */
  check(): void {
    if (!this.#isHeld) {
      this.reload();
      return;
    }
    this.#tooMany = true;
    this.fault = null;
    for (const part of this.#parts) if (part.runs !== null && part.cursor !== null) void this.#ask(part);
    this.#changes.tell();
  }

  /** Tell whether somebody reads further down: then nothing is put above. */
  hold(isHeld: boolean): void {
    if (this.#isHeld === isHeld) return;
    this.#isHeld = isHeld;
    if (!isHeld) this.admit();
  }

  /** Let the new runs in. */
  admit(): void {
    if (this.#tooMany) {
      this.reload();
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const run of waiting) this.#insert(run);
    if (waiting.length) this.#changes.tell();
  }

  /** A run is new, or has changed. What is told before the first page is here is looked at when it is. */
  news(run: Run): void {
    if (!this.isOpen) {
      if (this.#early.length < MOST_NEW) this.#early.push(run);
      return;
    }
    if (!this.#replace(run)) {
      if (!this.#isAbove(run) || !matches(this.filter, run)) return;
      if (this.#isHeld) this.#wait(run);
      else this.#insert(run);
    }
    this.#changes.tell();
  }

  /** A run is there no more. */
  gone(id: string): void {
    for (const runs of this.#lists()) {
      const at = runs.findIndex((run) => run.id === id);
      if (at < 0) continue;
      runs.splice(at, 1);
      const part = this.#parts.find((each) => each.runs === runs);
      if (part) part.count -= 1;
      if (this.total !== null) this.total -= 1;
      this.#changes.tell();
      return;
    }
  }

  close(): void {
    this.#control.abort();
  }

  *#lists(): Iterable<Run[]> {
    yield this.#waiting;
    yield this.#head;
    for (const part of this.#parts) if (part.runs) yield part.runs;
  }

  #replace(run: Run): boolean {
    for (const runs of this.#lists()) {
      const at = runs.findIndex((each) => each.id === run.id);
      if (at < 0) continue;
      runs[at] = run;
      return true;
    }
    return false;
  }

  /** Tell whether a run is newer than all that the pages have; an older one is on a page, known or not. */
  #isAbove(run: Run): boolean {
    const newest = this.#parts[0]?.runs?.[0];
    return newest === undefined || run.id > newest.id;
  }

  #insert(run: Run): void {
    const at = this.#head.findIndex((each) => each.id < run.id);
    this.#head.splice(at < 0 ? this.#head.length : at, 0, run);
    if (this.total !== null) this.total += 1;
    if (this.#head.length > MOST_NEW) this.reload();
  }

  #wait(run: Run): void {
    if (this.#waiting.length < MOST_NEW) this.#waiting.push(run);
    else this.#tooMany = true;
  }

  #partAt(index: number): [Part | undefined, number] {
    let begin = this.#head.length;
    for (const part of this.#parts) {
      if (index < begin + part.count) return [part, begin];
      begin += part.count;
    }
    return [undefined, begin];
  }

  async #ask(part: Part): Promise<void> {
    if (part.isAsked) return;
    part.isAsked = true;
    const { signal } = this.#control;
    const place = part.cursor === null ? { limit: FIRST_RUNS } : { limit: PAGE_RUNS, cursor: part.cursor };
    try {
      const page = await this.fetch({ ...queryOf(this.filter), ...place }, signal);
      if (!signal.aborted) this.#take(part, page);
    } catch (error) {
      if (signal.aborted || isAborted(error)) return;
      this.fault = error;
    } finally {
      part.isAsked = false;
    }
    this.#changes.tell();
  }

  #take(part: Part, page: RunPage): void {
    const isLast = part === this.#parts.at(-1);
    part.runs = page.runs.filter((run) => !this.#head.some((each) => each.id === run.id));
    part.count = part.runs.length;
    if (isLast) this.#next = page.next;
    if (part.cursor === null && page.total !== null) this.total = page.total;
    this.fault = null;
    for (const run of this.#early.splice(0)) this.news(run);
  }

  /** Forget the pages that are farthest from a row, until few enough are left. The first stays: news are held to it. */
  #forget(row: number): void {
    const here = this.#parts.filter((part) => part.runs !== null);
    if (here.length <= MOST_PAGES) return;
    const [at] = this.#partAt(row);
    const middle = at ? this.#parts.indexOf(at) : this.#parts.length;
    const far = (part: Part) => Math.abs(this.#parts.indexOf(part) - middle);
    here.sort((one, other) => far(other) - far(one));
    for (const part of here.slice(0, here.length - MOST_PAGES)) if (part !== this.#parts[0]) part.runs = null;
  }
}
