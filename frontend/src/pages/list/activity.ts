/** When runs wrote how much, and how far those that go say they are: fetched for the runs that are looked at, a few at a
 * time, and kept for a while. */

import { Listeners, type Unsubscribe } from "../../core/listeners";
import { type Progress, toldProgress } from "../../core/osc";
import type { Run } from "../../core/shapes";
import type { Api } from "../../net/api";
import { ApiProblem, isPassing } from "../../net/problem";

const BUCKETS = 48;
/** requests at a time; whoever comes later waits, and is dropped if nobody looks at it any more */
const AT_ONCE = 3;
/** between two looks for who is to be asked for */
const SOONEST_MS = 500;
/** that are kept; the one that was not asked for longest goes */
const MOST = 400;
/** after which the activity of a run that goes is fetched again */
const STALE_MS = 5000;
/** the same, where it tells its progress */
const PROGRESS_STALE_MS = 2000;

interface Kept {
  bytes: readonly number[];
  /** the last that it told, which may have been long ago; null: none, or it is over */
  progress: Progress | null;
  at: number;
  isFinal: boolean;
  /** it could not be had, and may be later */
  isMissing: boolean;
}

export class Activities {
  readonly #kept = new Map<string, Kept>();
  readonly #changes = new Listeners<string>();
  readonly #asked = new Set<string>();
  #wanted: Run[] = [];
  /** an older server has no activities: it is asked for the first few, and for no more */
  #isThere = true;
  #hasHad = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly api: Pick<Api, "activity">) {}

  on(listener: (id: string) => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  of(id: string): readonly number[] | undefined {
    return this.#kept.get(id)?.bytes;
  }

  progressOf(run: Run): Progress | null {
    return run.state === "finished" ? null : (this.#kept.get(run.id)?.progress ?? null);
  }

  /** Nobody looks any more. */
  close(): void {
    this.want([]);
  }

  /** These runs are looked at, and no others. */
  want(runs: readonly Run[]): void {
    this.#wanted = runs.filter((run) => run.started !== null);
    this.#go();
  }

  #go(): void {
    clearTimeout(this.#timer);
    if (!this.#isThere) return;
    this.#askSome();
    const due = Math.min(...this.#wanted.map((run) => this.#dueOf(run)));
    if (Number.isFinite(due)) this.#timer = setTimeout(() => this.#go(), Math.max(SOONEST_MS, due - Date.now()));
  }

  #askSome(): void {
    if (document.visibilityState !== "visible") return;
    for (const run of this.#wanted) {
      if (this.#asked.size >= AT_ONCE) return;
      if (!this.#asked.has(run.id) && this.#dueOf(run) <= Date.now()) void this.#ask(run);
    }
  }

  /** Return when it is to be asked for again, in milliseconds since 1970; never, once it is over. */
  #dueOf(run: Run): number {
    const kept = this.#kept.get(run.id);
    if (kept === undefined) return 0;
    if (kept.isFinal) return Number.POSITIVE_INFINITY;
    if (kept.isMissing) return kept.at + STALE_MS;
    return kept.at + (run.state === "finished" ? 0 : kept.progress === null ? STALE_MS : PROGRESS_STALE_MS);
  }

  async #ask(run: Run): Promise<void> {
    this.#asked.add(run.id);
    let bytes: readonly number[] = this.of(run.id) ?? [];
    let progress = this.progressOf(run);
    let isMissing = false;
    try {
      const told = await this.api.activity(run.id, BUCKETS);
      bytes = told.bytes;
      const news = toldProgress(told.progress);
      if (news !== undefined) progress = news;
      this.#hasHad = true;
    } catch (error) {
      // a decoration: without it, the list is whole
      isMissing = isPassing(error);
      if (error instanceof ApiProblem && error.status === 404 && !this.#hasHad) this.#isThere = false;
    }
    this.#asked.delete(run.id);
    this.#kept.delete(run.id);
    const isFinal = run.state === "finished" && !isMissing;
    this.#kept.set(run.id, { bytes, progress, at: Date.now(), isFinal, isMissing });
    for (const [id] of this.#kept) if (this.#kept.size > MOST) this.#kept.delete(id);
    this.#changes.tell(run.id);
    this.#go();
  }
}
