import { describe, expect, it, vi } from "vitest";
import type { RunPage, RunQuery } from "../../../src/net/api";
import { EVERYTHING } from "../../../src/pages/list/filter";
import { FIRST_RUNS, MOST_NEW, MOST_PAGES, RunList } from "../../../src/pages/list/runlist";
import { aRun } from "../../run";

const id = (number: number) => String(number).padStart(8, "0");

/** A server with `count` runs, the newest first, whose cursor is the id of the last run of the page before. */
function serverOf(count: number) {
  return vi.fn(async (query: RunQuery): Promise<RunPage> => {
    const newest = query.cursor === undefined ? count : Number(query.cursor) - 1;
    const numbers = Array.from({ length: Math.min(newest, query.limit ?? 50) }, (_, index) => newest - index);
    const last = numbers.at(-1) ?? 0;
    return { runs: numbers.map((number) => aRun({ id: id(number) })), next: last > 1 ? id(last) : null, total: count };
  });
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

async function opened(count: number) {
  const fetch = serverOf(count);
  const list = new RunList(fetch, EVERYTHING);
  await settled();
  return { list, fetch };
}

describe("a list of runs", () => {
  it("has the first page, and fetches the next one when its end is looked at", async () => {
    const { list, fetch } = await opened(750);
    expect([list.count, list.total, list.hasMore]).toEqual([FIRST_RUNS, 750, true]);
    list.want(90, 101);
    await settled();
    expect([list.count, fetch.mock.calls.length]).toEqual([500, 2]);
    list.want(490, 501);
    await settled();
    expect([list.count, list.hasMore, list.at(749)?.id]).toEqual([750, false, id(1)]);
  });

  it("forgets what is far away, and fetches it again by its cursor", async () => {
    const { list, fetch } = await opened(100_000);
    for (let page = 1; page < MOST_PAGES + 10; page += 1) {
      list.want(list.count - 20, list.count + 1);
      await settled();
    }
    list.want(list.count - 20, list.count);
    expect(list.at(150)).toBeUndefined();
    expect(list.at(list.count - 1)).toBeDefined();
    fetch.mockClear();
    list.want(150, 160);
    await settled();
    expect(list.at(150)?.id).toBe(id(100_000 - 150));
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("asks once for a page that cannot be had, and then when it is told to", async () => {
    const fetch = serverOf(750);
    let isDown = false;
    const asked = vi.fn(async (query: RunQuery) => {
      if (isDown) throw new Error("away");
      return fetch(query);
    });
    const list = new RunList(asked, EVERYTHING);
    list.on(() => list.want(80, list.count)); // as the table does, which is drawn at each change
    await Promise.resolve().then(() => {
      isDown = true; // the first page is on its way, all others are not to be had
    });
    for (let turn = 0; turn < 10; turn += 1) await settled();
    expect([asked.mock.calls.length, String(list.fault)]).toEqual([2, "Error: away"]);
    isDown = false;
    list.retry();
    for (let turn = 0; turn < 10; turn += 1) await settled();
    const ids = Array.from({ length: list.count }, (_, index) => list.at(index)?.id);
    expect([list.fault, list.count, new Set(ids).size]).toEqual([null, 750, 750]);
  });

  it("puts a new run on top, and replaces one that it has", async () => {
    const { list } = await opened(10);
    list.news(aRun({ id: id(11) }));
    expect([list.at(0)?.id, list.count, list.total]).toEqual([id(11), 11, 11]);
    list.news(aRun({ id: id(5), state: "stopping" }));
    expect([list.at(6)?.state, list.count]).toEqual(["stopping", 11]);
  });

  it("lets new runs wait while somebody reads further down", async () => {
    const { list } = await opened(10);
    list.hold(true);
    list.news(aRun({ id: id(11) }));
    list.news(aRun({ id: id(12) }));
    list.news(aRun({ id: id(12), state: "stopping" }));
    expect([list.pending, list.at(0)?.id]).toEqual([2, id(10)]);
    list.hold(false);
    expect([list.pending, list.at(0)?.id, list.at(0)?.state]).toEqual([0, id(12), "stopping"]);
  });

  it("begins anew when too many wait", async () => {
    const { list, fetch } = await opened(10);
    list.hold(true);
    for (let number = 0; number <= MOST_NEW; number += 1) list.news(aRun({ id: id(100 + number) }));
    fetch.mockClear();
    list.admit();
    await settled();
    expect(fetch).toHaveBeenCalledTimes(1);
    expect(list.pending).toBe(0);
  });

  it("does not lose a run that is told before the first page is here", async () => {
    const list = new RunList(serverOf(3), EVERYTHING);
    list.news(aRun({ id: id(4) }));
    await settled();
    expect([0, 1, 2, 3].map((index) => list.at(index)?.id)).toEqual([4, 3, 2, 1].map(id));
  });

  it("leaves out what the filter leaves out, and what lies on pages that are not known yet", async () => {
    const { list } = await opened(250);
    list.news(aRun({ id: id(20) }));
    expect(list.count).toBe(FIRST_RUNS);
    list.show({ ...EVERYTHING, command: "test" });
    await settled();
    list.news(aRun({ id: id(999), command: "build" }));
    expect(list.at(0)?.id).toBe(id(250));
  });

  it("takes away a run that is gone", async () => {
    const { list } = await opened(3);
    list.gone(id(2));
    expect([list.count, list.at(1)?.id, list.total]).toEqual([2, id(1), 2]);
  });

  it("says what went wrong, and tries again when told to", async () => {
    const fetch = vi.fn(serverOf(3)).mockRejectedValueOnce(new Error("no"));
    const list = new RunList(fetch, EVERYTHING);
    await settled();
    expect([list.fault, list.isOpen]).toEqual([new Error("no"), false]);
    list.retry();
    await settled();
    expect([list.fault, list.count]).toEqual([null, 3]);
  });

  it("lets go of runs that were removed while the connection was down", async () => {
    const { list, fetch } = await opened(3);
    const all = fetch.getMockImplementation();
    fetch.mockImplementation(async (query) => {
      const page = (await all?.(query)) ?? { runs: [], next: null, total: 0 };
      return { ...page, runs: page.runs.filter((run) => run.id !== id(2)), total: 2 };
    });
    list.check();
    await settled();
    expect([list.count, list.total, list.at(1)?.id]).toEqual([2, 2, id(1)]);
  });

  it("keeps the place of whoever reads further down, and lets go of what was removed there", async () => {
    const { list, fetch } = await opened(700);
    list.want(90, 101);
    await settled();
    list.hold(true);
    const all = fetch.getMockImplementation();
    fetch.mockImplementation(async (query) => {
      const page = (await all?.(query)) ?? { runs: [], next: null, total: 0 };
      return { ...page, runs: page.runs.filter((run) => run.id !== id(500)) };
    });
    list.check();
    await settled();
    expect([list.count, list.at(199)?.id, list.at(200)?.id]).toEqual([499, id(501), id(499)]);
  });
});
