import { describe, expect, it } from "vitest";
import { EVERYTHING, filterIn, hashOf, isEverything, matches, queryOf } from "../../../src/pages/list/filter";
import { aRun } from "../../run";

describe("a filter", () => {
  it("goes into the address and comes back", () => {
    const filter = { q: "a b&c", state: "running", command: "build", label: "team=core" };
    expect(filterIn(hashOf(filter))).toEqual(filter);
    expect(hashOf(EVERYTHING)).toBe("");
    expect(isEverything(filterIn(""))).toBe(true);
  });

  it("asks the server for no more than is written, and for no label that is not written to its end", () => {
    expect(queryOf(EVERYTHING)).toEqual({});
    expect(queryOf({ ...EVERYTHING, label: "team" })).toEqual({});
    expect(queryOf({ q: "x", state: "lost", command: "c", label: "a=" })).toEqual({
      q: "x",
      state: ["lost"],
      command: "c",
      label: ["a="],
    });
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
