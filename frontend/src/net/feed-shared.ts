/** A tab's end of the connection that all tabs share.
 *
 * It knows where each of its followers is, so it can begin anew at any time, exactly there: when the worker has forgotten
 * this tab, which slept for too long, and when the worker itself is gone.
 */

import type { Unsubscribe } from "../core/listeners";
import { Listeners } from "../core/listeners";
import type { Api } from "./api";
import type { Connection, Feed, ListNews, RunNews } from "./feed";
import type { News, ToTab, ToWorker } from "./messages";

/** The tab's end of what joins it with the worker. */
export interface Line {
  send(message: ToWorker): void;
  /** make another, in place of one that is broken */
  renew(): void;
}

interface Follower {
  runId: string;
  at: number | "end";
  isOver: boolean;
  listener: (news: RunNews) => void;
}

/** A worker that says nothing, though it was asked so often, is gone. Not so long: a tab that was asleep has its timers
 * at once, and its messages a little later. */
const MOST_ASKED = 3;

export class SharedFeed implements Feed {
  connection: Connection = { state: "connecting" };
  readonly #api: Api;
  readonly #line: Line;
  readonly #followers = new Map<number, Follower>();
  readonly #lists = new Map<number, (news: ListNews) => void>();
  readonly #connections = new Listeners<Connection>();
  #lock: string | null = null;
  #number = 0;
  #asked = 0;

  constructor(api: Api, line: Line) {
    this.#api = api;
    this.#line = line;
  }

  /** Say hello; again, with another lock, whenever the worker does not know this tab any more. */
  begin(lock: string | null): void {
    this.#lock = lock;
    const { root, token } = this.#api;
    this.#line.send({ kind: "hello", root, token, lock });
    for (const [number, { runId, at, isOver }] of this.#followers)
      if (!isOver) this.#line.send({ kind: "follow", number, runId, from: at });
    for (const number of this.#lists.keys()) this.#line.send({ kind: "list", number });
  }

  follow(runId: string, from: number | "end", listener: (news: RunNews) => void): Unsubscribe {
    const number = this.#next();
    this.#followers.set(number, { runId, at: from, isOver: false, listener });
    this.#line.send({ kind: "follow", number, runId, from });
    return () => {
      if (this.#followers.delete(number)) this.#line.send({ kind: "leave", number });
    };
  }

  list(listener: (news: ListNews) => void): Unsubscribe {
    const number = this.#next();
    this.#lists.set(number, listener);
    this.#line.send({ kind: "list", number });
    return () => {
      if (this.#lists.delete(number)) this.#line.send({ kind: "leave", number });
    };
  }

  onConnection(listener: (connection: Connection) => void): Unsubscribe {
    return this.#connections.add(listener);
  }

  retry(): void {
    this.#line.send({ kind: "retry" });
    if (this.connection.state === "open") this.#connections.tell(this.connection);
  }

  wake(): void {
    this.#line.send({ kind: "wake" });
  }

  bye(): void {
    this.#line.send({ kind: "bye" });
  }

  /** See that the worker is there: to be called now and then. */
  look(): void {
    if (this.#asked >= MOST_ASKED) {
      this.#asked = 0;
      this.#line.renew();
      this.begin(this.#lock);
    }
    this.#asked += 1;
    this.#line.send({ kind: "ask" });
  }

  /** Take what the worker says. */
  take(message: ToTab): void {
    this.#asked = 0;
    if (message.kind === "news") {
      for (const news of message.news) this.#takeNews(news);
      this.#line.send({ kind: "taken", cost: message.cost });
    } else if (message.kind === "connection") {
      this.connection = message.connection;
      this.#connections.tell(message.connection);
    } else if (message.kind === "ask") this.#line.send({ kind: "here" });
    else if (message.kind === "forgotten") this.begin(this.#lock);
  }

  #takeNews(news: News): void {
    if ("list" in news) this.#lists.get(news.number)?.(news.list);
    else this.#takeRun(news.number, news.run);
  }

  #takeRun(number: number, run: RunNews): void {
    const follower = this.#followers.get(number);
    if (follower === undefined) return;
    if (run.kind === "output") follower.at = run.end;
    else if (run.kind === "skipped") follower.at = run.to;
    else if (run.kind === "gap") follower.at = run.gap.to;
    else if (run.kind === "end" || run.kind === "refused") follower.isOver = true;
    follower.listener(run);
  }

  #next(): number {
    this.#number += 1;
    return this.#number;
  }
}
