import { describe, expect, it } from "vitest";
import { EVERYTHING, filterIn, hashOf, isEverything, matches, queryOf } from "../../../src/pages/list/filter";
import { aRun } from "../../run";

describe("a filter", () => {
  it("goes into the address and comes back", () => {
    const filter = {
      q: "a b&c",
      state: "running",
      command: "build",
      label: "team=core",
      since: "2026-11-01",
      until: "2026-11-27",
    };
    expect(filterIn(hashOf(filter))).toEqual(filter);
    expect(hashOf(EVERYTHING)).toBe("");
    expect(isEverything(filterIn(""))).toBe(true);
  });

  it("asks the server for no more than is written, and for no label that is not written to its end", () => {
    expect(queryOf(EVERYTHING)).toEqual({});
    expect(queryOf({ ...EVERYTHING, label: "team" })).toEqual({});
    expect(queryOf({ ...EVERYTHING, q: "x", state: "lost", command: "c", label: "a=" })).toEqual({
      q: "x",
      state: ["lost"],
      command: "c",
      label: ["a="],
    });
  });

  it("takes days from their beginning to their end, where one is", () => {
    const { since, until } = queryOf({ ...EVERYTHING, since: "2026-11-27", until: "2026-11-27" });
    expect(since).toBe(new Date(2026, 10, 27).toISOString());
    expect(until).toBe(new Date(2026, 10, 28).toISOString());
    expect(queryOf({ ...EVERYTHING, since: "27.11." })).toEqual({});
    const day = { ...EVERYTHING, since: "2026-11-27", until: "2026-11-27" };
    const at = (hour: number) => aRun({ created: new Date(2026, 10, 27, hour).toISOString() });
    expect([-1, 0, 23, 24].map((hour) => matches(day, at(hour)))).toEqual([false, true, true, false]);
  });

  it.each([
    [{ state: "running" }, {}, true],
    [{ state: "exited" }, {}, false],
    [{ state: "exited" }, { state: "finished" as const, outcome: { kind: "exited" as const, code: 0 } }, true],
    [{ command: "test" }, {}, false],
    [{ label: "team=core" }, { labels: { team: "core" } }, true],
    [{ label: "team=core" }, { labels: { team: "other" } }, false],
    [{ q: "MAKE all" }, {}, true],
    [{ q: "make nothing" }, {}, false],
    [{ q: "ada" }, { by: "ada" }, true],
  ])("%o has a run with %o: %s", (filter, run, is) => {
    expect(matches({ ...EVERYTHING, ...filter }, aRun(run))).toBe(is);
  });
});
