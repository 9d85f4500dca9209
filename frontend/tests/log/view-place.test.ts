import { describe, expect, test } from "vitest";
import { around, bounded, endOf, settle, sum } from "../../src/log/view-place";

/** Rows of 10, 20, 30, 10, 20, 30, … pixels. */
const heights = { of: (index: number) => 10 * ((index % 3) + 1) };

describe("settle", () => {
  test.each([
    [
      { index: 5, offset: 0 },
      { index: 5, offset: 0 },
    ],
    [
      { index: 3, offset: 15 },
      { index: 4, offset: 5 },
    ],
    [
      { index: 3, offset: -5 },
      { index: 2, offset: 25 },
    ],
    [
      { index: 3, offset: -60 },
      { index: 0, offset: 0 },
    ],
    [
      { index: 1, offset: -999 },
      { index: 0, offset: 0 },
    ],
    [
      { index: 0, offset: 600 },
      { index: 29, offset: 30 },
    ],
    [
      { index: 500, offset: -7 },
      { index: 29, offset: 0 },
    ],
    [
      { index: -4, offset: 3 },
      { index: 0, offset: 0 },
    ],
  ])("brings %o to %o", (place, settled) => {
    expect(settle(place, 30, heights)).toEqual(settled);
  });

  test("stands still where there are no rows", () => {
    expect(settle({ index: 3, offset: 9 }, 0, heights)).toEqual({ index: 0, offset: 0 });
  });
});

describe("endOf", () => {
  test("puts the last row at the bottom edge", () => {
    const end = endOf(30, 100, heights);
    expect(sum(end.index, 30, heights) - end.offset).toBe(100);
  });

  test("is the first row when all rows fit", () => {
    expect(endOf(3, 100, heights)).toEqual({ index: 0, offset: 0 });
  });
});

test("bounded leaves nothing empty below the last row", () => {
  expect(bounded({ index: 29, offset: 0 }, 30, 100, heights)).toEqual(endOf(30, 100, heights));
  expect(bounded({ index: 4, offset: 3 }, 30, 100, heights)).toEqual({ index: 4, offset: 3 });
});

describe("around", () => {
  test("holds what is seen and a margin on both sides", () => {
    const { first, last } = around({ index: 30, offset: 0 }, 1000, 100, 50, heights);
    expect(sum(first, 30, heights)).toBeGreaterThanOrEqual(50);
    expect(sum(30, last, heights)).toBeGreaterThanOrEqual(150);
    expect(last - first).toBeLessThan(14);
  });

  test("ends where the rows end", () => {
    expect(around({ index: 0, offset: 0 }, 3, 100, 50, heights)).toEqual({ first: 0, last: 3 });
  });
});
