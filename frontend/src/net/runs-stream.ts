/** One connection to `api/events`: up to 32 runs, and the list of runs, each from exactly where it is wanted.
 *
 * Every attempt asks for `run=<id>/<offset>` with the offsets as they are then, so an end of the connection and a change
 * of what is wanted are the same: nothing is lost, nothing comes twice.
 */

import type { Api } from "./api";
import { isGap, isObject, isPiece, isRun } from "./checks";
import type { ServerEvent } from "./event-parser";
import { EventStream } from "./events";
import type { Connection, ListNews, RunNews } from "./feed";
import { type Place, placesOf } from "./places";
import { type ApiProblem, isPassing } from "./problem";

/** What the server allows in one connection. */
export const MOST_RUNS = 32;
/** Several changes of what is wanted, as when a page opens, make one new connection. */
const GATHER_MS = 10;

/** One run in a connection. */
export interface Target {
  readonly runId: string;
  /** where to go on */
  readonly place: number | "end";
  /** nothing more will come */
  readonly isOver: boolean;
  /** a connection begins here: at its place, or where the end lies that was asked for */
  began(offset: number): void;
  take(news: RunNews): void;
  /** the server has much more than it can get rid of */
  lagging(): void;
}

export interface Owner {
  list(news: ListNews): void;
  told(): void;
}

export class RunsStream {
  readonly targets = new Set<Target>();
  #hasList = false;
  readonly #api: Api;
  readonly #owner: Owner;
  #stream: EventStream | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** of the connection that there is: its runs in their order, and how far each has come */
  #asked: Target[] = [];
  #places: Place[] | null = null;

  constructor(api: Api, owner: Owner) {
    this.#api = api;
    this.#owner = owner;
  }

  get connection(): Connection {
    return this.#stream?.connection ?? { state: this.#isIdle ? "open" : "connecting" };
  }

  get hasRoom(): boolean {
    return this.targets.size < MOST_RUNS;
  }

  get hasList(): boolean {
    return this.#hasList;
  }

  set hasList(wanted: boolean) {
    if (wanted === this.#hasList) return;
    this.#hasList = wanted;
    this.renew();
  }

  add(target: Target): void {
    this.targets.add(target);
    this.renew();
  }

  /** Let go of a run; the connection is made anew only if the run could still say something. */
  remove(target: Target): void {
    if (this.targets.delete(target) && !target.isOver) this.renew();
  }

  /** Ask anew, soon, for what is wanted then. */
  renew(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#renew(), GATHER_MS);
  }

  retry(): void {
    this.#stream?.retry();
  }

  wake(): void {
    this.#stream?.wake();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stream?.close();
    this.#stream = null;
  }

  get #isIdle(): boolean {
    return !this.#hasList && [...this.targets].every((target) => target.isOver);
  }

  #renew(): void {
    this.#timer = undefined;
    if (this.#isIdle) {
      this.close();
      this.#owner.told();
    } else if (this.#stream === null) this.#stream = this.#open();
    else this.#stream.restart();
  }

  #open(): EventStream {
    return new EventStream({
      api: this.#api,
      address: () => this.#address(),
      take: (event) => this.#take(event),
      takeId: (id) => this.#takeId(id),
      told: () => queueMicrotask(() => this.#owner.told()),
      isOver: () => this.#isIdle,
      over: () => this.#isDone(),
      refused: (problem) => this.#refused(problem),
    });
  }

  #isDone(): void {
    this.#stream = null;
    if (!this.#isIdle) this.renew();
  }

  #address(): string {
    this.#asked = [...this.targets].filter((target) => !target.isOver);
    this.#places = null;
    const runs = this.#asked.map((target): [string, string] => ["run", `${target.runId}/${target.place}`]);
    return this.#api.address("events", this.#hasList ? [...runs, ["list", 1]] : runs);
  }

  #takeId(id: string): void {
    const isFirst = this.#places === null;
    this.#places = placesOf(id) ?? this.#places;
    if (!isFirst) return;
    for (const [at, target] of this.#asked.entries()) {
      const place = this.#places?.[at];
      if (place !== undefined) target.began(place.offset);
    }
  }

  #take({ name, data }: ServerEvent): void {
    const told: unknown = JSON.parse(data);
    if (!isObject(told)) return;
    if (name === "run" && isRun(told)) this.#owner.list({ kind: "run", run: told });
    else if (name === "removed" && typeof told["id"] === "string") this.#owner.list({ kind: "gone", id: told["id"] });
    else this.#takeOf(told["run"], name, told);
  }

  #takeOf(runId: unknown, name: string, told: object): void {
    const at = this.#asked.findIndex((target) => target.runId === runId);
    const [target, place] = [this.#asked[at], this.#places?.[at]];
    if (target === undefined || place === undefined || !this.targets.has(target)) return;
    if (name === "output" && isPiece(told)) target.take({ kind: "output", piece: told, end: place.offset });
    else if (name === "gap" && isGap(told)) target.take({ kind: "gap", gap: told });
    else if (name === "state" && isRun(told)) target.take({ kind: "state", run: told });
    else if (name === "end" && isRun(told)) target.take({ kind: "end", run: told });
    else if (name === "lagging") target.lagging();
  }

  /** One run that is not to be had makes the server refuse all: find it, and go on without. Return whether to go on. */
  async #refused(problem: ApiProblem): Promise<boolean> {
    if (problem.isUnknown) return false; // all would be refused alike; who comes in again goes on where he was
    const asked = this.#asked;
    const failures = await Promise.all(asked.map((target) => this.#failureOf(target)));
    let isBetter = false;
    for (const [at, target] of asked.entries()) {
      const failure = failures[at];
      if (failure === null || failure === undefined) continue;
      isBetter = true;
      if (!isPassing(failure)) this.#letGo(target, failure.message);
    }
    const isListRefused = !isBetter && asked.length > 0 && this.#hasList && [401, 403].includes(problem.status);
    if (isListRefused) this.#hasList = false; // the runs may be seen, their list may not
    return (isBetter || isListRefused) && !this.#isIdle;
  }

  #letGo(target: Target, why: string): void {
    this.targets.delete(target);
    target.take({ kind: "refused", why });
  }

  /** Return why the run cannot be had; null: it can. */
  async #failureOf({ runId, place }: Target): Promise<Error | null> {
    try {
      const run = await this.#api.run(runId);
      const isShort = place !== "end" && run.size < place;
      return isShort ? new Error(`the output is shorter than ${place} bytes`) : null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }
}
