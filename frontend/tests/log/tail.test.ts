import { describe, expect, it } from "vitest";
import type { StreamName } from "../../src/core/shapes";
import { KEPT_CHARS, KEPT_LINES, LINE_CHARS, Tail } from "../../src/log/tail";

/** Add texts as pieces that follow one another. */
function add(tail: Tail, texts: readonly string[], stream: StreamName = "stdout"): void {
  for (const text of texts) {
    const offset = tail.end;
    tail.add({ offset, time: offset / 100, stream, text }, offset + Buffer.byteLength(text));
  }
}

function tailOf(...texts: string[]): Tail {
  const tail = new Tail(0);
  add(tail, texts);
  return tail;
}

function linesOf(tail: Tail): string[] {
  return Array.from({ length: tail.count - tail.first }, (_, at) => tail.line(tail.first + at)?.text ?? "?");
}

/** Every way to cut a text in three. */
function cuts(text: string): string[][] {
  const all: string[][] = [];
  for (let one = 0; one <= text.length; one += 1)
    for (let other = one; other <= text.length; other += 1)
      all.push([text.slice(0, one), text.slice(one, other), text.slice(other)].filter((part) => part !== ""));
  return all;
}

describe("a tail", () => {
  it.each([
    ["", []],
    ["a", ["a"]],
    ["a\n", ["a"]],
    ["\n", [""]],
    ["a\n\nb", ["a", "", "b"]],
    ["a\r\nb\rc\n", ["a\r", "b\rc"]],
    ["é\n→ü\n𝄞", ["é", "→ü", "𝄞"]],
  ])("makes the same lines of %j, wherever it is cut", (text, lines) => {
    for (const parts of cuts(text)) {
      if (parts.some((part) => /[\ud800-\udbff]$/.test(part))) continue;
      const tail = tailOf(...parts);
      expect(linesOf(tail)).toEqual(lines);
      let offset = 0;
      for (const [seq, line] of lines.entries()) {
        expect(tail.line(seq)?.offset).toBe(offset);
        expect(tail.seqOfOffset(offset)).toBe(seq);
        offset += Buffer.byteLength(line) + 1;
      }
      expect(tail.line(lines.length - 1)?.partial ?? false).toBe(text !== "" && !text.endsWith("\n"));
    }
  });

  it("has one sequence of lines of both streams, and each line is of the stream that began it", () => {
    const tail = tailOf("out ");
    add(tail, ["err\n"], "stderr");
    add(tail, ["more\n"]);
    expect(linesOf(tail)).toEqual(["out err", "more"]);
    expect(tail.line(0)?.stream).toBe("stdout");
  });

  it("keeps the last lines only, and still counts all", () => {
    const tail = new Tail(0);
    for (let n = 0; n < 500; n += 1) add(tail, [`${"line\n".repeat(100)}`]);
    expect(tail.count).toBe(50_000);
    expect(tail.count - tail.first).toBeGreaterThanOrEqual(KEPT_LINES);
    expect(tail.count - tail.first).toBeLessThan(KEPT_LINES + 200);
    expect(tail.line(tail.first)?.offset).toBe(tail.first * 5);
    expect(tail.line(tail.first - 1)).toBeUndefined();
  });

  it("keeps so many characters only", () => {
    const tail = new Tail(0);
    for (let n = 0; n < 100; n += 1) add(tail, [`${"x".repeat(30_000)}\n`]);
    expect((tail.count - tail.first) * 30_001).toBeLessThanOrEqual(KEPT_CHARS + 60_000);
  });

  it("has a long line up to what is shown of it, and the lines behind it", () => {
    const tail = tailOf("before\n");
    for (let n = 0; n < 200; n += 1) add(tail, ["y".repeat(20_000)]);
    const open = tail.line(1);
    expect(open?.text).toBe("y".repeat(LINE_CHARS));
    expect([open?.continued, open?.partial, tail.count]).toEqual([true, true, 2]);
    add(tail, ["\nbehind\n"]);
    expect(tail.line(1)?.text.length).toBe(LINE_CHARS);
    expect(tail.line(1)?.partial).toBeUndefined();
    expect(tail.line(2)?.text).toBe("behind");
    expect(tail.line(2)?.offset).toBe("before\n".length + 200 * 20_000 + 1);
  });

  it("reduces a progress bar that goes on for megabytes to its last states", () => {
    const tail = tailOf("bar: ");
    for (let n = 0; n < 100_000; n += 1) add(tail, [`\r${"#".repeat(n % 60)} ${n}`]);
    const line = tail.line(0);
    expect(line?.text.length).toBeLessThanOrEqual(LINE_CHARS + 1);
    expect(line?.text.split("\r").at(-1)).toBe(`${"#".repeat(99_999 % 60)} 99999`);
    expect([tail.count, line?.continued]).toEqual([1, undefined]);
    add(tail, ["\rdone\n"]);
    expect(tail.line(0)?.text.endsWith("\rdone")).toBe(true);
  });

  it("begins with the first whole line, where it begins within one", () => {
    const tail = new Tail(1000, 7, false);
    expect([tail.first, tail.count]).toEqual([8, 8]);
    add(tail, ["rest of it\nwhole\n"]);
    expect([tail.first, tail.count]).toEqual([8, 9]);
    expect(tail.line(8)).toMatchObject({ text: "whole", offset: 1011 });
  });

  it("finds lines by time", () => {
    const tail = tailOf("aaaa\n", "bbbb\n", "cccc\n");
    expect(tail.seqOfTime(0.05)).toBe(1);
    expect(tail.seqOfTime(0.06)).toBe(2);
    expect(tail.seqOfTime(99)).toBe(2);
    expect(tail.seqOfTime(0)).toBeNull();
  });

  it("counts bytes of what is no UTF-8 as the pieces tell them", () => {
    const tail = new Tail(0);
    tail.add({ offset: 0, time: 0, stream: "stdout", text: "\ufffd\ufffd\nb\n" }, 5);
    add(tail, ["c\n"]);
    expect(tail.line(2)).toMatchObject({ text: "c", offset: 5 });
  });
});
