import { expect, test } from "vitest";
import { sizeOf } from "../../../src/pages/list/row";

test("the output of a run that goes grows with its activity", () => {
  expect(sizeOf({ size: 4 }, [2, 2, 0, 10])).toBe(14);
});

test("what the run says counts where its activity is not known, or is older", () => {
  expect(sizeOf({ size: 4 }, undefined)).toBe(4);
  expect(sizeOf({ size: 40 }, [2, 2])).toBe(40);
});
