import { expect, it } from "vitest";
import { givenOf } from "../../src/pages/given";
import { formAddress, valuesIn } from "../../src/pages/handed";
import { sideBySide } from "../../src/pages/list/selection";

it("hands values to a form, behind #", () => {
  const address = formAddress("../", "greet", { name: "Ada & Bob", times: "3" });
  expect(address).toMatch(/^\.\.\/commands\/greet#with=/);
  expect(valuesIn(address.slice(address.indexOf("#")))).toEqual({ name: "Ada & Bob", times: "3" });
});

it("hands nothing where the address was cut", () => {
  expect(valuesIn("#with=%7B%22na")).toEqual({});
  expect(valuesIn("")).toEqual({});
});

it("leads to several runs side by side", () => {
  expect(sideBySide("./", ["1a", "1b"])).toBe("./runs?run=1a&run=1b");
});

it("takes what the server gave, and fills in what it left out", () => {
  expect(givenOf({ page: "home", root: "./" })).toMatchObject({ commands: [], may: { stop: false }, run: null });
  expect(givenOf(null)).toBeNull();
  expect(givenOf(JSON.parse('{"page":"other"}'))).toBeNull();
});
