import { describe, expect, test } from "vitest";
import { toRow } from "../../src/core/rows";
import { isPlain, MOST_PIECES, piecesOf } from "../../src/log/view-pieces";

const rowOf = (text: string) => toRow({ number: 1, offset: 0, time: 0, stream: "stdout", text });
const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };
const hit = (from: number, to: number, isCurrent = false) => ({ from, to, isCurrent });

describe("piecesOf", () => {
  test("a plain row is one piece", () => {
    const pieces = piecesOf(rowOf("some text"), [], ALL);
    expect(pieces.map(({ text }) => text)).toEqual(["some text"]);
    expect(isPlain(pieces)).toBe(true);
  });

  test("an empty row has no piece", () => {
    expect(piecesOf(rowOf(""), [], ALL)).toEqual([]);
    expect(isPlain([])).toBe(true);
  });

  test("marks cut pieces, also across looks", () => {
    const pieces = piecesOf(rowOf("ab\x1b[31mcd\x1b[0mef"), [hit(1, 3), hit(5, 6, true)], ALL);
    expect(pieces.map(({ text, mark }) => [text, mark])).toEqual([
      ["a", "none"],
      ["b", "hit"],
      ["c", "hit"],
      ["d", "none"],
      ["e", "none"],
      ["f", "current"],
    ]);
    expect(pieces[2]?.look).toEqual({ fg: 1 });
  });

  test("a slice begins and ends anywhere", () => {
    const pieces = piecesOf(rowOf("ab\x1b[31mcd\x1b[0mef"), [hit(0, 4)], { from: 1, to: 5 });
    expect(pieces.map(({ text, mark }) => [text, mark])).toEqual([
      ["b", "hit"],
      ["cd", "hit"],
      ["e", "none"],
    ]);
  });

  test("a mark beyond the text is left out", () => {
    expect(piecesOf(rowOf("ab"), [hit(5, 9)], ALL).map(({ mark }) => mark)).toEqual(["none"]);
  });

  test("a row with too many pieces keeps all of its text", () => {
    const row = rowOf("\x1b[31mr\x1b[32mg".repeat(MOST_PIECES));
    const pieces = piecesOf(row, [], ALL);
    expect(pieces).toHaveLength(MOST_PIECES + 1);
    expect(pieces.map(({ text }) => text).join("")).toBe(row.text);
  });
});
