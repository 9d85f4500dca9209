/** Lines made to take long. What is given here is far longer than a line can be, so that a cost that grows with its square
 * takes minutes, and the test's time is up. */

import { describe, expect, test } from "vitest";
import { linksIn, MOST_LINKS } from "../../src/core/links";
import { after, PLAIN } from "../../src/core/looks";
import { columnsIn, toRow } from "../../src/core/rows";
import { ScreenLine } from "../../src/core/screenline";
import type { Line } from "../../src/core/shapes";

const MANY = 1_000_000;
const line = (text: string): Line => ({ number: 7, offset: 100, time: 1.5, stream: "stdout", text });

describe("a line that is made to take long", () => {
  test.each([")", "]", ".", "].)"])("is one address and many of %j", (end) => {
    const [link] = linksIn(`http://example.org/${end.repeat(MANY)}`);
    expect(link).toEqual({ begin: 0, end: 19, href: "http://example.org/" });
  });

  test("has more addresses than are read", () => {
    const links = linksIn("http://a.b/c ".repeat(MOST_LINKS + 1));
    expect(links.length).toBe(MOST_LINKS);
  });

  test("begins colours that it does not finish", () =>
    expect(after(PLAIN, `${"38;".repeat(MANY)}1`)).toEqual({ bold: true }));

  test.each(["2K", "K"])("erases far to the left of where it writes, by %s", (erase) => {
    const screen = new ScreenLine(PLAIN);
    screen.write("x".repeat(60_000) + `\x1b[1G\x1b[${erase}\x1b[2000C\x1b[60000Gy`.repeat(MANY / 100));
    expect(screen.cells.length).toBeLessThanOrEqual(65_536);
    screen.write(`\x1b[${erase}z`.repeat(MANY / 10));
    expect(screen.cells.at(-1)?.text).toBe("z");
  });

  test("has a hit in each place, and an escape code", () => {
    const text = "a".repeat(60_000);
    const columns = Array.from(text, (_, at): [number, number] => [at + 4, at + 5]);
    const raw = `\x1b[1m${text}`;
    const hit = { ...{ number: 7, offset: 100, time: null, stream: "stdout" as const, match: 0 }, text: raw, columns };
    expect(columnsIn(toRow(line(raw)), hit)).toEqual(columns.map(([from, to]) => [from - 4, to - 4]));
  });
});
