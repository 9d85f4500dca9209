import { describe, expect, it } from "vitest";
import type { Command, ParameterSchema } from "../../../src/core/shapes";
import { initialValues, kindOf, sent, withoutSecrets } from "../../../src/parts/form/values";

function commandWith(properties: Record<string, ParameterSchema>): Command {
  const parameters = { type: "object" as const, properties, required: [] };
  return { name: "c", title: "", description: "", argv: ["c"], parameters };
}

describe("a field", () => {
  it.each([
    [{ type: "string" }, "text"],
    [{ type: "string", enum: ["a"] }, "choice"],
    [{ type: "string", format: "password" }, "secret"],
    [{ type: "string", format: "password", multiline: true }, "secret-lines"],
    [{ type: "string", format: "binary" }, "file"],
    [{ type: "string", multiline: true }, "lines"],
    [{ type: "string", format: "date" }, "date"],
    [{ type: "string", default: "a\nb" }, "lines"],
    [{ type: "integer" }, "whole"],
    [{ type: "number" }, "number"],
    [{ type: "boolean" }, "yes"],
    [{ type: "array", items: { enum: ["a"] } }, "choices"],
  ] as [ParameterSchema, string][])("%o is for %s", (schema, kind) => {
    expect(kindOf(schema)).toBe(kind);
  });

  it("begins with what is known, else with the default; a secret begins empty", () => {
    const command = commandWith({
      n: { type: "integer", default: 5 },
      m: { type: "integer", default: 5 },
      on: { type: "boolean", default: true },
      key: { type: "string", format: "password", default: "x" },
      all: { type: "array", items: { enum: ["a", "b"] }, default: ["b"] },
    });
    expect(initialValues(command, { m: "7" })).toEqual({ n: "5", m: "7", on: true, key: "", all: ["b"] });
  });
});

describe("values that are kept nowhere", () => {
  it("are gone from a form that has been sent", () => {
    const command = commandWith({ n: { type: "integer" }, key: { type: "string", format: "password" } });
    expect(withoutSecrets(command, { n: "5", key: "hunter2" })).toEqual({ n: "5", key: "" });
  });

  it("are not taken from elsewhere", () => {
    const command = commandWith({
      key: { type: "string", format: "password" },
      f: { type: "string", format: "binary" },
    });
    expect(initialValues(command, { key: "hunter2", f: "/etc/passwd" })).toEqual({ key: "", f: "" });
  });

  it("are told by a plain form in a line each", () => {
    const command = commandWith({ all: { type: "array", items: { enum: ["a", "b"] } }, on: { type: "boolean" } });
    expect(initialValues(command, { all: "\nb", on: "false\ntrue" })).toEqual({ all: ["b"], on: true });
  });
});

describe("what is sent", () => {
  it.each([
    [{ type: "integer" }, "12", 12],
    [{ type: "integer" }, " -3 ", -3],
    [{ type: "integer" }, "twelve", "twelve"],
    [{ type: "integer" }, "1.5", "1.5"],
    [{ type: "number" }, "1.5", 1.5],
    [{ type: "string" }, "", ""],
    [{ type: "boolean" }, false, false],
    [{ type: "array", items: { enum: ["a"] } }, ["a"], ["a"]],
  ] as [ParameterSchema, string, unknown][])("%o with %o", (schema, value, json) => {
    expect(sent(commandWith({ p: schema }), { p: value })).toEqual({ p: json });
  });

  it.each([
    { type: "integer" },
    { type: "number" },
    { type: "string", enum: ["a"] },
    { type: "string", format: "date" },
  ] as ParameterSchema[])("leaves %o out where it is empty", (schema) => {
    expect(sent(commandWith({ p: schema }), { p: "" })).toEqual({});
  });

  it("is a form with parts where there is a file", () => {
    const file = new File(["a,b"], "x.csv");
    const properties: Record<string, ParameterSchema> = {
      f: { type: "string", format: "binary" },
      all: { type: "array", items: { enum: ["a", "b"] } },
      on: { type: "boolean" },
    };
    const form = sent(commandWith(properties), { f: file, all: ["b"], on: true });
    if (!(form instanceof FormData)) throw new Error("no form");
    expect([form.getAll("all"), form.getAll("on"), form.get("f")]).toEqual([["", "b"], ["true"], file]);
  });

  it("leaves out a file that was not chosen", () => {
    expect(sent(commandWith({ f: { type: "string", format: "binary" } }), { f: "" })).toEqual({});
  });

  it("is a form where a number has more digits than JavaScript keeps", () => {
    const body = sent(commandWith({ n: { type: "integer" }, t: { type: "string" } }), {
      n: "9223372036854775807",
      t: "a&b",
    });
    expect(String(body)).toBe("n=9223372036854775807&t=a%26b");
  });
});
