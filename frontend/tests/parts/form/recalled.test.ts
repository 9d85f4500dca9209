import { describe, expect, it } from "vitest";
import type { Command } from "../../../src/core/shapes";
import { isRecalledWhole, recalled } from "../../../src/parts/form/recalled";
import { aRun } from "../../run";

const SPEC = {
  stdio: "pipes" as const,
  takes_input: false,
  timeout_s: null,
  idle_timeout_s: null,
  unwatched_timeout_s: null,
  output_limit: null,
  output_policy: "stop" as const,
  ladder: [],
  leave_children: false,
};

function command(...argv: string[]): Command {
  const properties = { n: { type: "integer" as const } };
  return { name: "c", title: "", description: "", argv, parameters: { type: "object", properties, required: [] } };
}

describe("the values of a run", () => {
  it.each([
    [["seq", "1", "{n}"], ["seq", "1", "5"], { n: "5" }],
    [["make", "-j{n}"], ["make", "-j4"], { n: "4" }],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: these are braces of a command
    [["sh", "-c", "echo ${{x}} (a.b)", "{n}"], ["sh", "-c", "echo ${x} (a.b)", "a\nb"], { n: "a\nb" }],
    [["{a}:{n}"], ["x:y"], { n: "y" }],
    [["true"], ["true"], {}],
  ])("%o and %o", (template, argv, values) => {
    expect(recalled(command(...template), aRun({ argv }))).toEqual(values);
  });

  it("are those that the server has kept, but for secrets, files and what is no parameter any more", () => {
    const one = command("seq", "{n}");
    one.parameters.properties["key"] = { type: "string", format: "password" };
    const parameters = { n: 7, key: "hunter2", gone: 1 };
    const run = aRun({ argv: ["seq", "1"] });
    expect(recalled(one, { ...run, spec: { ...SPEC, parameters } })).toEqual({ n: 7 });
  });

  it("are not read from a flag, or a path that was followed", () => {
    const one = command("x", "{on}", "{at}");
    one.parameters.properties["on"] = { type: "boolean" };
    one.parameters.properties["at"] = { type: "string", format: "path" };
    expect(recalled(one, aRun({ argv: ["x", "--on", "/srv/a"] }))).toEqual({});
  });

  it("cannot be read where the command has changed since", () => {
    expect(recalled(command("seq", "{n}"), aRun({ argv: ["seq", "1", "5"] }))).toBeNull();
    expect(recalled(command("seq", "{n}"), aRun({ argv: ["jot", "5"] }))).toBeNull();
  });

  it("are whole if every parameter is among them, and none is a secret", () => {
    const one = command("seq", "{n}");
    expect(isRecalledWhole(one, { n: "5" })).toBe(true);
    expect(isRecalledWhole(one, {})).toBe(false);
    one.parameters.properties["n"] = { type: "string", format: "password" };
    expect(isRecalledWhole(one, { n: "***" })).toBe(false);
  });
});
