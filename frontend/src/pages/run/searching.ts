/** A search through the whole output as the page has it: the hits that a `Search` finds, and the one that is looked at.
 *
 * A hit that is looked at is a place in the output, not an index: there may be more hits than places are kept. Beside the
 * places there are the hits near what is in sight, for the marks in the rows, where these are not kept.
 */

import { Listeners, type Unsubscribe } from "../../core/listeners";
import type { Hit } from "../../core/shapes";
import type { Needle } from "../../net/api";
import type { Mark, Search } from "../../net/search";

/** What is needed of a `Search`. */
export type Finder = Pick<Search, "marks" | "portions" | "state" | "total" | "searched" | "close" | "retry" | "goOn"> &
  Pick<Search, "after" | "before" | "between" | "near" | "fill"> & { on(listener: () => void): Unsubscribe };

/** Hits may come by thousands a second; the page is told of them at most so often, in milliseconds. */
const EVERY_MS = 100;
/** The hit behind the place where one looks is waited for so long, where there are others. */
const PATIENCE_MS = 1000;

export class Searching {
  readonly #open: (needle: Needle) => Finder;
  readonly #changes = new Listeners<void>();
  #leave: Unsubscribe = () => undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = 0;
  /** whether it was looked for a hit behind the place that is wanted */
  #isNearKnown = false;
  #steps = 0;
  #near: readonly Hit[] = [];
  #sight: [number, number] = [0, 0];
  /** whether what is in sight was marked, as far as it was found */
  #isSeen = true;
  #isBusy = false;

  needle: Needle | null = null;
  found: Finder | null = null;
  /** the hit that is looked at */
  current: Mark | null = null;
  /** which one that is, from 1; null: it is not known, for not all before it are kept */
  rank: number | null = null;

  constructor(open: (needle: Needle) => Finder) {
    this.#open = open;
  }

