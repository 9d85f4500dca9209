import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { RunNews } from "../../../src/net/feed";
import { Pulse } from "../../../src/pages/run/progress";

const output = (text: string, end: number): RunNews => ({
  kind: "output",
  piece: { offset: end - text.length, time: null, stream: "stdout", text },
  end,
});

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it("tells progress though its sequence comes in two pieces", () => {
  const pulse = new Pulse();
  pulse.take(output("step 1\n\x1b]9;4;1", 10));
  expect(pulse.progress.value).toBeNull();
  pulse.take(output(";42\x07", 14));
  expect(pulse.progress.value).toEqual({ kind: "going", percent: 42 });
});

it("tells how much has come a few times a second, whatever comes", () => {
  const pulse = new Pulse();
  const sizes: number[] = [];
  pulse.size.subscribe((size) => sizes.push(size));
  for (let end = 1; end <= 1000; end += 1) {
    pulse.take(output("x", end));
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1000);
  expect(sizes.length).toBeLessThan(8);
  expect(sizes.at(-1)).toBe(1000);
});
