// @vitest-environment happy-dom
import { afterEach, expect, it, vi } from "vitest";
import { ConnectionLost } from "../../../src/net/problem";
import { Activities } from "../../../src/pages/list/activity";
import { aRun } from "../../run";

afterEach(() => void vi.useRealTimers());

it("asks again, after a while, for the activity of a run that is over, where it could not be had", async () => {
  vi.useFakeTimers();
  const activity = vi.fn(async () => ({ from: null, until: null, bytes: [1, 2] }));
  activity.mockRejectedValueOnce(new ConnectionLost("away"));
  const activities = new Activities({ activity });
  activities.want([aRun({ id: "one", state: "finished", started: "2026-11-27T10:00:00Z" })]);
  await vi.advanceTimersByTimeAsync(4000);
  expect([activity.mock.calls.length, activities.of("one")]).toEqual([1, []]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect([activity.mock.calls.length, activities.of("one")]).toEqual([2, [1, 2]]);
  activities.close();
});
