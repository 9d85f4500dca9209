/** How a run stands, in one plain sentence; and what a stop does, in another. */

import { ofDay } from "../../core/clock";
import type { Run } from "../../core/shapes";
import { ago, duration, ending, limitWords, ticking } from "../../core/words";

/** seconds without output that are worth a word */
const SILENT_S = 5;
/** what a stop does unless the run was started otherwise */
const USUAL_LADDER: readonly (readonly [string, number])[] = [
  ["INT", 5],
  ["TERM", 5],
  ["KILL", 0],
];

/** Return the sentence.
 *
 * @param now milliseconds since 1970
 * @param lastOutput when the last output came, likewise; null: there was none, or nobody knows
 * @param isHeard whether output would be heard of
 */
export function standingOf(run: Run, now: number, lastOutput: number | null, isHeard = true): string {
  switch (run.state) {
    case "queued":
      return `Waits in the queue${run.queue_place ? `, at place ${run.queue_place}` : ""}${reasonOf(run)}.`;
    case "starting":
      return "Is being started.";
    case "running":
      return `${runningOf(run, now)}${isHeard ? silenceOf(run, now, lastOutput) : ""}.`;
    case "stopping":
      return `${stoppingOf(run)}${rungOf(run, now)}.`;
    case "finished":
      return finishedOf(run, now);
  }
}

/** Return why it may have to wait longer than others. */
function reasonOf(run: Run): string {
  return run.key === null ? "" : `: of all with the key “${run.key}”, one runs at a time`;
}

function runningOf(run: Run, now: number): string {
  const started = timeOf(run.started);
  if (started === null) return "Runs";
  return `Runs since ${ofDay(started).slice(0, 8)}, for ${ticking((now - started) / 1000)}`;
}

function silenceOf(run: Run, now: number, lastOutput: number | null): string {
  const since = lastOutput ?? timeOf(run.started);
  if (since === null) return "";
  const seconds = (now - since) / 1000;
  if (seconds < SILENT_S) return "";
  return run.size === 0 ? "; it has said nothing yet" : `; silent for ${ticking(seconds)}`;
}

function stoppingOf(run: Run): string {
  if (run.limit) return `Is being stopped, since ${limitWords(run.limit)}`;
  return run.stopped_by ? `Is being stopped by ${run.stopped_by}` : "Is being stopped";
}

/** Return which signal was sent last, and when the next one will be. */
function rungOf(run: Run, now: number): string {
  const last = run.ladder.at(-1);
  if (!last) return "";
  const next = nextRung(run);
  const seconds = next === null ? 0 : Math.ceil((next.at - now) / 1000);
  const then =
    next === null ? "" : seconds > 0 ? `, ${next.signal} follows in ${seconds} s` : `, ${next.signal} follows`;
  return `: ${bare(last.signal)} was sent${then}`;
}

function finishedOf(run: Run, now: number): string {
  if (run.outcome === null) return "Is over.";
  const sentence = ending(run.outcome);
  const took = run.duration_s === null || run.started === null ? "" : `, after ${duration(run.duration_s)}`;
  const ended = timeOf(run.ended);
  const when = ended === null ? "" : `, ${ago(ended, now)}`;
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}${took}${when}.`;
}

export interface NextRung {
  signal: string;
  /** milliseconds since 1970 */
  at: number;
}

/** Return the signal that will follow if nothing changes; null: there is none, or nobody knows. */
export function nextRung(run: Run): NextRung | null {
  const ladder = ladderOf(run);
  const last = run.ladder.at(-1);
  const sent = last && timeOf(last.time);
  if (!last || sent === null || sent === undefined) return null;
  const at = ladder.findIndex(([signal]) => signal === bare(last.signal));
  const [here, next] = [ladder[at], ladder[at + 1]];
  return at < 0 || !here || !next ? null : { signal: next[0], at: sent + here[1] * 1000 };
}

/** Return the stop ladder of the run: what it was started with, else the usual one. */
export function ladderOf(run: Run): readonly (readonly [signal: string, seconds: number])[] {
  return run.spec?.ladder.map(({ signal, seconds }): [string, number] => [signal, seconds]) ?? USUAL_LADDER;
}

/** Return what a stop will do. */
export function plannedStop(run: Run): string {
  const steps = ladderOf(run);
  const first = steps[0]?.[0] ?? "KILL";
  const rest = steps.slice(1).map(([signal], index) => {
    const waits = steps[index]?.[1] ?? 0;
    return `${signal} if that is not enough after ${duration(waits)}`;
  });
  const reach = run.spec?.leave_children ? "" : " It reaches everything that the run has started.";
  return `Sends ${[first, ...rest].join(", then ")}.${reach}`;
}

/** Return the time of an instant, in milliseconds since 1970. */
export function timeOf(at: string | null | undefined): number | null {
  const time = at ? Date.parse(at) : Number.NaN;
  return Number.isNaN(time) ? null : time;
}

/** Return a signal's name without SIG. */
export function bare(signal: string): string {
  return signal.replace(/^SIG/, "");
}
