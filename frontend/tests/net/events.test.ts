import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, describe, expect, it, vi } from "vitest";
import { Api } from "../../src/net/api";
import { EventStream, type StreamOptions } from "../../src/net/events";
import type { Connection } from "../../src/net/feed";
import { type ApiProblem, retryAfterOf } from "../../src/net/problem";
import { until } from "./server";

type Answer = (asked: IncomingMessage, answer: ServerResponse) => void;

let server: Server | null = null;
let stream: EventStream | null = null;
afterEach(() => {
  stream?.close();
  server?.closeAllConnections();
  server?.close();
  vi.useRealTimers();
});

/** A stream from a server that gives these answers, one after another, and then the last one. */
async function open(...said: (Answer | Partial<StreamOptions>)[]) {
  const answers = said.filter((each) => typeof each === "function");
  let asked = 0;
  const urls: string[] = [];
  const made = createServer((request, response) => {
    urls.push(request.url ?? "");
    const answer = answers[Math.min(asked, answers.length - 1)];
    asked += 1;
    answer?.(request, response);
  });
  server = made;
  await new Promise<void>((listening) => made.listen(0, "127.0.0.1", listening));
  const address = made.address();
  const api = new Api({ root: `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/` });
  const seen = {
    data: [] as string[],
    told: [] as Connection[],
    isOver: false,
    refused: null as ApiProblem | null,
    urls,
  };
  stream = new EventStream({
    api,
    address: (id) => api.address("x", [["after", id]]),
    take: (event) => seen.data.push(event.data),
    told: (connection) => seen.told.push(connection),
    over: () => {
      seen.isOver = true;
    },
    refused: async (problem) => {
      seen.refused = problem;
      return false;
    },
    ...said.find((each) => typeof each === "object"),
  });
  return { seen, stream, api };
}

function says(text: string): Answer {
  return (_asked, answer) => {
    answer.writeHead(200, { "Content-Type": "text/event-stream" });
    answer.end(text);
  };
}

function problem(status: number, headers: Record<string, string> = {}): Answer {
  return (_asked, answer) => {
    answer.writeHead(status, { "Content-Type": "application/problem+json", ...headers });
    answer.end(JSON.stringify({ title: "No", status, detail: "so it is", hint: "do something else" }));
  };
}

/** What a proxy says in words of its own. */
function page(status: number): Answer {
  return (_asked, answer) => answer.writeHead(status, { "Content-Type": "text/html" }).end("<p>nothing here");
}

const OVER: Answer = (_asked, answer) => answer.writeHead(204).end();

describe("a stream of events", () => {
  it("asks again, from the last id, until it is over", async () => {
    const { seen } = await open(says("id: 1\ndata: a\n\n"), says("id: 2\ndata: b\n\ndata: half"), OVER);
    await until(() => seen.isOver);
    expect(seen.data).toEqual(["a", "b"]);
    expect(seen.urls.map((url) => url.split("=")[1])).toEqual(["", "1", "2"]);
  });

  it("asks again when the connection is broken, and says when", async () => {
    const { seen } = await open((asked) => asked.socket.destroy(), says("data: a\n\n"), OVER);
    await until(() => seen.isOver);
    const waiting = seen.told.find((each) => each.state === "waiting");
    expect(waiting).toMatchObject({ why: "the connection was lost" });
    expect(seen.told.map((each) => each.state).slice(0, 4)).toEqual(["connecting", "waiting", "connecting", "open"]);
  });

  it("does not ask again where the server refuses, unless told to", async () => {
    const { seen, stream } = await open(problem(403), OVER);
    await until(() => seen.told.at(-1)?.state === "refused");
    expect(seen.refused).toMatchObject({ status: 403, detail: "so it is", hint: "do something else" });
    stream.wake();
    expect(seen.urls).toHaveLength(1);
    stream.retry();
    await until(() => seen.isOver);
  });

  it("waits as long as the server wants", async () => {
    const { seen, stream } = await open(problem(503, { "Retry-After": "60" }), OVER);
    await until(() => seen.told.at(-1)?.state === "waiting");
    const told = seen.told.at(-1);
    expect(told?.state === "waiting" && told.until - Date.now()).toBeGreaterThan(55_000);
    stream.wake();
    expect(seen.urls).toHaveLength(1);
    stream.retry();
    await until(() => seen.isOver);
  });

  it("waits where it is said to be over, and is not", async () => {
    const { seen } = await open(OVER, { isOver: () => false });
    await until(() => seen.told.some((each) => each.state === "waiting"));
    expect(seen.isOver).toBe(false);
  });

  it("asks again where something on the way says that there is nothing", async () => {
    const { seen } = await open(page(404), OVER);
    await until(() => seen.isOver);
    expect([seen.refused, seen.told.map(({ state }) => state)]).toEqual([
      null,
      ["connecting", "waiting", "connecting"],
    ]);
  });

  it("takes an answer that is no event stream for none", async () => {
    const { seen } = await open((_asked, answer) => answer.writeHead(200, { "Content-Type": "text/html" }).end("<p>"));
    await until(() => seen.told.some((each) => each.state === "waiting"));
    expect(seen.told.some((each) => each.state === "open")).toBe(false);
  });

  it("waits longer and longer, up to ten seconds", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const { seen } = await open((asked) => asked.socket.destroy());
    const waits: number[] = [];
    for (let n = 0; n < 9; n += 1) {
      await vi.waitFor(() => expect(seen.told.at(-1)?.state).toBe("waiting"), { timeout: 5000, interval: 1 });
      const told = seen.told.at(-1);
      waits.push(told?.state === "waiting" ? told.until - Date.now() : 0);
      seen.told.length = 0;
      vi.advanceTimersByTime(10_001);
    }
    expect(waits[0]).toBeLessThanOrEqual(250);
    for (const wait of waits.slice(6)) expect(wait).toBeGreaterThanOrEqual(5000);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(10_000);
  });

  it("knows that nobody is there when there is no heartbeat", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "Date"] });
    const { seen } = await open((_asked, answer) => {
      answer.writeHead(200, { "Content-Type": "text/event-stream" });
      answer.write(": \n\n");
    }, OVER);
    await until(() => seen.told.at(-1)?.state === "open");
    vi.advanceTimersByTime(45_000);
    await vi.waitFor(() => expect(seen.isOver).toBe(true), { timeout: 5000 });
  });
});

describe("Retry-After", () => {
  it.each([
    [null, null],
    ["7", 7],
    ["Thu, 01 Jan 1970 00:01:00 GMT", 50],
    ["soon", null],
  ])("%j is %j seconds", (header, seconds) => expect(retryAfterOf(header, 10_000)).toBe(seconds));
});
