import { describe, expect, it } from "vitest";
import { hashOf, placeIn, placeTyped } from "../../../src/pages/run/place";

describe("a place in an address", () => {
  it.each([
    ["#L120", { line: 120 }],
    ["#L120-L140", { line: 120, to: 140 }],
    ["#L140-L120", { line: 120, to: 140 }],
    ["#t=12.5", { time: 12.5 }],
    ["#L0", null],
    ["#Lx", null],
    ["", null],
    ["#t=-1", null],
  ])("%s", (hash, place) => {
    expect(placeIn(hash)).toEqual(place);
    if (place !== null && !hash.startsWith("#L140")) expect(hashOf(place)).toBe(hash);
  });
});

describe("a place that is typed", () => {
  const start = new Date(2026, 10, 27, 10, 42, 7, 500).getTime();
  it.each([
    ["120", { line: 120 }],
    ["1,234,567", { line: 1_234_567 }],
    ["L20-30", { line: 20, to: 30 }],
    ["+90", { time: 90 }],
    ["+1:30", { time: 90 }],
    ["+1:00:00", { time: 3600 }],
    ["12.5s", { time: 12.5 }],
    ["10:42:17", { time: 9.5 }],
    ["10:42:07", { time: 0 }],
    ["11:00", { time: 1072.5 }],
    ["09:00:00", { time: 80_272.5 }],
    ["25:00", null],
    ["soon", null],
    ["", null],
  ])("%s", (text, place) => {
    expect(placeTyped(text, start)).toEqual(place);
  });

  it("cannot be a clock's while nobody knows when the output began", () => {
    expect(placeTyped("10:42:07", null)).toBeNull();
  });
});
