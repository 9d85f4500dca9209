/** The tabs of a browser, at the worker that they share: each gets a berth, and loses it when it is gone.
 *
 * A tab that closes says so, mostly. That it is gone also shows at a lock that it held. Where there are no locks (pages
 * that did not come over HTTPS), tabs are asked now and then; one that was only asleep begins anew when it hears of it.
 */

import { Api } from "./api";
import { Berth } from "./berth";
import { Hub } from "./hub";
import type { ToTab, ToWorker } from "./messages";

export const ASK_MS = 15_000;
const GONE_MS = 50_000;
/** No timer of a machine that is awake is so late. */
const JUMP_MS = 15_000;

type Hello = Extract<ToWorker, { kind: "hello" }>;

interface Moored {
  berth: Berth;
  lock: string | null;
}

export class Harbour {
  readonly #hubs = new Map<string, Hub>();
  readonly #moored = new Map<MessagePort, Moored>();
  readonly #timer: ReturnType<typeof setInterval>;
  #lookedAt = Date.now();

  constructor() {
    this.#timer = setInterval(() => this.#look(), ASK_MS / 3);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const port of [...this.#moored.keys()]) this.#free(port);
    for (const hub of this.#hubs.values()) hub.close();
  }

  /** Take a tab in, by its port. */
  enter(port: MessagePort): void {
    port.onmessage = (event: MessageEvent<ToWorker>) => this.#take(port, event.data);
    port.start();
  }

  /** The network is back. */
  wake(): void {
    for (const hub of this.#hubs.values()) hub.wake();
  }

  #take(port: MessagePort, message: ToWorker): void {
    if (message.kind === "hello") this.#moor(port, message);
    else if (message.kind === "bye") this.#free(port);
    else this.#moored.get(port)?.berth.take(message);
  }

  #moor(port: MessagePort, { root, token, lock }: Hello): void {
    this.#free(port);
    const send = (message: ToTab) => port.postMessage(message);
    const moored = { berth: new Berth(this.#hub(root, token), send), lock };
    this.#moored.set(port, moored);
    if (lock !== null) void navigator.locks.request(lock, () => this.#moored.get(port) === moored && this.#free(port));
  }

  #hub(root: string, token: string | null): Hub {
    const name = `${root} ${token ?? ""}`;
    const known = this.#hubs.get(name);
    if (known !== undefined) return known;
    const hub = new Hub(new Api(token === null ? { root } : { root, token }));
    this.#hubs.set(name, hub);
    return hub;
  }

  #free(port: MessagePort): void {
    this.#moored.get(port)?.berth.close();
    this.#moored.delete(port);
  }

  #look(): void {
    const now = Date.now();
    const hasSlept = now - this.#lookedAt > JUMP_MS;
    this.#lookedAt = now;
    if (hasSlept) this.wake();
    else this.#askAround(now);
  }

  #askAround(now: number): void {
    for (const [port, { berth, lock }] of this.#moored) {
      if (lock !== null) continue;
      if (now - berth.heardAt > GONE_MS) {
        berth.forget();
        this.#moored.delete(port);
      } else if (now - berth.heardAt > ASK_MS) berth.ask();
    }
  }
}
