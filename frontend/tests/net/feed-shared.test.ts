import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunNews } from "../../src/net/feed";
import { SharedFeed } from "../../src/net/feed-shared";
import { Harbour } from "../../src/net/harbour";
import type { ToTab, ToWorker } from "../../src/net/messages";
import { TestServer, until } from "./server";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let server: TestServer;
const harbour = new Harbour();
const tabs: Tab[] = [];
beforeAll(async () => {
  server = await TestServer.begin();
});
afterAll(async () => {
  for (const tab of tabs) tab.port.close();
  harbour.close();
  await server.end();
});

/** A tab that can fall asleep: then what is sent to it waits. */
class Tab {
  port: MessagePort;
  readonly feed: SharedFeed;
  isAsleep = false;
  #waiting: ToTab[] = [];

  constructor() {
    this.port = this.#enter();
    this.feed = new SharedFeed(server.api, {
      send: (message: ToWorker) => this.port.postMessage(message),
      renew: () => {
        this.port.close();
        this.port = this.#enter();
      },
    });
    this.feed.begin(null);
    tabs.push(this);
  }

  wake(): void {
    this.isAsleep = false;
    for (const message of this.#waiting.splice(0)) this.feed.take(message);
  }

  get waits(): number {
    return this.#waiting.reduce((sum, each) => sum + (each.kind === "news" ? each.cost : 0), 0);
  }

  #enter(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    harbour.enter(port2);
    port1.onmessage = (event: MessageEvent<ToTab>) => {
      if (this.isAsleep) this.#waiting.push(event.data);
      else this.feed.take(event.data);
    };
    return port1;
  }
}

interface Seen {
  text: string;
  at: number;
  skipped: number;
  isOver: boolean;
}

function follow(tab: Tab, id: string, from = 0): Seen {
  const seen: Seen = { text: "", at: from, skipped: 0, isOver: false };
  tab.feed.follow(id, from, (news: RunNews) => {
    if (news.kind === "output") {
      expect(news.piece.offset).toBe(seen.at);
      seen.at = news.end;
      seen.text += news.piece.text;
    } else if (news.kind === "skipped") {
      expect(news.to).toBeGreaterThan(seen.at);
      seen.at = news.to;
      seen.skipped += 1;
    } else if (news.kind === "end") seen.isOver = true;
  });
  return seen;
}

const SLOWLY = "for i in range(100):\n print('tick', i, flush=True)\n time.sleep(0.02)";

describe("tabs that share a connection", () => {
  it("each get all of it, of one connection", async () => {
    const before = server.log.split("GET /api/events").length;
    const id = await server.python(SLOWLY);
    const seen = [new Tab(), new Tab(), new Tab()].map((tab) => follow(tab, id));
    await until(() => seen.every((each) => each.isOver), 20_000);
    const whole = await server.text(id);
    for (const each of seen) expect(each.text).toBe(whole);
    expect(server.log.split("GET /api/events").length - before).toBe(1);
  });

  it("goes on exactly with another worker, when the one there was says nothing", async () => {
    const id = await server.python(SLOWLY);
    const tab = new Tab();
    const seen = follow(tab, id);
    await until(() => seen.text.includes("tick 20"));
    tab.port.onmessage = null;
    tab.port.postMessage({ kind: "bye" });
    for (let n = 0; n < 5; n += 1) tab.feed.look();
    await until(() => seen.isOver, 20_000);
    expect(seen.text).toBe(await server.text(id));
  });

  it("leave out what a tab does not take, tell it so, and go on at what is new", async () => {
    const id = await server.python(
      "for i in range(400):\n sys.stdout.write(('x' * 99 + '\\n') * 200)\n sys.stdout.flush()\n time.sleep(0.005)\ntime.sleep(1.5)\nfor i in range(20):\n print('late', i, flush=True)\n time.sleep(0.05)",
    );
    const [sleepy, awake] = [new Tab(), new Tab()];
    const [slow, quick] = [follow(sleepy, id), follow(awake, id)];
    await until(() => quick.at > 50_000);
    sleepy.isAsleep = true;
    await until(() => quick.at >= 8_000_000, 40_000);
    expect(sleepy.waits).toBeLessThan(5 << 20);
    sleepy.wake();
    await until(() => slow.isOver && quick.isOver, 40_000);
    expect([slow.skipped, quick.skipped]).toEqual([1, 0]);
    expect(slow.text.endsWith("late 19\n")).toBe(true);
    expect(slow.at).toBe(quick.at);
  });
});
