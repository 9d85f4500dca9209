import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Needle } from "../../src/net/api";
import { ENOUGH, MOST_CHARS, MOST_KEPT, Search } from "../../src/net/search";
import { TestServer, until } from "./server";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.begin();
});
afterAll(() => server.end());

function search(runId: string, needle: Needle, size = 0): Search {
  return new Search({ api: server.api, runId, needle, size });
}

async function finished(program: string): Promise<string> {
  const id = await server.python(program);
  await until(async () => (await server.api.run(id)).state === "finished", 30_000);
  return id;
}

describe("a search", () => {
  it("finds all hits, with their lines, and is done", async () => {
    const id = await finished("for i in range(1000): print('needle' if i % 100 == 7 else 'hay', i)");
    const found = search(id, { q: "needle" }, 8000);
    await until(() => found.state.state === "done");
    expect(found.marks.map((mark) => mark.number)).toEqual(Array.from({ length: 10 }, (_, at) => at * 100 + 8));
    expect(found.marks[1]?.hit).toMatchObject({ text: "needle 107", columns: [[0, 6]] });
    expect([found.total, found.searched]).toEqual([10, (await server.api.run(id)).size]);
    const [third] = [found.marks[2]?.offset ?? 0];
    expect((await found.after(third))?.number).toBe(308);
    expect((await found.before(third))?.number).toBe(108);
    expect(found.between(third, third + 1).map((mark) => mark.number)).toEqual([208]);
    expect(found.portions.counts.reduce((sum, each) => sum + each, 0)).toBe(10);
  });

  it("follows a run that goes on, also when the server was killed meanwhile", async () => {
    const id = await server.python("for i in range(120):\n print('hit', i, flush=True)\n time.sleep(0.02)");
    const found = search(id, { q: "HIT", ignoreCase: true });
    await until(() => found.total > 10);
    await server.kill();
    await until(() => found.state.state === "waiting");
    await server.start();
    await until(() => found.state.state === "done", 20_000);
    expect(found.marks.map((mark) => mark.number)).toEqual(Array.from({ length: 120 }, (_, at) => at + 1));
  });

  it("says why a regular expression is refused", async () => {
    const id = await finished("print('a')");
    const found = search(id, { q: "(", regex: true });
    await until(() => found.state.state === "refused");
    expect(found.state).toMatchObject({ problem: { status: 400 } });
  });

  it("keeps so much only, fetches what it did not keep, and stops when it is enough", async () => {
    const id = await finished("for i in range(130_000): print('needle', 'y' * 120, i)");
    const found = search(id, { q: "needle" });
    await until(() => found.state.state === "enough", 30_000);
    expect([found.total, found.marks.length]).toEqual([ENOUGH, MOST_KEPT]);
    const chars = found.marks.reduce((sum, mark) => sum + (mark.hit?.text.length ?? 0), 0);
    expect(chars).toBeLessThanOrEqual(MOST_CHARS);
    expect(found.marks[0]?.hit).not.toBeNull();
    await found.fill(9000, 9040);
    expect(found.marks.slice(9000, 9040).every((mark) => mark.hit?.number === mark.number)).toBe(true);
    const last = found.marks.at(-1);
    const beyond = await found.after(last?.offset ?? 0);
    expect(beyond?.number).toBe(MOST_KEPT + 1);
    expect((await found.before(beyond?.offset ?? 0))?.number).toBe(MOST_KEPT);
    const far = await found.after(70_000 * 130);
    expect((await found.before(far?.offset ?? 0))?.number).toBe((far?.number ?? 0) - 1);
    found.goOn();
    await until(() => found.state.state === "done", 30_000);
    expect(found.total).toBe(130_000);
  });
});
