import { expect, test } from "vitest";
import { actionOf } from "../../src/log/view-keys";

const NONE = { shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

test.each([
  ["j", {}, { kind: "rows", by: 1 }],
  ["ArrowUp", {}, { kind: "rows", by: -1 }],
  [" ", {}, { kind: "pages", by: 1 }],
  [" ", { shiftKey: true }, { kind: "pages", by: -1 }],
  ["g", {}, { kind: "start" }],
  ["G", { shiftKey: true }, { kind: "end" }],
  ["End", { ctrlKey: true }, { kind: "end" }],
  ["a", { metaKey: true }, { kind: "all" }],
  ["ArrowDown", { shiftKey: true }, { kind: "range", by: 1 }],
])("%s with %o", (key, held, action) => {
  expect(actionOf({ ...NONE, key, ...held })).toEqual(action);
});

test.each([
  ["j", { ctrlKey: true }],
  ["j", { altKey: true }],
  ["a", {}],
  ["A", { ctrlKey: true, shiftKey: true }],
  ["constructor", {}],
])("%s with %o is nothing here", (key, held) => {
  expect(actionOf({ ...NONE, key, ...held })).toBeNull();
});
