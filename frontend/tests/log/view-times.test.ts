import { expect, test } from "vitest";
import { toRow } from "../../src/core/rows";
import { timeOf } from "../../src/log/view-times";

const at = (time: number | null, offset = 100) => toRow({ number: 1, offset, time, stream: "stdout", text: "" });

test.each([
  ["none", at(1), undefined, 0, ""],
  ["start", at(62.0204), undefined, null, "1:02.020"],
  ["start", at(null), undefined, null, ""],
  ["clock", at(1), undefined, null, ""],
  ["previous", at(3.5), at(1), 0, "+2.500"],
  ["previous", at(3.5), undefined, 0, ""],
  ["previous", at(3.5, 0), undefined, 0, "+3.500"],
] as const)("%s", (times, row, before, startedAt, shown) => {
  expect(timeOf(times, row, before, startedAt)).toBe(shown);
});
