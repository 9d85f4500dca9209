/** The stop ladder as it happens: the signals that were sent, and those that follow. */

import { ofDay } from "../../core/clock";
import type { Run } from "../../core/shapes";
import { now } from "../../parts/now";
import { bare, ladderOf, nextRung, timeOf } from "./standing";

export function Ladder({ run }: { run: Run }) {
  const next = nextRung(run);
  const sent = new Map(run.ladder.map((step) => [bare(step.signal), step]));
  return (
    <ol class="ladder" aria-label="Signals">
      {ladderOf(run).map(([signal]) => {
        const step = sent.get(signal);
        const at = step ? timeOf(step.time) : null;
        const isNext = next?.signal === signal;
        const seconds = isNext ? Math.max(0, Math.ceil((next.at - now.value) / 1000)) : 0;
        return (
          <li key={signal} class={step ? "sent" : isNext ? "next" : ""}>
            <b>{signal}</b>
            {step && at !== null && ` ${ofDay(at).slice(0, 8)}, ${processes(step.processes)}`}
            {isNext && ` in ${seconds} s`}
          </li>
        );
      })}
    </ol>
  );
}

export function processes(count: number): string {
  return count === 1 ? "1 process" : `${count} processes`;
}
