/** A run in a list. */

import type { Progress } from "../../core/osc";
import type { Run } from "../../core/shapes";
import { nameOf, shortSize, typed } from "../../core/words";
import { Badge } from "../../parts/badge";
import { ProgressBar } from "../../parts/progress";
import { Spark } from "../../parts/spark";
import { Ago, Took } from "../../parts/time";
import { choose, chosen, MOST_CHOSEN } from "./selection";

/** characters of an argv; nobody sees more of it in a row */
const MOST_TYPED = 300;

interface Parts {
  run: Run;
  index: number;
  top: number;
  root: string;
  title: string | undefined;
  bytes: readonly number[] | undefined;
  progress: Progress | null;
}

export function RunRow({ run, index, top, root, title, bytes, progress }: Parts) {
  const size = sizeOf(run, bytes);
  const name = nameOf(run, title);
  const isChosen = chosen.value.includes(run.id);
  const labels = Object.entries(run.labels);
  return (
    <tr
      class={`run${run.state === "finished" ? "" : " is-going"}`}
      aria-rowindex={index + 2}
      data-index={index}
      style={{ transform: `translateY(${top}px)` }}
    >
      <td class="pick">
        <input
          type="checkbox"
          aria-label={`Choose ${name}, ${run.id}`}
          checked={isChosen}
          disabled={!isChosen && chosen.value.length >= MOST_CHOSEN}
          onChange={(event) => choose(run.id, event.currentTarget.checked)}
        />
      </td>
      <td class="state-cell">
        <Badge run={run} />
        {progress && <ProgressBar progress={progress} label={`Progress of ${name}`} />}
      </td>
      <td class="what">
        <a class="link" href={`${root}runs/${run.id}`}>
          {name}
        </a>
        <span class="argv">{shortArgv(run)}</span>
        {run.masked && (
          <span class="label" title="Parts of its output that equal secrets are hidden">
            masked
          </span>
        )}
        {labels.slice(0, 2).map(([label, value]) => (
          <span key={label} class="label">{`${label}=${value}`}</span>
        ))}
      </td>
      <td class="spark">{bytes && bytes.length > 0 && <Spark bytes={bytes} />}</td>
      <td class="size">{size > 0 && shortSize(size)}</td>
      <td class="took">
        <Took run={run} />
      </td>
      <td class="by" title={run.by ?? undefined}>
        {run.by}
      </td>
      <td class="when">
        <Ago at={run.created} />
      </td>
    </tr>
  );
}

/** A row whose run is not here yet. */
export function WaitingRow({ index, top }: { index: number; top: number }) {
  return (
    <tr class="run waiting" aria-rowindex={index + 2} style={{ transform: `translateY(${top}px)` }}>
      <td class="what">
        <span class="hidden">still to come</span>
      </td>
    </tr>
  );
}

/** Return the argv as one would type it, without the way to the program. */
function shortArgv(run: Run): string {
  const [program = "", ...rest] = run.argv;
  return typed([program.split("/").pop() ?? "", ...rest]).slice(0, MOST_TYPED);
}

/** Return how much output there is: what a run says is of when its state changed, and its activity may be of later. */
export function sizeOf(run: Pick<Run, "size">, bytes: readonly number[] | undefined): number {
  return Math.max(
    run.size,
    (bytes ?? []).reduce((sum, count) => sum + count, 0),
  );
}
