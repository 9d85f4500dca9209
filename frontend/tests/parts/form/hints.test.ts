import { describe, expect, it } from "vitest";
import type { ParameterSchema } from "../../../src/core/shapes";
import { doubtOf, hintOf } from "../../../src/parts/form/hints";

describe("what a value may be", () => {
  it.each([
    [{ type: "integer", minimum: -(2 ** 63), maximum: 2 ** 63 }, ""],
    [{ type: "integer", minimum: 1, maximum: 9 }, "1 to 9."],
    [{ type: "number", maximum: 0.5 }, "0.5 or less."],
    [{ type: "string", minLength: 0, maxLength: 4096 }, ""],
    [{ type: "string", minLength: 3, maxLength: 20 }, "3 to 20 characters."],
    [{ type: "string", format: "password", minLength: 6, maxLength: 4096 }, "6 characters or more."],
    [{ type: "string", format: "date", formatMinimum: "2026-01-01" }, "From 2026-01-01."],
    [{ type: "string", format: "path", minLength: 1, maxLength: 4095 }, ""],
    [{ type: "string", format: "binary", maxLength: 2048, accept: [".csv"] }, "Up to 2.0 KiB; .csv."],
    [{ type: "array", items: { enum: ["a", "b", "c"] }, minItems: 0, maxItems: 2 }, "Choose up to 2."],
  ] as [ParameterSchema, string][])("%o: %s", (schema, words) => {
    expect(hintOf(schema)).toBe(words);
  });
});

describe("what looks wrong", () => {
  it.each([
    [{ type: "integer", minimum: 1 }, "0", /out of range/],
    [{ type: "integer" }, "1e3", /whole number/],
    [{ type: "string", maxLength: 3 }, "four", /4 characters/],
    [{ type: "string", pattern: "^(?:[a-z]+)$" }, "NO", /may not be/],
  ] as [ParameterSchema, string, RegExp][])("%o with %s", (schema, value, words) => {
    expect(doubtOf(schema, value)).toMatch(words);
  });

  it.each([
    [{ type: "integer", minimum: 1 }, ""],
    [{ type: "string", maxLength: 3 }, "😀😀😀"],
    [{ type: "string", pattern: "^(?:(?P<of>Python))$" }, "anything"],
    [{ type: "string", enum: ["a"] }, "b"],
  ] as [ParameterSchema, string][])("is not said of %o with %s", (schema, value) => {
    expect(doubtOf(schema, value)).toBe("");
  });
});
