import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunNews } from "../../src/net/feed";
import { Hub } from "../../src/net/hub";
import { TestServer, until } from "./server";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.begin();
});
afterAll(() => server.end());

/** What one subscriber got, checked to be without a hole. */
class Viewer {
  text = "";
  at: number;
  isOver = false;
  skipped = 0;
  refused: string | null = null;
  readonly kinds: string[] = [];
  readonly begin: number;

  constructor(from: number) {
    this.begin = this.at = from;
  }

  take = (news: RunNews): void => {
    this.kinds.push(news.kind);
    if (news.kind === "output") {
      if (this.isOver) throw new Error("output behind the end");
      expect(news.piece.offset).toBe(this.at);
      this.at = news.end;
      this.text += news.piece.text;
    } else if (news.kind === "skipped") {
      this.skipped += 1;
      this.at = news.to;
    } else if (news.kind === "end") this.isOver = true;
    else if (news.kind === "refused") this.refused = news.why;
  };
}

function follow(hub: Hub, runId: string, from = 0): Viewer {
  const viewer = new Viewer(from);
  hub.follow(runId, from, viewer.take);
  return viewer;
}

function streams(): number {
  return server.log.split("\n").filter((line) => line.includes("GET /api/events")).length;
}

const TICKS = "for i in range(60):\n print('tick', i, 'ü' * (i % 7), flush=True)\n time.sleep(0.02)";

describe("the hub", () => {
  it("is as it should be while nothing is followed, and nobody is asked", () => {
    const hub = new Hub(server.api);
    expect(hub.connection).toEqual({ state: "open" });
    hub.close();
  });

  it("gives a run from its start to its end", async () => {
    const hub = new Hub(server.api);
    const viewer = follow(hub, await server.python("print('a')\nprint('b', file=sys.stderr)"));
    await until(() => viewer.isOver);
    expect([...viewer.text.split("\n")].sort()).toEqual(["", "a", "b"]);
    expect(viewer.kinds[0]).toBe("state");
    hub.close();
  });

  it("gives all who join their own sequence, from any offset, and does not begin anew for them", async () => {
    const hub = new Hub(server.api);
    const id = await server.python(TICKS);
    const first = follow(hub, id);
    await until(() => first.text.includes("tick 12"));
    const before = streams();
    const offsets = [0, 1, 13, first.at - 3, first.at, first.at + 2].filter((at) => !isInside(first.text, at));
    const others = offsets.map((from) => follow(hub, id, from));
    await until(() => [first, ...others].every((each) => each.isOver));
    const whole = Buffer.from(await server.text(id));
    for (const each of [first, ...others]) expect(each.text).toBe(whole.subarray(each.begin).toString());
    expect(streams()).toBe(before);
    hub.close();
  });

  it("follows many runs in connections of 32, and takes runs in and out without a loss", async () => {
    const hub = new Hub(server.api);
    const ids = [];
    for (let n = 0; n < 6; n += 1) ids.push(await server.python(TICKS));
    const viewers: Viewer[] = [];
    for (const id of ids) {
      const viewer = follow(hub, id);
      viewers.push(viewer);
      await until(() => viewer.text !== "");
    }
    hub.follow(ids[0] ?? "", "end", () => undefined)();
    await until(() => viewers.every((each) => each.isOver), 20_000);
    for (const [at, each] of viewers.entries()) expect(each.text).toBe(await server.text(ids[at] ?? ""));
    hub.close();
  });

  it("resumes exactly when the server was killed and another one is there", async () => {
    const hub = new Hub(server.api);
    const id = await server.python(TICKS.replace("range(60)", "range(200)"));
    const viewer = follow(hub, id);
    const told: string[] = [];
    hub.onConnection((connection) => told.push(connection.state));
    await until(() => viewer.text.includes("tick 20"));
    await server.kill();
    await until(() => told.includes("waiting"));
    await server.start();
    hub.wake();
    await until(() => viewer.isOver, 20_000);
    expect(viewer.text).toBe(await server.text(id));
    expect(told.at(-1)).toBe("open");
    hub.close();
  });

  it("says which run is refused, and goes on with the others", async () => {
    const hub = new Hub(server.api);
    const id = await server.python(TICKS);
    const [good, bad] = [follow(hub, id), follow(hub, `${id.slice(0, -4)}aaaa`)];
    await until(() => bad.refused !== null && good.isOver);
    expect(good.text).toBe(await server.text(id));
    hub.close();
  });

  it("keeps bytes that are no UTF-8 at their places, for who joins in the middle too", async () => {
    const hub = new Hub(server.api);
    const id = await server.python(
      "for i in range(40):\n os.write(1, b'a\\xff\\xfe\\xe2\\x82 b\\n' * 3)\n time.sleep(0.02)",
    );
    const first = follow(hub, id);
    await until(() => first.at > 60);
    const others = [first.at - 8, first.at - 16, 0].map((from) => follow(hub, id, from));
    await until(() => [first, ...others].every((each) => each.isOver));
    const size = (await server.api.run(id)).size;
    for (const each of [first, ...others]) expect(each.at).toBe(size);
    hub.close();
  });

  it("skips to what is new where the server says that it lags", async () => {
    const hub = new Hub(server.api);
    const id = await server.python(
      "block = b'x' * 99 + b'\\n'\nos.write(1, b'')\nfor i in range(90):\n sys.stdout.buffer.write(block * 1000)\nsys.stdout.flush()\ntime.sleep(0.3)\nfor i in range(50):\n print('late', i, flush=True)\n time.sleep(0.04)",
    );
    await until(async () => (await server.api.run(id)).size > 6e6);
    const viewer = follow(hub, id, 0);
    await until(() => viewer.isOver, 20_000);
    expect(viewer.text).toContain("late 49");
    expect(viewer.skipped).toBe(1);
    hub.close();
  });

  it("follows more runs than fit into one connection", async () => {
    const hub = new Hub(server.api);
    const ids: string[] = [];
    for (let n = 0; n < 35; n += 1) ids.push((await server.api.start("count", { n: n + 1 })).id);
    const before = streams();
    const viewers = ids.map((id) => follow(hub, id));
    await until(() => viewers.every((each) => each.isOver), 20_000);
    expect(viewers[34]?.text.split("\n")).toHaveLength(36);
    expect(streams() - before).toBe(2);
    hub.close();
  });

  it("tells the list of runs, and those who ask later what is known", async () => {
    const hub = new Hub(server.api);
    const [one, other] = [new Map<string, string>(), new Map<string, string>()];
    hub.list((news) => news.kind === "run" && one.set(news.run.id, news.run.state));
    const id = await server.python("pass");
    await until(() => one.get(id) === "finished");
    hub.list((news) => news.kind === "run" && other.set(news.run.id, news.run.state));
    await until(() => other.get(id) === "finished", 300);
    hub.close();
  });
});

/** Whether this byte is inside of a character. */
function isInside(text: string, at: number): boolean {
  const byte = Buffer.from(text)[at];
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
