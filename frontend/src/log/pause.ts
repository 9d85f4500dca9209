/** Waiting, for as long as somebody is there to wait. */

const SEEN_MS = 250;
const HIDDEN_MS = 2000;

/** Return how long to wait before something is asked again that is being made: less while somebody looks. */
export function pollMs(): number {
  return typeof document !== "undefined" && document.hidden ? HIDDEN_MS : SEEN_MS;
}

/** Wait so long, or until the signal says that it is of no use. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}
