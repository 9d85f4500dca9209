import { describe, expect, it } from "vitest";
import { here, now, serverTime, setServerTime } from "../../src/parts/now";

const DAY_MS = 86_400_000;
const ahead = () => Math.round((now.value - here.value) / 1000);

describe("the time", () => {
  it("is the server's, where the browser's clock is wrong", () => {
    setServerTime(Date.now() - DAY_MS);
    expect(ahead()).toBe(-86_400);
    expect(Math.abs(serverTime() + DAY_MS - Date.now())).toBeLessThan(60_000);
  });

  it("does not jump for what an answer's time cannot tell", () => {
    setServerTime(Date.now() - DAY_MS + 900);
    expect(ahead()).toBe(-86_400);
  });

  it("is the browser's again, where that has been set right", () => {
    setServerTime(Date.now() - 900);
    expect(ahead()).toBe(0);
  });
});
