import { expect, test } from "vitest";
import { sincePrevious, sinceStart } from "../../src/core/clock";
import { progressIn } from "../../src/core/osc";
import type { Outcome, Run } from "../../src/core/shapes";
import { ago, duration, ending, shortSize, size, standing, ticking, toneOf, typed } from "../../src/core/words";

const run = (fields: Partial<Run>) => ({ state: "running", outcome: null, queue_place: null, ...fields }) as Run;
const ended = (outcome: Outcome) => run({ state: "finished", outcome });

test.each([
  [0, "0 bytes"],
  [1, "1 byte"],
  [1023, "1023 bytes"],
  [4404019, "4.2 MiB"],
  [1047527424, "999 MiB"],
  [1024 ** 3, "1.0 GiB"],
])("%d bytes are %s", (bytes, words) => expect(size(bytes)).toBe(words));

test("a short size", () => expect(shortSize(17)).toBe("17 B"));

test.each([
  [0.012, "12 ms"],
  [5.2, "5.2 s"],
  [5, "5 s"],
  [200, "3 min 20 s"],
  [7500, "2 h 5 min"],
  [273600, "3 d 4 h"],
])("%d seconds are %s", (seconds, words) => expect(duration(seconds)).toBe(words));

test("a clock that ticks has whole seconds", () => {
  expect(ticking(0.9)).toBe("0 s");
  expect(ticking(61.9)).toBe("1 min 1 s");
});

test("ago", () => {
  expect(ago(0, 500)).toBe("just now");
  expect(ago(0, 59_000)).toBe("59 s ago");
  expect(ago(0, 3_600_000)).toBe("1 h ago");
});

test.each<[Run, string, string]>([
  [run({ state: "queued", queue_place: 3 }), "queued #3", "going"],
  [run({}), "running", "going"],
  [ended({ kind: "exited", code: 0 }), "exited 0", "good"],
  [ended({ kind: "exited", code: 3 }), "exited 3", "bad"],
  [ended({ kind: "signaled", signal: 11 }), "SIGSEGV", "bad"],
  [ended({ kind: "timed_out", limit: "wall" }), "timed out", "other"],
  [ended({ kind: "lost", why: "the host restarted" }), "lost", "bad"],
])("%# a run stands", (each, words, tone) => {
  expect(standing(each)).toBe(words);
  expect(toneOf(each)).toBe(tone);
});

test("endings say why", () => {
  expect(ending({ kind: "stopped", by: "ada" })).toBe("stopped by ada");
  expect(ending({ kind: "signaled", signal: 11 })).toContain("SIGSEGV");
  expect(ending({ kind: "failed_to_start", error: "no such file", exit_code: 127 })).toContain("no such file");
});

test("an argv is typed as a shell takes it", () => {
  expect(typed(["sh", "-c", "echo 'a b'", ""])).toBe(`sh -c 'echo '"'"'a b'"'"'' ''`);
});

test.each([
  ["\x1b]9;4;1;40\x07", { kind: "going", percent: 40 }],
  ["\x1b]9;4;1;40\x07 \x1b]9;4;1;999\x1b\\", { kind: "going", percent: 100 }],
  ["\x1b]9;4;2;10\x07", { kind: "failed", percent: 10 }],
  ["\x1b]9;4;3\x07", { kind: "unknown" }],
  ["\x1b]9;4;0\x07", null],
  ["\x1b]9;4;1;4", undefined],
  ["text", undefined],
])("progress in %j", (text, progress) => expect(progressIn(text)).toEqual(progress));

test("times beside lines", () => {
  expect(sinceStart(0.02)).toBe("0:00.020");
  expect(sinceStart(3723.4)).toBe("1:02:03.400");
  expect(sinceStart(59.9999)).toBe("1:00.000");
  expect(sincePrevious(0)).toBe("");
  expect(sincePrevious(0.02)).toBe("+0.020");
});
