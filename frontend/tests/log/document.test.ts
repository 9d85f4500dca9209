import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { RunDocument } from "../../src/log/document";
import type { SourceEvent } from "../../src/log/source";
import { Hub } from "../../src/net/hub";
import { TestServer, until } from "../net/server";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 30_000 });

let server: TestServer;
beforeAll(async () => {
  server = await TestServer.begin();
});
afterAll(() => server.end());

interface Opened {
  document: RunDocument;
  events: SourceEvent[];
  close(): void;
}

function open(runId: string): Opened {
  const { api } = server;
  const hub = new Hub(api);
  const document = new RunDocument({ api, feed: hub, runId });
  const events: SourceEvent[] = [];
  document.on((event) => events.push(event));
  return {
    document,
    events,
    close: () => {
      document.close();
      hub.close();
    },
  };
}

async function rows(document: RunDocument, first: number, last: number): Promise<string[]> {
  document.want(first, last);
  const found = () => Array.from({ length: last - first }, (_, at) => document.row(first + at)?.raw);
  await until(() => !found().includes(undefined));
  return found().map((each) => each ?? "");
}

/** Lines of all lengths, some of more bytes than characters; the same ones here and there. */
const IRREGULAR =
  "pad = ['é' * (n * 37 % 90) for n in range(90)]\nw = sys.stdout.write\nfor i in range(N): w(f'{i} {pad[i * 7919 % 90]}\\n')";

function irregular(count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${at} ${"é".repeat((((at * 7919) % 90) * 37) % 90)}`);
}

describe("a run's document", () => {
  it("shows a short run that is over, whole and numbered", async () => {
    const id = await server.python("print('one')\nprint('two')\nsys.stdout.write('three')");
    const { document, close } = open(id);
    await until(() => document.isComplete && document.count === 3);
    expect(await rows(document, 0, 3)).toEqual(["one", "two", "three"]);
    expect([0, 1, 2].map((at) => document.row(at)?.number)).toEqual([1, 2, 3]);
    expect(document.row(2)?.partial).toBe(true);
    expect(document.startedAt).toBeGreaterThan(1e12);
    close();
  });

  it("grows with a run that goes, and ends with every line of it", async () => {
    const id = await server.python(
      "for i in range(5000):\n print('line', i, flush=True)\n if i % 50 == 0: time.sleep(0.01)",
    );
    const { document, close } = open(id);
    await until(() => document.isComplete, 30_000);
    expect(document.count).toBe(5000);
    for (const first of [0, 2300, 4900]) {
      const found = await rows(document, first, first + 100);
      expect(found).toEqual(Array.from({ length: 100 }, (_, at) => `line ${first + at}`));
      expect(document.row(first)?.number).toBe(first + 1);
    }
    close();
  });

  it("has colours go on from line to line, at the end and in pages", async () => {
    const id = await server.python(
      "for i in range(3000):\n print('plain', i)\n print('\\x1b[31mred')\n print('still red\\x1b[0m')",
    );
    const { document, close } = open(id);
    await until(() => document.isComplete && document.count === 9000);
    for (const first of [8994, 8001, 3000, 0]) {
      await rows(document, first, first + 6);
      const looks = [0, 1, 2, 3].map((at) => document.row(first + at)?.spans[0]?.look.fg ?? null);
      expect(looks).toEqual([null, 1, 1, null]);
    }
    close();
  });

  it("waits for a prompt without its newline, and shows it", async () => {
    const id = await server.python(
      "sys.stdout.write('name? ')\nsys.stdout.flush()\nprint('hello', sys.stdin.readline())",
    );
    const { document, close } = open(id);
    await until(() => document.row(0)?.raw === "name? ");
    await server.api.input(id, "it\n");
    await until(() => document.row(0)?.raw === "name? hello it");
    close();
  });

  it("opens a long output at its end while it is being counted, goes anywhere, and settles", async () => {
    const id = await server.python(`${IRREGULAR.replace("N", "900_000")}\nsys.stdout.flush()\nsys.stdin.readline()`);
    const whole = irregular(900_000);
    const size = whole.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
    await until(async () => (await server.api.run(id)).size === size, 50_000);
    const { document, events, close } = open(id);
    await until(() => document.isOpen);
    expect(document.isCounted).toBe(false);
    await until(() => document.row(document.count - 1)?.raw === whole.at(-1));
    const middle = Math.floor(document.count / 2);
    const seen = await rows(document, middle, middle + 50);
    const at = whole.indexOf(seen[0] ?? "?");
    expect(seen).toEqual(whole.slice(at, at + 50));
    const above = await rows(document, middle - 500, middle - 400);
    expect(above.every((line) => /^\d+ é*$/.test(line))).toBe(true);
    await until(() => document.isCounted, 30_000);
    expect(document.count).toBe(900_000);
    expect(events.some((event) => event.kind === "moved")).toBe(true);
    await server.api.input(id, "that is all\n");
    await until(() => document.isComplete);
    const line = await document.indexOfLine(834_567);
    expect((await rows(document, line, line + 10))[0]).toBe(whole[834_566]);
    const offset = document.row(line)?.offset ?? -1;
    expect(await document.indexOfOffset(offset + 2)).toBe(line);
    close();
  });

  it("drops what is far away, finds it again, and gives up what nobody wants any more", async () => {
    const id = await server.python(IRREGULAR.replace("N", "60_000"));
    await until(async () => (await server.api.run(id)).state === "finished");
    const { document, close } = open(id);
    expect(await document.indexOfLine(77)).toBe(76);
    expect(await document.indexOfLine(1e9)).toBe(59_999);
    expect(await document.indexOfTime(0)).toBe(0);
    await until(() => document.isComplete, 30_000);
    for (let first = 0; first < 40_000; first += 1000) await rows(document, first, first + 60);
    expect(document.row(20)).toBeUndefined();
    for (let first = 0; first < 50_000; first += 500) document.want(first, first + 60);
    expect(await rows(document, 7, 9)).toHaveLength(2);
    close();
  });
});
