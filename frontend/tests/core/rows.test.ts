import { describe, expect, test } from "vitest";
import { columnsIn, gapRow, lookAfter, toRow } from "../../src/core/rows";
import type { Hit, Line } from "../../src/core/shapes";

const line = (text: string): Line => ({ number: 7, offset: 100, time: 1.5, stream: "stdout", text });
const shown = (text: string): string => toRow(line(text)).text;
const spans = (text: string): unknown => toRow(line(text)).spans;
const hit = (text: string, columns: [number, number][], skipped = 0): Hit => ({
  ...{ number: 7, offset: 100, time: null, stream: "stdout", match: 0, skipped },
  text,
  columns,
});

describe("a line of plain text", () => {
  test("is shown as it is, with its place", () => {
    const row = toRow(line("héllo\twörld"));
    expect(row).toMatchObject({ number: 7, offset: 100, time: 1.5, stream: "stdout", text: "héllo\twörld" });
    expect(row.spans).toEqual([{ text: "héllo\twörld", look: {} }]);
  });

  test("that is empty has no spans", () => expect(spans("")).toEqual([]));

  test("whose number is not known has none", () => {
    expect(toRow({ ...line("x"), number: -3 }).number).toBeNull();
    expect(toRow({ ...line("x"), number: 0 }).number).toBeNull();
  });
});

describe("what a terminal would have left", () => {
  test.each([
    ["10%\r20%\r30%", "30%"],
    ["downloading\rdone", "doneloading"],
    ["downloading\r\x1b[Kdone", "done"],
    ["crlf\r", "crlf"],
    ["abc\b\bX", "aXc"],
    ["abc\x1b[1GX", "Xbc"],
    ["abc\x1b[2D\x1b[P", "ac"],
    ["abcdef\x1b[3D\x1b[1K", "    ef"],
    ["abcdef\x1b[4G\x1b[2X", "abc  f"],
    ["a\x1b[3Cb", "a   b"],
    ["abcdefghij\r\tX", "abcdefghXj"],
    ["a\tb\x1b[m", "a\tb"],
    ["x\x1b[999999999Gy", `x${" ".repeat(2048)}y`],
    ["x\x1b[99999Gy", `x${" ".repeat(2048)}y`],
  ])("of %j is %j", (text, left) => expect(shown(text)).toBe(left));
});

describe("looks", () => {
  test.each([
    ["\x1b[31mred\x1b[0m", [{ text: "red", look: { fg: 1 } }]],
    ["\x1b[1;91;44mx", [{ text: "x", look: { bold: true, fg: 9, bg: 4 } }]],
    ["\x1b[38;5;208mx", [{ text: "x", look: { fg: 208 } }]],
    ["\x1b[38:5:208mx", [{ text: "x", look: { fg: 208 } }]],
    ["\x1b[48;2;1;2;3mx", [{ text: "x", look: { bg: "#010203" } }]],
    ["\x1b[38:2::1:2:3mx", [{ text: "x", look: { fg: "#010203" } }]],
    ["\x1b[38:2:1:2:3mx", [{ text: "x", look: { fg: "#010203" } }]],
    ["\x1b[58;5;9;1mx", [{ text: "x", look: { bold: true } }]],
    ["\x1b[38;5;256mx", [{ text: "x", look: {} }]],
    [
      "\x1b[4:3mx\x1b[4:0my",
      [
        { text: "x", look: { underline: true } },
        { text: "y", look: {} },
      ],
    ],
    [
      "\x1b[1;2;3;9mx\x1b[22;23;29my",
      [
        { text: "x", look: { bold: true, dim: true, italic: true, strike: true } },
        { text: "y", look: {} },
      ],
    ],
    [
      "\x1b[7mx\x1b[27;8my\x1b[28mz",
      [
        { text: "x", look: { inverse: true } },
        { text: "y", look: { hidden: true } },
        { text: "z", look: {} },
      ],
    ],
    ["\x1b[mx", [{ text: "x", look: {} }]],
    ["\x1b[>4;2mx", [{ text: "x", look: {} }]],
  ])("of %j", (text, expected) => expect(spans(text)).toEqual(expected));

  test("go on in the next line", () => {
    expect(lookAfter("\x1b[31mred", {})).toEqual({ fg: 1 });
    expect(toRow(line("more"), { fg: 1 }).spans).toEqual([{ text: "more", look: { fg: 1 } }]);
  });
});

