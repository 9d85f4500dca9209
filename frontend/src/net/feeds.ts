/** The feed of this tab: of a worker that all tabs share, where there is one; of its own where there is none (Chrome on
 * Android), where it cannot be loaded, and where the API is another server's.
 */

import type { Api } from "./api";
import type { Feed } from "./feed";
import { type Line, SharedFeed } from "./feed-shared";
import { Harbour } from "./harbour";
import type { ToTab, ToWorker } from "./messages";

const LOOK_MS = 5000;

let harbour: Harbour | null = null;

/** Open the feed of this API: once for each page. */
export function openFeed(api: Api): Feed {
  const line = new TabLine(api);
  const feed = new SharedFeed(api, line);
  line.open((message) => feed.take(message), feed);
  keep(feed);
  return feed;
}

/** What joins the tab with the worker. When that is gone or cannot be loaded, the tab does the work itself. */
class TabLine implements Line {
  readonly #mayShare: boolean;
  #port: MessagePort | null = null;
  #take: (message: ToTab) => void = () => undefined;

  constructor(api: Api) {
    const isOurs = api.token === null && new URL(api.root).origin === location.origin;
    this.#mayShare = isOurs && typeof SharedWorker !== "undefined";
  }

  open(take: (message: ToTab) => void, feed: SharedFeed): void {
    this.#take = take;
    const worker = this.#mayShare ? shared() : null;
    worker?.addEventListener("error", () => {
      if (this.#port !== worker.port) return;
      this.renew();
      feed.begin(null);
    });
    this.#use(worker?.port ?? ownPort());
  }

  send(message: ToWorker): void {
    this.#port?.postMessage(message);
  }

  renew(): void {
    this.#use(ownPort());
  }

  #use(port: MessagePort): void {
    this.send({ kind: "bye" });
    this.#port?.close();
    this.#port = port;
    port.onmessage = (event: MessageEvent<ToTab>) => this.#take(event.data);
    port.start();
  }
}

function shared(): SharedWorker | null {
  try {
    return new SharedWorker(new URL("./worker.ts", import.meta.url), { type: "module", name: "tailrace" });
  } catch {
    return null; // the browser does not allow it here: in a sandbox, say
  }
}

function ownPort(): MessagePort {
  harbour ??= new Harbour();
  const { port1, port2 } = new MessageChannel();
  harbour.enter(port2);
  return port1;
}

/** Begin, and begin again when the page comes back from where browsers keep pages; wake what sleeps. */
function keep(feed: SharedFeed): void {
  let release: () => void = () => undefined;
  const begin = () => {
    release = hold((lock) => feed.begin(lock));
  };
  begin();
  setInterval(() => feed.look(), LOOK_MS);
  addEventListener("online", () => feed.wake());
  document.addEventListener("visibilitychange", () => document.hidden || feed.wake());
  addEventListener("pagehide", () => {
    feed.bye();
    release();
  });
  addEventListener("pageshow", (event) => event.persisted && begin());
}

/** Hold a lock that tells others, by being free, that this page is gone; return what lets go of it. */
function hold(held: (name: string | null) => void): () => void {
  let release: () => void = () => undefined;
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  const name = `tailrace-${Math.random().toString(36).slice(2)}${Date.now().toString(36)}`;
  if (!("locks" in navigator)) held(null);
  else
    navigator.locks
      .request(name, () => {
        held(name);
        return until;
      })
      .catch(() => held(null));
  return release;
}