  on(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  get marks(): readonly Mark[] {
    return this.found?.marks ?? [];
  }

  /** how many were found so far, be they kept or not */
  get total(): number {
    return this.found?.total ?? 0;
  }

  /** The hits to be marked: all that are kept, those near what is in sight, and the one that is looked at. */
  get hits(): readonly Hit[] {
    const kept = this.marks.map((mark) => mark.hit ?? bare(mark));
    return this.current?.hit ? [...kept, ...this.#near, this.current.hit] : [...kept, ...this.#near];
  }

  /** Return where in an output of this size the hits are whose places are not kept, between 0 and 1. */
  beyond(size: number): readonly number[] {
    const { found } = this;
    const last = found?.marks.at(-1)?.offset ?? 0;
    if (found === null || size === 0 || found.total <= found.marks.length) return [];
    const { bytesEach, counts } = found.portions;
    const begins = [...counts.keys()].filter((at) => counts[at]).map((at) => at * bytesEach);
    return begins.filter((begin) => begin > last).map((begin) => Math.min(1, (begin + bytesEach / 2) / size));
  }

  /** Search for something else; the first hit at this offset or behind it is looked at first. Where the server does not
   * find one there at once, that is the first hit at all, as soon as it comes: nobody waits for the whole output.
   */
  begin(needle: Needle, near: number): void {
    this.clear();
    if (needle.q === "") return;
    this.needle = needle;
    this.#wanted = near;
    this.found = this.#open(needle);
    this.#leave = this.found.on(() => this.#came());
    this.#isSeen = this.#isNearKnown = false;
    void this.#lookNear(this.found, near);
    void this.#markSoon();
  }

  async #lookNear(found: Finder, near: number): Promise<void> {
    const nothing = new Promise<readonly Hit[]>((resolve) => setTimeout(resolve, PATIENCE_MS, []));
    const hits = await Promise.race([found.near(near), nothing]).catch(() => []); // the stream's own have to do then
    if (found !== this.found) return;
    this.#isNearKnown = true;
    const hit = hits.find((each) => each.offset >= near);
    if (this.current === null && hit) this.#look({ ...hit, hit }, null);
    this.#settle();
    this.#changes.tell();
  }

  clear(): void {
    this.#leave();
    this.#leave = () => undefined;
    this.found?.close();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#steps += 1;
    this.needle = this.found = this.current = this.rank = null;
    this.#near = [];
    this.#changes.tell();
  }

  /** Look at the next hit, or the one before; round from the last to the first. */
  async step(by: 1 | -1): Promise<void> {
    const { found, current, rank } = this;
    if (found === null || found.total === 0) return;
    if (current === null) return this.#look(found.marks[0] ?? null, 1);
    this.#steps += 1;
    const step = this.#steps;
    const next = by > 0 ? await found.after(current.offset) : await found.before(current.offset);
    const to = next ?? (by > 0 ? (found.marks[0] ?? null) : await found.before(Number.MAX_SAFE_INTEGER));
    if (step !== this.#steps || to === null) return; // meanwhile somebody wanted to go elsewhere
    this.#look(to, next === null ? (by > 0 ? 1 : found.total) : rank === null ? null : rank + by);
  }

  choose(mark: Mark): void {
    this.#steps += 1;
    this.#look(mark, null);
  }

  /** Look at the first hit at this offset or behind it. */
  async chooseAt(offset: number): Promise<void> {
    this.#steps += 1;
    const step = this.#steps;
    const mark = await this.found?.after(offset - 1);
    if (step === this.#steps && mark) this.#look(mark, null);
  }

  /** These bytes are in sight: have what was found in them marked. */
  see(from: number, to: number): void {
    if (from !== this.#sight[0] || to !== this.#sight[1]) this.#isSeen = false;
    this.#sight = [from, to];
    void this.#markSoon();
  }

  /** One request at a time, and then a pause: while a run is followed, other bytes come into sight all the time. */
  async #markSoon(): Promise<void> {
    while (this.found !== null && !this.#isSeen && !this.#isBusy) {
      this.#isBusy = true;
      this.#isSeen = true;
      await this.#mark(this.found).catch(() => undefined); // only marks; whoever goes on has them asked for again
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      this.#isBusy = false;
    }
  }

  async #mark(found: Finder): Promise<void> {
    const [from, to] = this.#sight;
    const marks = found.between(from, to);
    const first = marks[0] ? found.marks.indexOf(marks[0]) : 0;
    if (marks.some((mark) => mark.hit === null)) await found.fill(first, first + marks.length);
    const areKept = found.total <= found.marks.length && (found.searched >= to || found.state.state === "done");
    if (areKept || to <= (found.marks.at(-1)?.offset ?? -1)) return;
    const near = await found.near(from);
    if (found !== this.found) return;
    this.#near = near;
    this.#changes.tell();
  }

  #look(mark: Mark | null, rank: number | null): void {
    this.current = mark;
    const index = mark === null ? -1 : this.marks.indexOf(mark);
    this.rank = index >= 0 ? index + 1 : rank;
    this.#changes.tell();
  }

  /** Something was found, or the search stands otherwise. */
  #came(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#settle();
      this.#changes.tell();
    }, EVERY_MS);
  }

  #settle(): void {
    const { found } = this;
    if (found === null || found.total === 0) return;
    if (this.current !== null) {
      // It may have been seen before the search came there.
      const [kept] = this.rank === null ? found.between(this.current.offset, this.current.offset + 1) : [];
      if (kept !== undefined) this.#look(kept, null);
      return;
    }
    const mark = found.marks.find((each) => each.offset >= this.#wanted);
    const to = mark ?? (this.#isNearKnown ? found.marks[0] : undefined);
    if (to !== undefined) this.#look(to, null);
  }
}

/** Return a hit of which no more than its line is known. */
function bare({ number, offset, match }: Mark): Hit {
  return { number, offset, match, time: null, stream: "mixed", text: "", columns: [] };
}
