import { expect, test } from "vitest";
import { bounded } from "../../src/terminal/marks";

test("writing stays as it is", () => {
  for (const text of ["plain", "e\u0301te\u0301", "\x1b[1mx\x1b[0m", "שָׁלוֹם", "ก้ำ"]) expect(bounded(text)).toBe(text);
});

test("of many, a few are left", () => {
  expect(bounded(`a${"\u0301".repeat(1_000_000)}b`)).toBe(`a${"\u0301".repeat(8)}b`);
});
