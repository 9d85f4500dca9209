import { createServer } from "node:http";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Api, messageOf } from "../../src/net/api";
import { ApiProblem, ConnectionLost, isAborted } from "../../src/net/problem";
import { TestServer, until } from "./server";

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 });

let server: TestServer;
let api: Api;
beforeAll(async () => {
  server = await TestServer.begin();
  api = server.api;
});
afterAll(() => server.end());

async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error("that should not have succeeded");
}

describe("the API", () => {
  it("lists commands, starts them by JSON and by form, and shows their runs", async () => {
    expect((await api.commands()).map((command) => command.name)).toContain("count");
    const { parameters } = await api.command("count");
    expect(parameters.properties["n"]).toMatchObject({ type: "integer", default: 100 });
    const one = await api.start("count", { n: 3 });
    const other = await api.start("count", new URLSearchParams({ n: "4" }));
    await until(async () => (await api.run(other.id)).state === "finished");
    expect((await api.run(other.id)).argv.at(-1)).toBe("4");
    const { runs, next } = await api.runs({ command: "count", limit: 1 });
    expect([runs[0]?.id, next === null]).toEqual([other.id, false]);
    expect((await api.runs({ command: "count", limit: 1, cursor: next ?? "" })).runs[0]?.id).toBe(one.id);
  });

  it("gives lines in every form, and hits", async () => {
    const { id } = await api.start("count", { n: 100 });
    await until(async () => (await api.run(id)).state === "finished");
    const texts = async (query: Parameters<Api["lines"]>[1]) =>
      (await api.lines(id, query)).lines.map((line) => line.text);
    expect(await texts({ start: 99 })).toEqual(["99", "100"]);
    expect(await texts({ last: 2 })).toEqual(["99", "100"]);
    expect(await texts({ at: 4, count: 1 })).toEqual(["3"]);
    expect(await texts({ before: 4, count: 1 })).toEqual(["2"]);
    expect(await texts({ time: 0, count: 1 })).toEqual(["1"]);
    expect((await api.search(id, { q: "99" })).hits.map((hit) => hit.number)).toEqual([99]);
    expect((await api.search(id, { q: "^1.$", regex: true }, { count: 3 })).hits).toHaveLength(3);
  });

  it("sends input and its end, pins, and stops", async () => {
    const id = await server.python("print(sys.stdin.read(), flush=True)\ntime.sleep(60)");
    await until(async () => (await api.run(id)).state === "running");
    await api.input(id, "hällo");
    await api.closeInput(id);
    await until(async () => (await api.lines(id, { start: 1 })).lines[0]?.text === "hällo");
    expect((await api.pin(id, true)).pinned).toBe(true);
    expect((await api.pin(id, false)).pinned).toBe(false);
    await api.stop(id);
    await api.stop(id, { now: true });
    await until(async () => (await api.run(id)).state === "finished");
    expect((await api.run(id)).outcome?.kind).toBe("stopped");
  });

  it("tells what is wrong, with which parameter, and what to do", async () => {
    const error = await failureOf(api.start("count", { n: 0 }));
    if (!(error instanceof ApiProblem)) throw error;
    expect([error.status, error.title]).toEqual([400, "Bad Request"]);
    expect([...error.errors.keys()]).toEqual(["n"]);
    expect(messageOf(error)).toContain(error.hint);
    expect(await failureOf(api.run("1k00000000000000000000000aa"))).toMatchObject({ status: 404 });
  });

  it("ends in a lost connection where there is no server, or another one", async () => {
    const nobody = new Api({ root: "http://127.0.0.1:9/" });
    expect(await failureOf(nobody.commands())).toBeInstanceOf(ConnectionLost);
    const other = new Api({ root: `${server.root}healthz/..` });
    expect(other.root).toBe(server.root);
    expect(await failureOf(new Api({ root: `${server.root}elsewhere` }).commands())).toBeInstanceOf(ApiProblem);
  });

  it("gives up when the signal says so", async () => {
    const abort = new AbortController();
    const call = failureOf(api.commands(abort.signal));
    abort.abort();
    expect(isAborted(await call)).toBe(true);
  });

  it("sends its token, and no cookies, under any prefix", async () => {
    const seen: (string | undefined)[] = [];
    const made = createServer((asked, answer) => {
      seen.push(asked.url, asked.headers.authorization);
      answer.setHeader("Content-Type", "application/json").end('{"commands": []}');
    });
    await new Promise<void>((listening) => made.listen(0, "127.0.0.1", listening));
    const address = made.address();
    const port = typeof address === "object" ? address?.port : 0;
    const remote = new Api({ root: `http://127.0.0.1:${port}/ops`, token: "secret" });
    expect(await remote.commands()).toEqual([]);
    expect(seen).toEqual(["/ops/api/commands", "Bearer secret"]);
    expect(remote.request().credentials).toBe("omit");
    made.close();
  });
});
