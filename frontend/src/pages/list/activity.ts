/** When runs wrote how much: fetched for the runs that are looked at, a few at a time, and kept for a while. */

import { Listeners, type Unsubscribe } from "../../core/listeners";
import type { Run } from "../../core/shapes";
import type { Api } from "../../net/api";
import { ApiProblem } from "../../net/problem";

const BUCKETS = 48;
/** requests at a time; whoever comes later waits, and is dropped if nobody looks at it any more */
const AT_ONCE = 3;
/** that are kept; the one that was not asked for longest goes */
const MOST = 400;
/** after which the activity of a run that goes is fetched again */
const STALE_MS = 5000;

interface Kept {
  bytes: readonly number[];
  at: number;
  isFinal: boolean;
}

export class Activities {
  readonly #kept = new Map<string, Kept>();
  readonly #changes = new Listeners<string>();
  readonly #asked = new Set<string>();
  #wanted: Run[] = [];
  /** an older server has no activities: it is asked for the first few, and for no more */
  #isThere = true;
  #hasHad = false;

  constructor(readonly api: Pick<Api, "activity">) {}

  on(listener: (id: string) => void): Unsubscribe {
    return this.#changes.add(listener);
  }

  of(id: string): readonly number[] | undefined {
    return this.#kept.get(id)?.bytes;
  }

  /** These runs are looked at, and no others. */
  want(runs: readonly Run[]): void {
    this.#wanted = runs.filter((run) => run.started !== null);
    this.#go();
  }

  #go(): void {
    if (!this.#isThere) return;
    for (const run of this.#wanted) {
      if (this.#asked.size >= AT_ONCE) return;
      if (!this.#asked.has(run.id) && this.#isStale(run)) void this.#ask(run);
    }
  }

  #isStale(run: Run): boolean {
    const kept = this.#kept.get(run.id);
    return kept === undefined || (!kept.isFinal && Date.now() - kept.at >= STALE_MS);
  }

  async #ask(run: Run): Promise<void> {
    this.#asked.add(run.id);
    let bytes: readonly number[] = this.of(run.id) ?? [];
    try {
      bytes = (await this.api.activity(run.id, BUCKETS)).bytes;
      this.#hasHad = true;
    } catch (error) {
      // a decoration: without it, the list is whole
      if (error instanceof ApiProblem && error.status === 404 && !this.#hasHad) this.#isThere = false;
    }
    this.#asked.delete(run.id);
    this.#kept.delete(run.id);
    this.#kept.set(run.id, { bytes, at: Date.now(), isFinal: run.state === "finished" });
    for (const [id] of this.#kept) if (this.#kept.size > MOST) this.#kept.delete(id);
    this.#changes.tell(run.id);
    this.#go();
  }
}
