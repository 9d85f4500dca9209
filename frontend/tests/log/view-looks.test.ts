import { describe, expect, test } from "vitest";
import { contrast, dressOf, exact, readable } from "../../src/log/view-looks";

describe("dressOf", () => {
  test("nothing special needs nothing", () => {
    expect(dressOf({})).toEqual({ classes: "", ink: null, ground: null });
  });

  test("the 16 colours are the theme's", () => {
    expect(dressOf({ fg: 9, bold: true })).toEqual({ classes: "is-bold fg-9", ink: null, ground: null });
  });

  test("other colours are exact, and the style sheet makes them readable", () => {
    expect(dressOf({ fg: 196 })).toEqual({ classes: "is-tinted", ink: "#ff0000", ground: null });
    expect(dressOf({ fg: "#123456" })).toEqual({ classes: "is-tinted", ink: "#123456", ground: null });
  });

  test("inverse changes ink and ground, also where they are the theme's", () => {
    expect(dressOf({ inverse: true })).toEqual({ classes: "is-inverse", ink: null, ground: null });
    expect(dressOf({ fg: "#ff0000", bg: "#000000", inverse: true })).toMatchObject({
      ground: "#ff0000",
      ink: "#000000",
    });
  });

  const colours = [...Array(256).keys()];
  test("text can be read on every ground of the command's", () => {
    for (const bg of colours) {
      for (const fg of [undefined, 0, 1, 4, 7, 11, 15, 21, 226, 240, bg]) {
        const dress = dressOf(fg === undefined ? { bg } : { bg, fg });
        expect(contrast(dress.ink ?? "", dress.ground ?? "")).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});

test.each([
  [16, "#000000"],
  [231, "#ffffff"],
  [196, "#ff0000"],
  [110, "#87afd7"],
  [232, "#080808"],
  [255, "#eeeeee"],
] as const)("colour %d is xterm's %s", (index, hex) => {
  expect(exact(index)).toBe(hex);
});

test("a colour that can be read stays as it is", () => {
  expect(readable("#00ff00", "#000000")).toBe("#00ff00");
});
