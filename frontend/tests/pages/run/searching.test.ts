import { beforeEach, describe, expect, it, vi } from "vitest";
import { Listeners } from "../../../src/core/listeners";
import type { Hit } from "../../../src/core/shapes";
import { Portions } from "../../../src/net/portions";
import type { Mark, SearchState } from "../../../src/net/search";
import { type Finder, Searching } from "../../../src/pages/run/searching";
import { foundOf } from "../../../src/pages/run/searchpanel";

const markAt = (offset: number): Mark => ({ number: offset / 10 + 1, offset, match: offset, hit: null });

/** A search that has found hits at these offsets, of which the first few are kept. */
class Found implements Finder {
  marks: Mark[] = [];
  portions = new Portions(1000);
  state: SearchState = { state: "searching" };
  total = 0;
  searched = 0;
  #all: Mark[] = [];
  #changes = new Listeners<never>();

  find(offsets: number[], { kept = 100, isDone = true } = {}): void {
    this.#all = offsets.map(markAt);
    this.marks = this.#all.slice(0, kept);
    this.total = offsets.length;
    this.searched = 1000;
    for (const offset of offsets) this.portions.add(offset);
    if (isDone) this.state = { state: "done" };
    this.#changes.tell(undefined as never);
  }

  on = (listener: () => void) => this.#changes.add(listener);
  close = () => undefined;
  retry = () => undefined;
  goOn = () => undefined;
  fill = async () => undefined;
  near = async (): Promise<readonly Hit[]> => [];
  between = () => [];
  after = async (offset: number) => this.#all.find((mark) => mark.offset > offset) ?? null;
  before = async (offset: number) => this.#all.findLast((mark) => mark.offset < offset) ?? null;
}

const settled = () => vi.advanceTimersByTimeAsync(150);

beforeEach(() => {
  vi.useFakeTimers();
});

async function searched(offsets: number[], near: number, options = {}) {
  const found = new Found();
  const searching = new Searching(() => found);
  searching.begin({ q: "x" }, near);
  found.find(offsets, options);
  await settled();
  return { searching, found };
}

describe("a search", () => {
  it("begins at the first hit behind where one looks", async () => {
    const { searching } = await searched([10, 20, 600, 700], 100);
    expect([searching.current?.offset, searching.rank, searching.total]).toEqual([600, 3, 4]);
    expect(foundOf(searching, 1000)).toBe("3 of 4");
  });

  it("looks at the first hit where there is none behind", async () => {
    const { searching } = await searched([10], 500);
    expect(searching.current?.offset).toBe(10);
  });

  it("does not wait for the end to look at the first hit", async () => {
    const { searching, found } = await searched([10], 500, { isDone: false });
    expect([found.state.state, searching.current?.offset]).toEqual(["searching", 10]);
  });

  it("tells how far it is only where that is known", async () => {
    const { searching, found } = await searched([10], 0, { isDone: false });
    found.searched = 40;
    expect(foundOf(searching, 100)).toBe("1 of 1");
    expect(foundOf(searching, 80 << 20)).toBe("1 of 1, searched 0 %");
  });

  it("looks first at the hit behind, also where the search has not come yet", async () => {
    const found = new Found();
    const hit = { ...markAt(600), time: null, stream: "stdout", text: "x", columns: [] } satisfies Hit & Mark;
    found.near = async () => [hit];
    const searching = new Searching(() => found);
    searching.begin({ q: "x" }, 500);
    found.find([10], { isDone: false });
    await settled();
    expect(searching.current?.offset).toBe(600);
  });

  it("steps round from the last hit to the first, and back", async () => {
    const { searching } = await searched([10, 20, 30], 0);
    await searching.step(-1);
    expect([searching.current?.offset, searching.rank]).toEqual([30, 3]);
    await searching.step(1);
    expect([searching.current?.offset, searching.rank]).toEqual([10, 1]);
  });

  it("goes through hits that are not kept, and knows which one it is", async () => {
    const { searching } = await searched([10, 20, 30, 40], 0, { kept: 2 });
    for (const offset of [20, 30, 40]) {
      await searching.step(1);
      expect([searching.current?.offset, searching.rank]).toEqual([offset, offset / 10]);
    }
    await searching.step(-1);
    expect([searching.current?.offset, searching.rank]).toEqual([30, 3]);
    await searching.chooseAt(40);
    expect(foundOf(searching, 1000)).toBe("4");
  });

  it("says where hits are whose places are not kept", async () => {
    const { searching } = await searched([10, 20, 500, 900], 0, { kept: 2 });
    const beyond = searching.beyond(1000);
    expect(beyond).toHaveLength(2);
    expect(beyond[0]).toBeCloseTo(0.5, 1);
    expect(beyond[1]).toBeCloseTo(0.9, 1);
  });

  it("forgets the hits of a search that is over", async () => {
    const { searching } = await searched([10], 0);
    searching.clear();
    expect([searching.hits.length, searching.needle, searching.current]).toEqual([0, null, null]);
  });
});
