/** An event stream that resumes by itself: what EventSource does, with headers, with a watch on its heartbeats, and with
 * words for how it stands.
 *
 * The stream asks; it is `open` when the server's head is there. Whatever ends it, other than the server's word that it
 * is over (204) or refused (4xx), it is asked for again: after a while that doubles from 0.25 s to 10 s, drawn at random
 * between half and all of it, so that not all clients of a server that comes back come at once. `Retry-After` is obeyed.
 * A stream that has been open for a while is asked for again at once the first time: most ends are a restart.
 */

import type { Api } from "./api";
import { EventParser, type ServerEvent } from "./event-parser";
import type { Connection } from "./feed";
import { ApiProblem, ConnectionLost } from "./problem";

export const FIRST_WAIT_MS = 250;
export const LONGEST_WAIT_MS = 10_000;
/** The server says something every 15 s: after this long without a byte, nobody is there. */
export const DEAD_MS = 40_000;
/** Who wakes from sleep does not wait for that, if nothing has come for this long. */
const DOUBTFUL_MS = 20_000;

export interface StreamOptions {
  api: Api;
  /** the address to ask, each time; it is told the last id that came */
  address: (lastId: string) => string;
  take: (event: ServerEvent) => void;
  takeId?: (id: string) => void;
  told: (connection: Connection) => void;
  /** the server has ended it for good: a 204, or an end of the stream for which `isOver` says so */
  over?: () => void;
  isOver?: () => boolean;
  /** the server refuses; return whether to ask again, otherwise after all */
  refused?: (problem: ApiProblem) => Promise<boolean>;
}

export class EventStream {
  connection: Connection = { state: "connecting" };
  readonly #options: StreamOptions;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #parser: EventParser;
  #failures = 0;
  #heardAt = 0;
  /** the server said so */
  #notBefore = 0;
  #isClosed = false;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#parser = new EventParser(options.take, options.takeId);
    this.#ask();
  }

  /** Ask anew, at once: what is asked for has changed. */
  restart(): void {
    this.#failures = 0;
    this.#ask();
  }

  /** Ask now, if it waits or was refused. */
  retry(): void {
    if (this.connection.state === "waiting" || this.connection.state === "refused") this.restart();
  }

  /** The machine, the tab or the network is back: nobody waits any longer, and a stream that was silent is not trusted. */
  wake(): void {
    if (this.connection.state === "refused" || Date.now() < this.#notBefore) return;
    if (this.connection.state === "waiting" || Date.now() - this.#heardAt > DOUBTFUL_MS) this.restart();
  }

  close(): void {
    this.#isClosed = true;
    this.#abort.abort();
    clearTimeout(this.#timer);
  }

  #ask(): void {
    if (this.#isClosed) return;
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#abort = new AbortController();
    this.#heardAt = Date.now();
    this.#tell({ state: "connecting" });
    void this.#run(this.#abort);
  }

  async #run(abort: AbortController): Promise<void> {
    const { signal } = abort;
    let failure: unknown = null;
    let openedAt: number | null = null;
    try {
      const response = await this.#answer(abort);
      if (signal.aborted) return;
      if (response === null && this.#options.isOver?.() !== false) return this.#finish();
      if (response === null) throw new ConnectionLost("it is said to be over, and is not");
      openedAt = Date.now();
      this.#tell({ state: "open" });
      await this.#read(response, abort);
    } catch (error) {
      failure = error;
    }
    if (signal.aborted && signal.reason !== DEAD) return;
    if (failure === null && this.#options.isOver?.() === true) return this.#finish();
    if (openedAt !== null && Date.now() - openedAt > 1000) this.#failures = 0;
    if (failure instanceof ApiProblem && !failure.isPassing) return this.#refuse(failure, signal);
    this.#wait(failure);
  }

  /** Return the stream's body; null: it is over. */
  async #answer(abort: AbortController): Promise<ReadableStream<Uint8Array> | null> {
    const { api, address, take, takeId } = this.#options;
    const parser = new EventParser(take, takeId);
    parser.id = this.#parser.id;
    parser.retryMs = this.#parser.retryMs;
    this.#parser = parser;
    const init = api.request({ headers: { Accept: "text/event-stream" }, signal: abort.signal });
    const watch = this.#watch(abort);
    try {
      const response = await fetch(address(parser.id), init);
      if (response.status === 204) return null;
      if (!response.ok) throw await api.problem(response);
      const isStream = response.headers.get("Content-Type")?.startsWith("text/event-stream") === true;
      if (!isStream || response.body === null) throw new ConnectionLost("this is no event stream");
      return response.body;
    } finally {
      clearInterval(watch);
    }
  }

  async #read(body: ReadableStream<Uint8Array>, abort: AbortController): Promise<void> {
    const reader = body.getReader();
    const decoder = new TextDecoder();
    const watch = this.#watch(abort);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done || abort.signal.aborted) return;
        this.#heardAt = Date.now();
        this.#parser.add(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearInterval(watch);
      reader.cancel().catch(() => undefined); // it may be broken already, and that is known
    }
  }

  #watch(abort: AbortController): ReturnType<typeof setInterval> {
    return setInterval(() => {
      if (Date.now() - this.#heardAt > DEAD_MS) abort.abort(DEAD);
    }, 2000);
  }

  #finish(): void {
    this.#isClosed = true;
    this.#options.over?.();
  }

  async #refuse(problem: ApiProblem, signal: AbortSignal): Promise<void> {
    const again = (await this.#options.refused?.(problem).catch(() => true)) ?? false;
    if (signal.aborted) return;
    if (again) return this.#wait(problem);
    this.#tell({ state: "refused", why: problem.message, status: problem.status });
  }

  #wait(failure: unknown): void {
    const asked = failure instanceof ApiProblem ? failure.retryAfterS : null;
    const longest = Math.min(LONGEST_WAIT_MS, (this.#parser.retryMs ?? FIRST_WAIT_MS) * 2 ** this.#failures);
    const ms = Math.max(longest * (0.5 + Math.random() / 2), Math.min(asked ?? 0, 600) * 1000);
    this.#notBefore = asked === null ? 0 : Date.now() + ms;
    this.#failures = Math.min(this.#failures + 1, 10);
    const why = failure instanceof ApiProblem ? failure.message : "the connection was lost";
    this.#tell({ state: "waiting", until: Date.now() + ms, why });
    this.#timer = setTimeout(() => this.#ask(), ms);
  }

  #tell(connection: Connection): void {
    if (this.#isClosed) return;
    this.connection = connection;
    this.#options.told(connection);
  }
}

const DEAD = "no byte has come for too long";
