import { describe, expect, it, vi } from "vitest";
import type { Hit } from "../../../src/core/shapes";
import type { HitPage } from "../../../src/net/api";
import { MOST_HITS, Searching } from "../../../src/pages/run/searching";

const hit = (offset: number): Hit => ({
  number: offset / 10 + 1,
  offset,
  time: null,
  stream: "stdout",
  text: "x",
  columns: [[0, 1]],
  match: offset,
});
const page = (offsets: number[], next: number | null, size = 1000): HitPage => ({
  hits: offsets.map(hit),
  next,
  size,
  complete: next === null,
});
const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

function searchingIn(...pages: HitPage[]) {
  const search = vi.fn(async () => pages.shift() ?? page([], null));
  return { searching: new Searching({ search }, "1k"), search };
}

describe("a search", () => {
  it("goes on to the end, and begins at the first hit behind where one looks", async () => {
    const { searching, search } = searchingIn(page([10, 20], 500), page([600, 700], null));
    searching.begin({ q: "x" }, 100);
    await settled();
    expect(search).toHaveBeenCalledTimes(2);
    expect([searching.hits.length, searching.isDone, searching.hit?.offset]).toEqual([4, true, 600]);
  });

  it("steps round from the last hit to the first, and back", async () => {
    const { searching } = searchingIn(page([10, 20, 30], null));
    searching.begin({ q: "x" }, 0);
    await settled();
    searching.step(-1);
    expect(searching.hit?.offset).toBe(30);
    searching.step(1);
    expect(searching.hit?.offset).toBe(10);
  });

  it("looks at the first hit where there is none behind", async () => {
    const { searching } = searchingIn(page([10], null));
    searching.begin({ q: "x" }, 500);
    await settled();
    expect(searching.hit?.offset).toBe(10);
  });

  it("keeps so many hits and rests; a step beyond goes on from there", async () => {
    const many = Array.from({ length: MOST_HITS }, (_, index) => index * 10);
    const { searching, search } = searchingIn(page(many, 900_000, 1_000_000), page([950_000], null, 1_000_000));
    searching.begin({ q: "x" }, 0);
    await settled();
    expect([searching.restsAt, search.mock.calls.length]).toEqual([900_000, 1]);
    searching.choose(MOST_HITS - 1);
    searching.step(1);
    await settled();
    expect([searching.hits.length, searching.hit?.offset, searching.isDone]).toEqual([1, 950_000, true]);
  });

  it("forgets the hits of a search that is over", async () => {
    const { searching } = searchingIn(page([10], null));
    searching.begin({ q: "x" }, 0);
    searching.clear();
    await settled();
    expect([searching.hits.length, searching.needle]).toEqual([0, null]);
  });
});
