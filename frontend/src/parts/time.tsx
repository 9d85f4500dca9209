/** Instants and durations of a run, as they are now. */

import { instant } from "../core/clock";
import type { Run } from "../core/shapes";
import { ago, duration, ticking } from "../core/words";
import { now } from "./now";

/** How long ago it was; the instant itself stands in the title. */
export function Ago({ at }: { at: string | null }) {
  const time = at === null ? Number.NaN : Date.parse(at);
  if (Number.isNaN(time)) return <span class="when">unknown</span>;
  return (
    <time class="when" dateTime={new Date(time).toISOString()} title={instant(time)}>
      {ago(time, now.value)}
    </time>
  );
}

/** How long a run took, or has taken so far. */
export function Took({ run }: { run: Run }) {
  return <span class="took">{tookOf(run, now.value) ?? ""}</span>;
}

/** Return how long a run took, or has taken at this time; null: it has not begun, or nobody knows. */
export function tookOf(run: Run, at: number): string | null {
  if (run.duration_s !== null) return duration(run.duration_s);
  if (run.started === null || run.state === "finished") return null;
  return ticking((at - Date.parse(run.started)) / 1000);
}
