import { describe, expect, it } from "vitest";
import { nextRung, plannedStop, standingOf } from "../../../src/pages/run/standing";
import { aRun } from "../../run";

const start = Date.parse("2026-11-27T10:00:00Z");

describe("how a run stands", () => {
  it.each([
    [{ state: "queued" as const, queue_place: 3 }, "Waits in the queue, at place 3."],
    [{ state: "queued" as const }, "Waits in the queue."],
    [{ state: "starting" as const }, "Is being started."],
    [{ state: "stopping" as const, stopped_by: "ada" }, "Is being stopped by ada."],
    [
      { state: "finished" as const, outcome: { kind: "exited" as const, code: 3 }, duration_s: 12, ended: null },
      "Ended with exit code 3, after 12 s.",
    ],
    [
      { state: "finished" as const, outcome: { kind: "cancelled" as const, by: null }, started: null, duration_s: 0 },
      "Taken from the queue; it never ran.",
    ],
  ])("%o", (run, sentence) => {
    expect(standingOf(aRun(run), start, null)).toBe(sentence);
  });

  it("says for how long it has been silent, from some seconds on", () => {
    const at = start + 200_000;
    expect(standingOf(aRun(), at, at - 2000)).toMatch(/^Runs since \d\d:\d\d:\d\d, for 3 min 20 s\.$/);
    expect(standingOf(aRun(), at, at - 12_000)).toMatch(/for 3 min 20 s; silent for 12 s\.$/);
    expect(standingOf(aRun({ size: 0 }), at, null)).toMatch(/; it has said nothing yet\.$/);
    expect(standingOf(aRun(), at, at - 12_000, false)).toMatch(/for 3 min 20 s\.$/);
  });
});

describe("the stop ladder", () => {
  const run = aRun({ state: "stopping", ladder: [{ signal: "INT", time: "2026-11-27T10:00:10Z", processes: 2 }] });

  it("tells which signal follows, and when", () => {
    expect(nextRung(run)).toEqual({ signal: "TERM", at: start + 15_000 });
    expect(standingOf(run, start + 12_000, null)).toBe("Is being stopped: INT was sent, TERM follows in 3 s.");
  });

  it("has nothing behind its last rung", () => {
    const last = aRun({
      state: "stopping",
      ladder: [{ signal: "SIGKILL", time: "2026-11-27T10:00:10Z", processes: 2 }],
    });
    expect(nextRung(last)).toBeNull();
  });

  it("says what a stop will do, by the run's own ladder where that is told", () => {
    expect(plannedStop(aRun())).toMatch(/^Sends INT, then TERM if that is not enough after 5 s, then KILL /);
    const spec = { ladder: [{ signal: "KILL", seconds: 0 }], parameters: null, leave_children: true };
    const rest = { stdio: "pty" as const, takes_input: true, timeout_s: null, idle_timeout_s: null };
    const limits = { unwatched_timeout_s: null, output_limit: null, output_policy: "stop" as const };
    expect(plannedStop(aRun({ spec: { ...spec, ...rest, ...limits } }))).toBe("Sends KILL.");
  });
});
