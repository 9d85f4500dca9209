import { describe, expect, it } from "vitest";
import { type Key, pressed } from "../../src/parts/keys";
import { grouped } from "../../src/parts/keysheet";
import { sentence } from "../../src/parts/sentence";
import { sparkPath } from "../../src/parts/spark";
import { tookOf } from "../../src/parts/time";
import { spanOf } from "../../src/parts/windowed";
import { aRun } from "../run";

describe("keys", () => {
  const event = (parts: object) =>
    ({ key: "a", ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...parts }) as KeyboardEvent;

  it.each([
    [{ key: "?", shiftKey: true }, "?"],
    [{ key: "G", shiftKey: true }, "G"],
    [{ key: "F3", shiftKey: true }, "Shift+F3"],
    [{ key: "f", ctrlKey: true }, "Ctrl+F"],
    [{ key: "f", metaKey: true }, "Ctrl+F"],
    [{ key: "ArrowDown" }, "ArrowDown"],
  ])("%o is %s", (parts, name) => {
    expect(pressed(event(parts))).toBe(name);
  });

  it("are grouped in their order, and those that do the same stand together", () => {
    const key = (name: string, does: string, group: string): Key => ({ key: name, does, group, act: () => true });
    const all = [
      key("j", "down", "List"),
      key("?", "help", "All"),
      key("ArrowDown", "down", "List"),
      key("j", "down", "List"),
    ];
    expect(grouped(all)).toEqual([
      ["List", [["down", ["j", "ArrowDown"]]]],
      ["All", [["help", ["?"]]]],
    ]);
  });
});

describe("rows that are seen", () => {
  it.each([
    [0, 100, 1000, [0, 18]],
    [5000, 100, 1000, [492, 518]],
    [9950, 100, 1000, [987, 1000]],
    [99_999, 100, 1000, [1000, 1000]],
    [-500, 100, 3, [0, 3]],
    [-50, 100, 3, [0, 3]],
  ])("%d pixels down, in a window of %d, of %d", (above, seen, count, [first, last]) => {
    expect(spanOf(above, seen, count, 10)).toEqual({ first, last });
  });
});

it("makes the server's words a sentence", () => {
  expect([sentence("is out of range"), sentence("Done."), sentence("")]).toEqual(["Is out of range.", "Done.", ""]);
});

it("draws no bar where nothing came", () => {
  expect(sparkPath([0, 0], 10, 10)).toBe("M0 9h10v1h-10z");
  expect(sparkPath([4, 1], 10, 10)).toBe("M0 1h4.5v8h-4.5zM5 5h4.5v4h-4.5zM0 9h10v1h-10z");
});

it("tells how long a run took, or takes", () => {
  const at = Date.parse("2026-11-27T10:03:20Z");
  expect(tookOf(aRun(), at)).toBe("3 min 20 s");
  expect(tookOf(aRun({ duration_s: 1.5, state: "finished" }), at)).toBe("1.5 s");
  expect(tookOf(aRun({ started: null }), at)).toBeNull();
});
