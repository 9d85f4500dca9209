/** A tab, as the worker has it: what it follows, and how much it has been sent without having taken it.
 *
 * What is sent to a tab waits in the memory of both until the tab takes it. So there is a bound: beyond it, output is
 * left out, and when the tab has taken most of what it had, it is told where it goes on. State is told then as it is.
 */

import type { Unsubscribe } from "../core/listeners";
import type { ListNews, RunNews } from "./feed";
import type { Hub } from "./hub";
import { costOf, type News, type ToTab, type ToWorker } from "./messages";

/** Characters that are on their way to a tab. When it is full, nobody waits: the tab gets a `skipped`. */
export const MOST_COST = 4 << 20;
const ROOM = 1 << 20;
/** of one message, about: a tab can do something else between two */
const MESSAGE_COST = 128 << 10;
/** News of the list for a tab that takes nothing, one for each run; when there are more, the oldest go. */
const MOST_LISTED = 500;

interface Followed {
  leave: Unsubscribe;
  /** behind the output that was left out; null: none was */
  skippedTo: number | null;
  /** what is to be told when there is room, the last of each kind */
  state: RunNews | null;
  last: RunNews | null;
}

export class Berth {
  /** when the tab was last heard */
  heardAt: number;
  readonly #hub: Hub;
  readonly #send: (message: ToTab) => void;
  readonly #followed = new Map<number, Followed>();
  readonly #lists = new Map<number, { leave: Unsubscribe; waiting: Map<string, ListNews> }>();
  readonly #leaveConnection: Unsubscribe;
  #queue: News[] = [];
  #cost = 0;
  #isFull = false;
  #isDue = false;

  constructor(hub: Hub, send: (message: ToTab) => void) {
    this.#hub = hub;
    this.#send = send;
    this.heardAt = Date.now();
    this.#send({ kind: "connection", connection: hub.connection });
    this.#leaveConnection = hub.onConnection((connection) => this.#send({ kind: "connection", connection }));
  }

  take(message: ToWorker): void {
    this.heardAt = Date.now();
    if (message.kind === "follow") this.#follow(message.number, message.runId, message.from);
    else if (message.kind === "list") this.#list(message.number);
    else if (message.kind === "leave") this.#leave(message.number);
    else if (message.kind === "taken") this.#taken(message.cost);
    else if (message.kind === "ask") this.#send({ kind: "here" });
    else if (message.kind === "wake") this.#hub.wake();
    else if (message.kind === "retry") this.#hub.retry();
  }

  close(): void {
    this.#leaveConnection();
    for (const number of [...this.#followed.keys(), ...this.#lists.keys()]) this.#leave(number);
    this.#queue = [];
  }

  ask(): void {
    this.#send({ kind: "ask" });
  }

  forget(): void {
    this.close();
    this.#send({ kind: "forgotten" });
  }

  #follow(number: number, runId: string, from: number | "end"): void {
    const leave = this.#hub.follow(runId, from, (news) => this.#takeRun(number, followed, news));
    const followed: Followed = { leave, skippedTo: null, state: null, last: null };
    this.#followed.set(number, followed);
  }

  #list(number: number): void {
    const waiting = new Map<string, ListNews>();
    const leave = this.#hub.list((news) => this.#takeList(number, waiting, news));
    this.#lists.set(number, { leave, waiting });
  }

  #leave(number: number): void {
    this.#followed.get(number)?.leave();
    this.#lists.get(number)?.leave();
    this.#followed.delete(number);
    this.#lists.delete(number);
  }

  #takeRun(number: number, followed: Followed, news: RunNews): void {
    if (!this.#isFull && followed.skippedTo === null) this.#add({ number, run: news });
    else if (news.kind === "output") followed.skippedTo = news.end;
    else if (news.kind === "skipped") followed.skippedTo = news.to;
    else if (news.kind === "gap") followed.skippedTo = news.gap.to;
    else if (news.kind === "state") followed.state = news;
    else followed.last = news;
  }

  #takeList(number: number, waiting: Map<string, ListNews>, news: ListNews): void {
    if (!this.#isFull) {
      this.#add({ number, list: news });
      return;
    }
    const id = news.kind === "run" ? news.run.id : news.id;
    waiting.delete(id);
    waiting.set(id, news);
    for (const oldest of waiting.keys()) {
      if (waiting.size <= MOST_LISTED) break;
      waiting.delete(oldest);
    }
  }

  #add(news: News): void {
    this.#queue.push(news);
    this.#cost += costOf(news);
    this.#isFull = this.#cost > MOST_COST;
    if (this.#isDue) return;
    this.#isDue = true;
    queueMicrotask(() => this.#flush()); // what one piece of the connection brings goes as one
  }

  #flush(): void {
    this.#isDue = false;
    let [news, cost]: [News[], number] = [[], 0];
    for (const each of this.#queue) {
      news.push(each);
      cost += costOf(each);
      if (cost < MESSAGE_COST) continue;
      this.#send({ kind: "news", news, cost });
      [news, cost] = [[], 0];
    }
    if (news.length > 0) this.#send({ kind: "news", news, cost });
    this.#queue = [];
  }

  #taken(cost: number): void {
    this.#cost -= cost;
    if (!this.#isFull || this.#cost > ROOM) return;
    this.#isFull = false;
    for (const [number, followed] of this.#followed) this.#goOn(number, followed);
    for (const [number, { waiting }] of this.#lists) {
      for (const list of waiting.values()) this.#add({ number, list });
      waiting.clear();
    }
  }

  #goOn(number: number, followed: Followed): void {
    const { skippedTo, state, last } = followed;
    Object.assign(followed, { skippedTo: null, state: null, last: null });
    if (state !== null) this.#add({ number, run: state });
    if (skippedTo !== null) this.#add({ number, run: { kind: "skipped", to: skippedTo } });
    if (last !== null) this.#add({ number, run: last });
  }
}
