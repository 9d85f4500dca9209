import { describe, expect, test } from "vitest";
import { gapRow } from "../../src/core/rows";
import { Copying, TooMuch } from "../../src/log/view-copy";
import { RowsSource } from "./rows-source";

const PLAIN = { colours: false };
const text = (index: number) => `\x1b[31mrow\x1b[0m ${index}`;
const { signal } = new AbortController();

function point(index: number, column: number) {
  return { index, column };
}

describe("Copying", () => {
  test("gives at once what is all here, from column to column", () => {
    const source = new RowsSource({ count: 100, text });
    source.want(0, 10);
    const copied = new Copying(source, point(2, 4), point(4, 3), PLAIN).now();
    expect(copied).toEqual({ text: "2\nrow 3\nrow", cut: 0 });
  });

  test("gives nothing at once when something is missing", () => {
    const source = new RowsSource({ count: 100, text });
    source.want(0, 10);
    expect(new Copying(source, point(2, 0), point(20, 0), PLAIN).now()).toBeNull();
  });

  test("fetches what is missing, however late it comes", async () => {
    const source = new RowsSource({ count: 10_000, text, latency: 2 });
    const copied = await new Copying(source, point(10, 0), point(5010, 3), PLAIN).all(signal);
    const lines = copied.text.split("\n");
    expect(lines).toHaveLength(5001);
    expect(lines[0]).toBe("row 10");
    expect(lines.at(-2)).toBe("row 5009");
    expect(lines.at(-1)).toBe("row");
  });

  test("with colours rows are whole, as they came, and the last look ends", async () => {
    const source = new RowsSource({ count: 100, text });
    const copied = await new Copying(source, point(1, 2), point(2, 2), { colours: true }).all(signal);
    expect(copied.text).toBe(`${text(1)}\n${text(2)}\x1b[0m`);
  });

  test("says what is missing in the output, and which lines end early", () => {
    const source = new RowsSource({ count: 3, text });
    source.want(0, 3);
    source.put(1, gapRow({ from: 100, to: 1_100, why: "expired" }));
    const row = source.row(2);
    if (row !== undefined) source.put(2, { ...row, continued: true });
    const copied = new Copying(source, point(0, 0), point(2, 99), PLAIN).now();
    expect(copied).toEqual({ text: "row 0\n[1000 bytes are missing: expired]\nrow 2", cut: 1 });
  });

  test("refuses too much as soon as the last row is known, before fetching the rest", async () => {
    const source = new RowsSource({ count: 1_000_000, text, latency: 1 });
    const copying = new Copying(source, point(0, 0), point(999_999, 3), PLAIN);
    await expect(copying.all(signal)).rejects.toBeInstanceOf(TooMuch);
    expect(source.wants).toEqual([[999_999, 1_000_000]]);
  });

  test("stops when it is stopped", async () => {
    const source = new RowsSource({ count: 10_000, text, latency: 50 });
    const stop = new AbortController();
    const copied = new Copying(source, point(0, 0), point(9999, 0), PLAIN).all(stop.signal);
    stop.abort();
    await expect(copied).rejects.toThrow("given up");
  });

  test("ends when rows cannot be had", async () => {
    const source = new RowsSource({ count: 10_000, text, latency: 10_000 });
    const copied = new Copying(source, point(0, 0), point(9999, 0), PLAIN).all(signal);
    source.fail("the server is gone", () => undefined);
    await expect(copied).rejects.toThrow("the server is gone");
  });
});
