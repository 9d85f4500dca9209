import { expect, test } from "vitest";
import { columnsIn, toRow } from "../../src/core/rows";
import type { Hit } from "../../src/core/shapes";
import { Marks } from "../../src/log/view-marks";

const text = "\x1b[31mred\x1b[0m and 🌊 red";
const row = toRow({ number: 7, offset: 600, time: 0, stream: "stdout", text });
const hit: Hit = { number: 7, offset: 600, time: 0, stream: "stdout", text, match: 0, columns: [[5, 8], [19, 22]] }; // biome-ignore format: short

test("a row has its hits' marks, on the text that is shown", () => {
  const marks = new Marks(columnsIn);
  marks.set([hit], 600);
  const found = marks.of(row).map(({ from, to }) => row.text.slice(from, to));
  expect(found).toEqual(["red", "red"]);
  expect(marks.of(row).every(({ isCurrent }) => isCurrent)).toBe(true);
  expect(marks.currentColumn([{ row: undefined }, { row }])).toBe(0);
});

test("marks that lie over one another are painted once", () => {
  const marks = new Marks(() => [[0, 4], [2, 6], [6, 6], [6, 8]]); // biome-ignore format: short
  marks.set([hit], null);
  expect(marks.of(row)).toEqual([
    { from: 0, to: 4, isCurrent: false },
    { from: 6, to: 8, isCurrent: false },
  ]);
});

test("a row without a hit has none", () => {
  const marks = new Marks(columnsIn);
  marks.set([{ ...hit, offset: 1 }], null);
  expect(marks.of(row)).toEqual([]);
  expect(marks.currentColumn([{ row }])).toBeNull();
});
