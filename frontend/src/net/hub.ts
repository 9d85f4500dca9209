/** All that is followed, in as few connections as can be: one, up to 32 runs.
 *
 * It is a `Feed` itself, for a tab that has none to share. In a SharedWorker it serves all tabs of a browser; there each
 * tab has its own subscribers, so two tabs that show one run are two subscribers to one channel.
 */

import type { Unsubscribe } from "../core/listeners";
import { Listeners } from "../core/listeners";
import type { Run } from "../core/shapes";
import type { Api } from "./api";
import { BringUp } from "./bring-up";
import { Channel, type Help, type Listener, Subscriber } from "./channel";
import type { Connection, Feed, ListNews } from "./feed";
import { RunsStream } from "./runs-stream";

/** A run that nobody follows any more is kept so long: whoever goes from one page to the next finds it as it was. */
const LINGER_MS = 2000;
/** Connections that bring subscribers up, at once; others wait, for a browser has six to a server of HTTP/1.1. */
const MOST_BRINGING_UP = 2;
/** Runs of the list that are remembered for who asks for the list later. When there are more, those that are over and
 * have not changed for longest go first. */
const MOST_LISTED = 2000;

const BADNESS = { open: 0, connecting: 1, waiting: 2, refused: 3 };

export class Hub implements Feed, Help {
  readonly #api: Api;
  readonly #channels = new Map<string, Channel>();
  readonly #streams: RunsStream[] = [];
  readonly #lists = new Set<(news: ListNews) => void>();
  readonly #listed = new Map<string, Run>();
  readonly #connections = new Listeners<Connection>();
  #bringing: BringUp[] = [];
  #isClosed = false;
  #wasLost = false;
  /** where nothing is followed, nothing is missed */
  connection: Connection = { state: "open" };

  constructor(api: Api) {
    this.#api = api;
  }

  follow(runId: string, from: number | "end", listener: Listener): Unsubscribe {
    const subscriber = new Subscriber(from, listener);
    queueMicrotask(() => {
      if (!subscriber.isGone) this.#channel(runId, subscriber).join(subscriber);
    });
    return () => this.#leave(runId, subscriber);
  }

  list(listener: (news: ListNews) => void): Unsubscribe {
    const tell = (news: ListNews) => listener(news);
    queueMicrotask(() => this.#addList(tell));
    return () => {
      this.#lists.delete(tell);
      setTimeout(() => this.#tidyList(), LINGER_MS);
    };
  }

  onConnection(listener: (connection: Connection) => void): Unsubscribe {
    return this.#connections.add(listener);
  }

  retry(): void {
    for (const stream of this.#all()) stream.retry();
  }

  /** The tab, the machine or the network is back. */
  wake(): void {
    for (const stream of this.#all()) stream.wake();
  }

  close(): void {
    this.#isClosed = true;
    for (const stream of this.#all()) stream.close();
  }

  /** See `Help`. */
  bringUp(channel: Channel, subscriber: Subscriber): void {
    this.#bringing.push(new BringUp(this.#api, channel, subscriber, () => this.#bringNext()));
    this.#bringNext();
  }

  /** See `Help`. */
  renew(channel: Channel): void {
    this.#streams.find((stream) => stream.targets.has(channel))?.renew();
  }

  *#all(): Generator<RunsStream> {
    yield* this.#streams;
    for (const each of this.#bringing) if (each.stream !== null) yield each.stream;
  }

  #channel(runId: string, first: Subscriber): Channel {
    const known = this.#channels.get(runId);
    if (known !== undefined) return known;
    const channel = new Channel(runId, this);
    channel.subscribers.add(first); // its place is to be known when the connection is made
    this.#channels.set(runId, channel);
    this.#roomy().add(channel);
    return channel;
  }

  #roomy(): RunsStream {
    const found = this.#streams.find((stream) => stream.hasRoom);
    if (found !== undefined) return found;
    const made = new RunsStream(this.#api, {
      list: (news) => this.#takeList(news),
      told: () => this.#tellConnection(),
    });
    this.#streams.push(made);
    return made;
  }

  #leave(runId: string, subscriber: Subscriber): void {
    if (subscriber.isGone) return;
    subscriber.isGone = true;
    this.#channels.get(runId)?.subscribers.delete(subscriber);
    this.#bringNext();
    setTimeout(() => this.#tidy(runId), LINGER_MS);
  }

  #tidy(runId: string): void {
    const channel = this.#channels.get(runId);
    if (this.#isClosed || channel === undefined || channel.subscribers.size > 0) return;
    this.#channels.delete(runId);
    for (const stream of this.#streams) stream.remove(channel);
  }

  #bringNext(): void {
    for (const each of this.#bringing) if (each.isDone) each.stop();
    this.#bringing = this.#bringing.filter((each) => !each.isDone);
    for (const each of this.#bringing.slice(0, MOST_BRINGING_UP)) each.begin();
  }

  #addList(listener: (news: ListNews) => void): void {
    this.#lists.add(listener);
    for (const run of this.#listed.values()) listener({ kind: "run", run });
    const stream = this.#streams.find((each) => each.hasList) ?? this.#streams[0] ?? this.#roomy();
    stream.hasList = true;
  }

  #takeList(news: ListNews): void {
    if (news.kind === "gone") this.#listed.delete(news.id);
    else this.#remember(news.run);
    for (const listener of [...this.#lists]) listener(news);
  }

  #remember(run: Run): void {
    this.#listed.delete(run.id);
    this.#listed.set(run.id, run);
    if (this.#listed.size <= MOST_LISTED) return;
    const oldest = [...this.#listed.values()].find((each) => each.state === "finished") ?? run;
    this.#listed.delete(oldest.id);
  }

  #tidyList(): void {
    if (this.#isClosed || this.#lists.size > 0) return;
    for (const stream of this.#streams) stream.hasList = false;
    this.#listed.clear();
  }

  #tellConnection(): void {
    const all = this.#streams.map((stream) => stream.connection);
    const worst = all.sort((one, other) => BADNESS[other.state] - BADNESS[one.state])[0];
    if (worst === undefined || worst === this.connection) return;
    if (worst.state === "waiting" || worst.state === "refused") this.#wasLost = true;
    else if (worst.state === "open" && this.#wasLost) {
      this.#wasLost = false;
      this.#listed.clear(); // what was removed meanwhile is not told; the runs that are there are, from the newest on
    }
    this.connection = worst;
    this.#connections.tell(worst);
  }
}
