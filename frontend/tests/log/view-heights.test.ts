import { expect, test } from "vitest";
import { gapRow, toRow } from "../../src/core/rows";
import { RowHeights } from "../../src/log/view-heights";

const long = toRow({ number: 1, offset: 0, time: 0, stream: "stdout", text: "x".repeat(201) });

function heights() {
  const all = new RowHeights((index) =>
    index === 0 ? long : index === 1 ? gapRow({ from: 1, to: 2, why: "" }) : undefined,
  );
  all.line = 20;
  return all;
}

test("all rows are one line high when lines are not wrapped", () => {
  expect([heights().of(0), heights().of(5), heights().average]).toEqual([20, 20, 20]);
});

test("a row that was not measured is as high as its length lets expect", () => {
  const all = heights();
  all.columns = 100;
  expect([all.of(0), all.of(1), all.of(2)]).toEqual([60, 20, 20]);
});

test("a measured row is as high as measured, until it is forgotten", () => {
  const all = heights();
  all.columns = 100;
  expect(all.measure(0, 60)).toBe(false);
  expect(all.measure(0, 80)).toBe(true);
  expect(all.of(0)).toBe(80);
  all.forget(0);
  expect(all.of(0)).toBe(60);
});

test("the average changes only when it is learnt", () => {
  const all = heights();
  all.columns = 100;
  all.measure(0, 60);
  expect(all.average).toBe(60);
  all.measure(1, 20);
  expect(all.average).toBe(60);
  all.learn();
  expect(all.average).toBe(40);
});
