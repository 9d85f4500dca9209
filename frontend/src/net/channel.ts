/** A run that is followed: by one connection, for any number of subscribers, each from its own offset.
 *
 * The connection is at one place, `at`. A subscriber who is there gets what comes. One who is behind gets the difference
 * from the window of pieces that are kept; if it is not there, or cannot be cut exactly, a connection of his own brings
 * him up to where the others are, and is closed. One who is before it (he has just read the output's end by other means)
 * gets what lies behind his offset. So nobody who joins disturbs those who are there, and nobody gets a byte twice.
 */

import type { Run } from "../core/shapes";
import type { RunNews } from "./feed";
import type { Target } from "./runs-stream";
import { behind, type Output, Window } from "./window";

export type Listener = (news: RunNews) => void;

export class Subscriber {
  /** the offset behind what it has; null: it begins wherever the run's end is found */
  at: number | null;
  /** it is being brought up by a connection of its own */
  isBehind = false;
  isGone = false;
  readonly #listener: Listener;

  constructor(from: number | "end", listener: Listener) {
    this.at = from === "end" ? null : from;
    this.#listener = listener;
  }

  tell(news: RunNews): void {
    if (!this.isGone) this.#listener(news);
  }

  /** Go on at this offset, whatever lies between. */
  skip(to: number): void {
    this.isBehind = false;
    if (this.at !== null && this.at < to) this.tell({ kind: "skipped", to });
    this.at = Math.max(this.at ?? to, to);
  }

  /** Take what is new in this; return false if that cannot be cut out of it. */
  output(output: Output): boolean {
    this.at ??= output.piece.offset;
    if (output.end <= this.at) return true;
    if (output.piece.offset > this.at) this.skip(output.piece.offset);
    const rest = behind(output, this.at);
    if (rest === null) return false;
    this.at = output.end;
    this.tell(rest);
    return true;
  }

  gap(gap: { from: number; to: number; why: string }): void {
    if (this.at !== null && gap.to <= this.at) return;
    this.at = gap.to;
    this.tell({ kind: "gap", gap });
  }
}

export interface Help {
  /** Bring a subscriber up to where the channel is, by a connection of its own. */
  bringUp(channel: Channel, subscriber: Subscriber): void;
  /** The channel wants to go on at the run's end. */
  renew(channel: Channel): void;
}

export class Channel implements Target {
  readonly runId: string;
  readonly subscribers = new Set<Subscriber>();
  /** how the run stands, as last told */
  run: Run | null = null;
  at: number | null = null;
  isOver = false;
  refusal: string | null = null;
  readonly #window = new Window();
  readonly #help: Help;
  #isSkipping = false;

  constructor(runId: string, help: Help) {
    this.runId = runId;
    this.#help = help;
  }

  /** The farthest that anyone wants: who wants to begin before it is brought up, so that nobody waits for his past. */
  get place(): number | "end" {
    if (this.#isSkipping) return "end";
    if (this.at !== null) return this.at;
    const wanted = [...this.subscribers].map((each) => each.at);
    return wanted.length === 0 || wanted.includes(null) ? "end" : Math.max(...wanted.map((each) => each ?? 0));
  }

  join(subscriber: Subscriber): void {
    this.subscribers.add(subscriber);
    if (this.refusal !== null) subscriber.tell({ kind: "refused", why: this.refusal });
    else if (this.run !== null) subscriber.tell({ kind: "state", run: this.run });
    if (this.at !== null) this.catchUp(subscriber);
  }

  /** Give the subscriber all that the others have, if it is here; return false if not, and have it brought. */
  catchUp(subscriber: Subscriber): boolean {
    if (this.at === null) return false;
    subscriber.at ??= this.at;
    if (subscriber.at < this.at && !this.#giveKept(subscriber)) {
      if (!subscriber.isBehind) this.#bringUp(subscriber);
      return false;
    }
    subscriber.isBehind = false;
    if (this.isOver && this.run !== null) subscriber.tell({ kind: "end", run: this.run });
    return true;
  }

  began(offset: number): void {
    const isSkip = this.#isSkipping;
    this.#isSkipping = false;
    if (this.at !== null && offset <= this.at) return;
    this.#window.clear();
    this.at = offset;
    for (const subscriber of this.subscribers) {
      if (subscriber.at === null) subscriber.at = offset;
      else if (subscriber.isBehind || subscriber.at >= offset) continue;
      else if (isSkip) subscriber.skip(offset);
      else this.#bringUp(subscriber);
    }
  }

  lagging(): void {
    if (this.#isSkipping) return;
    this.#isSkipping = true;
    this.#help.renew(this);
  }

  take(news: RunNews): void {
    if (news.kind === "output") this.#output(news);
    else if (news.kind === "gap") this.#gap(news.gap);
    else if (news.kind === "state") this.#state(news.run);
    else if (news.kind === "end") this.#end(news.run);
    else if (news.kind === "refused") this.#refused(news.why);
  }

  #output(output: Output): void {
    this.at = output.end;
    this.#window.add(output);
    for (const subscriber of this.subscribers)
      if (!subscriber.isBehind && !subscriber.output(output)) this.#bringUp(subscriber);
  }

  #gap(gap: { from: number; to: number; why: string }): void {
    this.at = gap.to;
    this.#window.clear();
    for (const subscriber of this.subscribers) if (!subscriber.isBehind) subscriber.gap(gap);
  }

  #state(run: Run): void {
    this.run = run;
    for (const subscriber of this.subscribers) subscriber.tell({ kind: "state", run });
  }

  #end(run: Run): void {
    this.run = run;
    this.isOver = true;
    for (const subscriber of this.subscribers) if (!subscriber.isBehind) subscriber.tell({ kind: "end", run });
  }

  #refused(why: string): void {
    this.isOver = true;
    this.refusal = why;
    for (const subscriber of this.subscribers) subscriber.tell({ kind: "refused", why });
  }

  #giveKept(subscriber: Subscriber): boolean {
    const kept = subscriber.at === null ? null : this.#window.since(subscriber.at);
    for (const output of kept ?? []) subscriber.output(output);
    return kept !== null;
  }

  #bringUp(subscriber: Subscriber): void {
    subscriber.isBehind = true;
    this.#help.bringUp(this, subscriber);
  }
}
