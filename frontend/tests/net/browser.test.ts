import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { Chromium, type Tab } from "./chromium";
import { TestServer, until } from "./server";
import { Site } from "./site";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let server: TestServer;
let site: Site;
let chromium: Chromium;
beforeAll(async () => {
  server = await TestServer.begin();
  site = await Site.begin(server.port);
  chromium = new Chromium();
});
afterAll(async () => {
  await chromium.close();
  site.end();
  await server.end();
});

async function open(): Promise<Tab> {
  const tab = await chromium.open(site.url);
  await until(async () => (await tab.value("typeof see")) === "function", 20_000);
  return tab;
}

async function isOver(...tabs: Tab[]): Promise<boolean> {
  const over = await Promise.all(tabs.map((tab) => tab.value("seen.isOver")));
  return over.every((each) => each === true);
}

const SLOWLY = "for i in range(150):\n print('tick', i, 'é', flush=True)\n time.sleep(0.02)";

describe("tabs of a browser", () => {
  it("share one connection, and each gets all of the output", async () => {
    const tabs = [await open(), await open(), await open()];
    const [asked, id] = [site.asked, await server.python(SLOWLY)];
    for (const tab of tabs) await tab.value(`globalThis.seen = see("${id}"); 0`);
    await until(async () => (await tabs[0]?.value("seen.at > 200")) === true);
    expect(site.streams.size).toBe(1);
    await until(() => isOver(...tabs), 30_000);
    const whole = await server.text(id);
    for (const tab of tabs) expect(await tab.value("seen.text")).toBe(whole);
    expect(site.asked - asked).toBe(1);
    for (const tab of tabs) await tab.close();
  });

  it("resume exactly when the connection is cut again and again, and when a tab is gone", async () => {
    const tabs = [await open(), await open(), await open()];
    const id = await server.python(SLOWLY);
    for (const tab of tabs) await tab.value(`globalThis.seen = see("${id}"); 0`);
    for (const at of [200, 500, 900]) {
      await until(async () => (await tabs[0]?.value(`seen.at > ${at}`)) === true);
      site.cut();
      if (at === 500) await tabs.pop()?.close();
    }
    await until(() => isOver(...tabs), 30_000);
    const whole = await server.text(id);
    for (const tab of tabs) expect(await tab.value("seen.text")).toBe(whole);
    for (const tab of tabs) expect(await tab.value("seen.problem")).toBe("");
    for (const tab of tabs) await tab.close();
  });

  it("follow a tab's run no more when it is gone", async () => {
    const [one, other] = [await open(), await open()];
    const ids = [await server.python(SLOWLY), await server.python(SLOWLY)];
    await one.value(`globalThis.seen = see("${ids[0]}"); 0`);
    await other.value(`globalThis.seen = see("${ids[1]}"); 0`);
    await until(() => site.last.includes(ids[0] ?? "?") && site.last.includes(ids[1] ?? "?"));
    await other.close();
    await until(() => site.last.includes(ids[0] ?? "?") && !site.last.includes(ids[1] ?? "?"));
    await until(() => isOver(one), 30_000);
    expect(await one.value("seen.text")).toBe(await server.text(ids[0] ?? ""));
    await one.close();
  });

  it("let go of the connection when the last one is closed", async () => {
    const [one, other] = [await open(), await open()];
    const id = await server.python(SLOWLY);
    for (const tab of [one, other]) await tab.value(`globalThis.seen = see("${id}"); 0`);
    await until(() => site.streams.size === 1);
    await one.close();
    await other.close();
    await until(() => site.streams.size === 0, 5000);
  });

  it("work where there is no SharedWorker", async () => {
    const tab = await chromium.open("about:blank");
    await tab.ask("Page.enable");
    await tab.ask("Page.addScriptToEvaluateOnNewDocument", { source: "delete globalThis.SharedWorker" });
    await tab.ask("Page.navigate", { url: site.url });
    await until(async () => (await tab.value("typeof see")) === "function");
    expect(await tab.value("typeof SharedWorker")).toBe("undefined");
    const id = await server.python(SLOWLY);
    await tab.value(`globalThis.seen = see("${id}"); 0`);
    await until(() => isOver(tab), 30_000);
    expect(await tab.value("seen.text")).toBe(await server.text(id));
    await tab.close();
  });

  it("take a flood of a million lines, and have the end of it", async () => {
    const tab = await open();
    const id = await server.python(
      "block = ''.join(f'a line of some sixty characters, as most of them are {i:06d}\\n' for i in range(1000))\nfor i in range(1000):\n sys.stdout.write(block)\n sys.stdout.flush()\n time.sleep(0.008)",
    );
    await tab.value(
      `globalThis.doc = open("${id}"); globalThis.moved = 0; doc.on((event) => { moved += event.kind === "moved" }); globalThis.worst = 0; globalThis.long = []; new PerformanceObserver((list) => { for (const each of list.getEntries()) long.push(Math.round(each.duration)); }).observe({ type: "longtask" }); globalThis.last = performance.now(); setInterval(() => { const now = performance.now(); worst = Math.max(worst, now - last); last = now; }, 4); 0`,
    );
    await until(async () => (await tab.value("doc.isComplete")) === true, 50_000);
    expect(await tab.value("doc.count")).toBe(1_000_000);
    expect(await tab.value("doc.row(999999)?.raw")).toBe("a line of some sixty characters, as most of them are 000999");
    expect(await tab.value("doc.row(999999)?.number")).toBe(1_000_000);
    await tab.ask("HeapProfiler.collectGarbage");
    const { usedSize } = await tab.ask("Runtime.getHeapUsage");
    console.log(
      `longest pause ${await tab.value("worst")} ms, long tasks ${JSON.stringify(await tab.value("long"))}, heap ${usedSize}, skips ${await tab.value("moved")}`,
    );
    expect(usedSize).toBeLessThan(50e6);
    await tab.close();
  });
});
