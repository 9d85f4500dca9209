import { expect, test } from "vitest";
import { fateOf } from "../../src/log/view-fate";
import { RowsSource } from "./rows-source";

test("counting moves the rows at the end, leaves those at the beginning, and loses what is neither", () => {
  const source = new RowsSource({ count: 1000, wrongBy: 100 });
  source.want(0, 900);
  const [near, far] = [source.row(10), source.row(890)];
  source.finishCounting();
  source.want(0, 20);
  if (near === undefined || far === undefined) throw new Error("rows are missing");
  expect(fateOf(source, near, 10, 100)).toBe("stays");
  expect(fateOf(source, far, 890, 100)).toBe("moves");
  expect(fateOf(source, { ...far, offset: 77 }, 500, 100)).toBe("lost");
});