describe("what would act", () => {
  test.each([
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["\x1b]52;c;ZXZpbA==\x07after", "after"],
    ["\x1b]0;title\x1b\\after", "after"],
    ["\x1bP+q544e\x1b\\after", "after"],
    ["\x1b[6n\x1b[c\x1b[?1049hafter", "after"],
    ["\x1bcafter", "after"],
    ["open\x1b]0;never ended", "open␛]0;never ended"],
    ["cut\x1b[38;5", "cut␛[38;5"],
    ["a\x07b\x00c\x7fd", "ab␀c␡d"],
    ["a\x9b31mb", "a⟦9B⟧31mb"],
    ["user\u202etxt.exe", "user⟦RLO⟧txt.exe"],
    ["a\u2028b", "a⟦LS⟧b"],
  ])("of %j is harmless: %j", (text, left) => expect(shown(text)).toBe(left));

  test("a million combining characters are a few", () => {
    expect(shown(`a${"\u0301".repeat(60000)}b`)).toBe(`a${"\u0301".repeat(4)}b`);
  });

  test("a line of nothing but sequences that move everything ends soon", () => {
    const text = `${"x".repeat(30000)}\r${"\x1b[P".repeat(10000)}`;
    expect(shown(text).length).toBeGreaterThan(0);
  });
});

describe("links", () => {
  test.each([
    ["see https://a.example/x?y=1, then", "https://a.example/x?y=1", "https://a.example/x?y=1"],
    ["(http://a.example/(b))", "http://a.example/(b)", "http://a.example/(b)"],
    ["at HTTPS://A.example.", "HTTPS://A.example", "https://a.example/"],
    ["\x1b[31mhttps://a.exa\x1b[0mmple", "https://a.exa", "https://a.example/"],
    ["\x1b]8;;https://a.example/\x1b\\here\x1b]8;;\x1b\\ x", "here", "https://a.example/"],
  ])("in %j", (text, shownText, href) => {
    expect(toRow(line(text)).spans).toContainEqual(expect.objectContaining({ text: shownText, href }));
  });

  test.each([
    "javascript:alert(1)",
    "\x1b]8;;javascript:alert(1)\x07here\x1b]8;;\x07",
    "data://x",
    "https://",
    "ftp://a.b",
  ])("not in %j", (text) => expect(toRow(line(text)).spans.some((span) => span.href)).toBe(false));

  test("cover the text exactly", () => {
    const row = toRow(line("a https://b.example c https://d.example"));
    expect(row.spans.map((span) => span.text).join("")).toBe(row.text);
    expect(row.spans.map((span) => span.href)).toEqual([
      undefined,
      "https://b.example/",
      undefined,
      "https://d.example/",
    ]);
  });
});

describe("columns of a hit", () => {
  const found = (text: string, columns: [number, number][]) => {
    const row = toRow(line(text));
    return columnsIn(row, hit(text, columns)).map(([begin, end]) => row.text.slice(begin, end));
  };
  test("in plain text", () => expect(found("an error here", [[3, 8]])).toEqual(["error"]));
  test("behind characters of two units", () => expect(found("😀😀 error", [[3, 8]])).toEqual(["error"]));
  test("across looks", () => expect(found("\x1b[31merr\x1b[0mor x", [[5, 14]])).toEqual(["error"]));
  test("in what was written over", () => expect(found("error\rfixed", [[0, 5]])).toEqual([]));
  test("in a long line", () => {
    const row = toRow(line(`${"é".repeat(100)}error`));
    expect(columnsIn(row, hit("ééerror", [[2, 7]], 196))).toEqual([[100, 105]]);
  });
  test("beyond what is here", () => {
    expect(columnsIn(toRow(line("short")), hit("error", [[0, 5]], 100000))).toEqual([]);
  });
});

test("a gap is a row", () => {
  expect(gapRow({ from: 10, to: 20, why: "damage" })).toMatchObject({
    offset: 10,
    gap: { to: 20, why: "damage" },
    text: "",
  });
});
