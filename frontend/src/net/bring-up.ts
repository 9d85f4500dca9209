/** A connection of one subscriber's own, until he has what the others have. */

import type { Api } from "./api";
import type { Channel, Subscriber } from "./channel";
import type { RunNews } from "./feed";
import { RunsStream, type Target } from "./runs-stream";

export class BringUp implements Target {
  readonly runId: string;
  stream: RunsStream | null = null;
  isOver = false;
  readonly #api: Api;
  readonly #channel: Channel;
  readonly #subscriber: Subscriber;
  readonly #done: () => void;

  constructor(api: Api, channel: Channel, subscriber: Subscriber, done: () => void) {
    this.runId = channel.runId;
    this.#api = api;
    this.#channel = channel;
    this.#subscriber = subscriber;
    this.#done = done;
  }

  get place(): number | "end" {
    return this.#subscriber.at ?? "end";
  }

  /** Whether it is of no use any more. */
  get isDone(): boolean {
    return this.isOver || this.#subscriber.isGone || !this.#subscriber.isBehind;
  }

  begin(): void {
    if (this.stream !== null || this.isDone || this.#tryJoin()) return;
    this.stream = new RunsStream(this.#api, { list: () => undefined, told: () => undefined });
    this.stream.add(this);
  }

  stop(): void {
    this.stream?.close();
    this.stream = null;
  }

  began(): void {}

  take(news: RunNews): void {
    if (this.isDone) return;
    const subscriber = this.#subscriber;
    if (news.kind === "output") subscriber.output(news);
    else if (news.kind === "gap") subscriber.gap(news.gap);
    else if (news.kind === "end" || news.kind === "refused") {
      subscriber.tell(news);
      this.isOver = true;
    } else return;
    if (this.isOver) this.#done();
    else this.#tryJoin();
  }

  /** There is too much: what is live matters more, and what lies between can be fetched. */
  lagging(): void {
    const { at } = this.#channel;
    if (at === null || this.isDone) return;
    this.#subscriber.skip(at);
    this.#tryJoin();
  }

  #tryJoin(): boolean {
    if (!this.#channel.catchUp(this.#subscriber)) return false;
    this.#done();
    return true;
  }
}
