import { describe, expect, test } from "vitest";
import { EDGE, LONGEST, trackOf } from "../../src/log/view-track";

describe("trackOf", () => {
  test("is true to the pixel while all rows fit into the way", () => {
    const track = trackOf(20_000, 700);
    expect(track.height).toBe(20_000);
    expect(track.toScroll(1234)).toBe(1234);
    expect(track.toPixels(1234)).toBe(1234);
    expect(track.toScroll(99_999)).toBe(19_300);
  });

  test("is as high as what is seen when there is less", () => {
    expect(trackOf(100, 700).height).toBe(700);
    expect(trackOf(100, 700).toScroll(50)).toBe(0);
  });

  const total = 2_000_000_000;
  const track = trackOf(total, 700);

  test("has a longest way, whatever the number of rows", () => {
    expect(track.height).toBe(LONGEST);
    expect(trackOf(1e15, 700).height).toBe(LONGEST);
  });

  test("is true to the pixel at both ends", () => {
    expect(track.toScroll(777)).toBe(777);
    expect(track.toScroll(EDGE)).toBe(EDGE);
    expect(track.toScroll(total - 700)).toBe(LONGEST - 700);
    expect(track.toScroll(total - 700 - 777)).toBe(LONGEST - 700 - 777);
  });

  test.each([0, 1, 500, EDGE, EDGE + 1, 2_000_000, 3_500_000, LONGEST - 700])("comes back from %d", (scroll) => {
    expect(track.toScroll(track.toPixels(scroll))).toBeCloseTo(scroll, 3);
  });

  test("never goes backwards", () => {
    let before = -1;
    for (let scroll = 0; scroll <= LONGEST - 700; scroll += 997) {
      const pixels = track.toPixels(scroll);
      expect(pixels).toBeGreaterThan(before);
      before = pixels;
    }
  });
});
