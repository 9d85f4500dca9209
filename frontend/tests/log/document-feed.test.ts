import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RunDocument } from "../../src/log/document";
import type { SourceEvent } from "../../src/log/source";
import type { Feed, RunNews } from "../../src/net/feed";
import { Hub } from "../../src/net/hub";
import { TestServer, until } from "../net/server";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.begin();
});
afterAll(() => server.end());

/** A feed that leaves out what lies between two offsets, as one does that was too slow for it. */
class Skipping implements Feed {
  readonly #hub: Hub;
  readonly #from: number;
  readonly #to: number;

  constructor(hub: Hub, from: number, to: number) {
    this.#hub = hub;
    this.#from = from;
    this.#to = to;
  }

  get connection() {
    return this.#hub.connection;
  }

  follow(runId: string, from: number | "end", listener: (news: RunNews) => void) {
    const leaveOut = (news: RunNews) => {
      if (news.kind !== "output") return listener(news);
      if (news.end <= this.#from) listener(news);
      else if (leave === null) leave = this.#goOn(runId, listener);
    };
    let leave: (() => void) | null = null;
    const leaveFirst = this.#hub.follow(runId, from, leaveOut);
    return () => {
      leaveFirst();
      leave?.();
    };
  }

  list() {
    return () => undefined;
  }

  onConnection(listener: Parameters<Feed["onConnection"]>[0]) {
    return this.#hub.onConnection(listener);
  }

  retry(): void {}

  #goOn(runId: string, listener: (news: RunNews) => void): () => void {
    listener({ kind: "skipped", to: this.#to });
    return this.#hub.follow(runId, this.#to, listener);
  }
}

describe("a document whose feed skips", () => {
  it("estimates what lies between, learns the truth, and has every line when it is wanted", async () => {
    const { api } = server;
    const id = await server.python(
      "import random\nrandom.seed(3)\nsys.stdin.readline()\nfor i in range(20_000):\n print(i, 'é' * random.randrange(60))\n if i % 500 == 0: sys.stdout.flush(); time.sleep(0.01)",
    );
    const hub = new Hub(api);
    const [from, to] = [100_000, 600_007];
    const document = new RunDocument({ api, feed: new Skipping(hub, from, to), runId: id });
    const events: SourceEvent[] = [];
    document.on((event) => events.push(event));
    await until(() => document.isOpen);
    await api.input(id, "go\n");
    await until(() => document.isComplete, 30_000);
    const whole = (await server.text(id)).split("\n").slice(0, -1);
    expect(document.count).toBe(whole.length);
    expect(events.some((event) => event.kind === "moved")).toBe(true);
    for (let first = 0; first < 20_000; first += 400) {
      const last = Math.min(first + 400, whole.length);
      document.want(first, last);
      const rows = () => Array.from({ length: last - first }, (_, at) => document.row(first + at));
      await until(() => rows().every((row) => row !== undefined));
      expect(rows().map((row) => row?.raw)).toEqual(whole.slice(first, last));
      expect(rows().map((row) => row?.number)).toEqual(Array.from({ length: last - first }, (_, at) => first + at + 1));
    }
    document.close();
    hub.close();
  });
});

describe("a document whose feed skips to the end", () => {
  it.each(["\\n", ""])(
    "learns how many lines there are, though nothing comes any more, with %j at the end",
    async (end) => {
      const { api } = server;
      const id = await server.python(
        `sys.stdin.readline()\nfor i in range(3000):\n print(i, flush=i % 50 == 0)\nsys.stdout.write('last${end}')`,
      );
      const hub = new Hub(api);
      const size = Array.from({ length: 3000 }, (_, at) => `${at}\n`).join("").length + (end === "" ? 4 : 5);
      const document = new RunDocument({ api, feed: new Skipping(hub, 300, size), runId: id });
      await until(() => document.isOpen);
      await api.input(id, "go\n");
      await until(() => document.isComplete, 30_000);
      expect(document.count).toBe(3001);
      document.want(2990, 3001);
      await until(() => document.row(3000)?.raw === "last");
      expect(document.row(3000)?.number).toBe(3001);
      document.close();
      hub.close();
    },
  );
});

describe("a document of an output that was cut", () => {
  it("has the part that is missing as its last row, with its size and why", async () => {
    const { api } = server;
    const run = await api.start("little", {});
    await until(async () => (await api.run(run.id)).state === "finished");
    const hub = new Hub(api);
    const document = new RunDocument({ api, feed: hub, runId: run.id });
    await until(() => document.isComplete);
    const { size, dropped } = await api.run(run.id);
    expect(dropped).toBeGreaterThan(0);
    const last = document.row(document.count - 1);
    expect(last?.gap).toMatchObject({ from: size, to: size + dropped });
    expect(document.gaps).toHaveLength(1);
    expect(document.row(document.count - 2)?.raw.length).toBeGreaterThan(0);
    document.close();
    hub.close();
  });

  it("says when there is no such run", async () => {
    const { api } = server;
    const hub = new Hub(api);
    const document = new RunDocument({ api, feed: hub, runId: "1k00000000000000000000000aa" });
    const events: SourceEvent[] = [];
    document.on((event) => events.push(event));
    await until(() => events.some((event) => event.kind === "failed"));
    document.close();
    hub.close();
  });
});
