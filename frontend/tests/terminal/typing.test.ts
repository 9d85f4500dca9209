import { expect, test, vi } from "vitest";
import { MOST_WAITING, Typing } from "../../src/terminal/typing";

function typingTo(sent: string[], isOpen = () => true): Typing {
  return new Typing((text) => {
    if (isOpen()) sent.push(text);
    return isOpen();
  });
}

test("what is typed while a piece is under way goes with the next", () => {
  const sent: string[] = [];
  const typing = typingTo(sent);
  for (const key of "abc") typing.add(key);
  expect(sent).toEqual(["a"]);
  typing.taken();
  expect(sent).toEqual(["a", "bc"]);
});

test("a long paste goes in pieces that cut no character", () => {
  const sent: string[] = [];
  const typing = typingTo(sent);
  const text = `a${"😀".repeat(10_000)}`;
  typing.add(text);
  for (let turn = 0; turn < 10; turn += 1) typing.taken();
  expect(sent.length).toBeGreaterThan(2);
  expect(sent.join("")).toBe(text);
  expect(sent.some((piece) => /[\ud800-\udbff]$/.test(piece))).toBe(false);
});

test("without a connection it waits", () => {
  const sent: string[] = [];
  let isOpen = false;
  const typing = typingTo(sent, () => isOpen);
  typing.add("abc");
  expect(sent).toEqual([]);
  isOpen = true;
  typing.resume();
  expect(sent).toEqual(["abc"]);
});

test("what may have arrived is not sent twice", () => {
  const sent: string[] = [];
  const typing = typingTo(sent);
  typing.add("a");
  typing.add("b");
  typing.lost();
  typing.resume();
  expect(sent).toEqual(["a", "b"]);
});

test("a command that does not read is asked again", () => {
  vi.useFakeTimers();
  const sent: string[] = [];
  const typing = typingTo(sent);
  typing.add("a");
  typing.busy();
  vi.advanceTimersByTime(1000);
  expect(sent).toEqual(["a", "a"]);
  vi.useRealTimers();
});

test("more than there is room for is refused", () => {
  const typing = typingTo([], () => false);
  expect(typing.add("x".repeat(MOST_WAITING))).toBe(true);
  expect(typing.add("x")).toBe(false);
});
