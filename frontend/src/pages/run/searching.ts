/** A search through the whole output, by the server: its hits as they come, and the one that is looked at. */

import { Listeners, type Unsubscribe } from "../../core/listeners";
import type { Hit } from "../../core/shapes";
import type { Api, Needle } from "../../net/api";
import { isAborted } from "../../net/problem";

/** hits that one request brings */
const COUNT = 500;
/** hits that are kept. When there are more, the search rests, and goes on from there when somebody wants it to. */
export const MOST_HITS = 20_000;
/** before a run that goes on is searched further */
const AGAIN_MS = 1000;

export class Searching {
  readonly #changes = new Listeners<void>();
  #control = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #wanted = 0;

  needle: Needle | null = null;
  hits: Hit[] = [];
  /** of the hit that is looked at, in `hits`; -1: none yet */
  current = -1;
  /** everything that there is has been searched */
  isDone = false;
  /** there are more hits than are kept; the search rests at this offset */
  restsAt: number | null = null;
  searched = 0;
  size = 0;
  fault: unknown = null;

  constructor(
    readonly api: Pick<Api, "search">,
    readonly runId: string,
  ) {}

  on(listener: () => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  get hit(): Hit | undefined {
    return this.hits[this.current];
  }

  /** Search for something else; the first hit at this offset or behind it is looked at first. */
  begin(needle: Needle, near: number): void {
    this.clear();
    if (needle.q === "") return;
    this.needle = needle;
    this.#wanted = near;
    void this.#go(0);
  }

  clear(): void {
    this.#control.abort();
    this.#control = new AbortController();
    clearTimeout(this.#timer);
    Object.assign(this, { needle: null, hits: [], current: -1, isDone: false, restsAt: null, fault: null });
    Object.assign(this, { searched: 0, size: 0 });
    this.#changes.tell();
  }

  /** Look at another hit: so many further, round from the last to the first. */
  step(by: 1 | -1): void {
    const { length } = this.hits;
    if (length === 0) return;
    if (by > 0 && this.current === length - 1 && this.restsAt !== null) this.onward();
    else this.choose((this.current + by + length) % length);
  }

  choose(index: number): void {
    this.current = index;
    this.#changes.tell();
  }

  /** Search on behind the hits that are kept, in place of them. */
  onward(): void {
    const from = this.restsAt;
    if (from === null) return;
    this.hits = [];
    this.current = -1;
    this.restsAt = null;
    this.#wanted = from;
    void this.#go(from);
  }

  retry(): void {
    this.fault = null;
    void this.#go(this.searched);
  }

  async #go(from: number): Promise<void> {
    const { needle } = this;
    const { signal } = this.#control;
    let next: number | null = from;
    while (needle !== null && next !== null) {
      try {
        const page = await this.api.search(this.runId, needle, { from: next, count: COUNT }, signal);
        if (signal.aborted) return;
        const isAtEnd = page.next !== null && page.hits.length < COUNT && page.next >= page.size;
        this.#take(page.hits);
        this.size = page.size;
        this.searched = page.next ?? page.size;
        next = page.next;
        this.isDone = next === null || isAtEnd;
        if (this.isDone) this.#settle();
        if (this.hits.length >= MOST_HITS) this.restsAt = next;
        this.#changes.tell();
        if (this.restsAt !== null) return;
        if (isAtEnd) return this.#later();
      } catch (error) {
        if (signal.aborted || isAborted(error)) return;
        this.fault = error;
        this.#changes.tell();
        return;
      }
    }
  }

  /** The run goes on, and so does the search. */
  #later(): void {
    this.#timer = setTimeout(() => void this.#go(this.searched), AGAIN_MS);
  }

  #take(hits: readonly Hit[]): void {
    const before = this.hits.length;
    this.hits.push(...hits);
    if (this.current >= 0) return;
    const at = this.hits.findIndex((hit, index) => index >= before && hit.offset >= this.#wanted);
    if (at >= 0) this.current = at;
  }

  /** Nothing was found behind the place that was looked at: then the first that there is. */
  #settle(): void {
    if (this.current < 0 && this.hits.length > 0) this.current = 0;
  }
}
