/** What is out of the ordinary with a run, in a line each. */

import type { Run } from "../../core/shapes";
import { size } from "../../core/words";
import { Notice } from "../../parts/notice";
import { sentence } from "../../parts/sentence";

/** what can be done where a run used more than it may; of limits of time and output the standing says enough */
const LIMIT_CURES: Readonly<Record<string, string>> = {
  cpu: "Give it less to do, or have max_cpu of its command raised.",
  memory: "Give it less to do, or have max_memory of its command raised.",
  processes: "Have it start fewer at a time, or have max_processes of its command raised.",
};
/** children that are named; the others are counted */
const MOST_CHILDREN = 5;

export function Notices({ run }: { run: Run }) {
  const isOver = run.state === "finished";
  return (
    <>
      {run.held && !isOver && <Notice tone="other">Held up: {sentence(run.held)}</Notice>}
      {run.damage && <Notice tone="bad">Damaged: {sentence(run.damage)} The output can still be read.</Notice>}
      {run.hint && <Notice tone="going">{sentence(run.hint)}</Notice>}
      {run.outcome?.kind === "lost" && (
        <Notice tone="bad">
          Nobody saw how the command ended, so there is no exit code. What it wrote until then is here.
        </Notice>
      )}
      {run.limit && LIMIT_CURES[run.limit] && <Notice tone="other">{LIMIT_CURES[run.limit]}</Notice>}
      {run.masked && (
        <Notice tone="going">
          Parts of the output that equal secrets of the run are hidden: <code>***</code> stands for them.
        </Notice>
      )}
      {run.dropped > 0 && (
        <Notice tone="other">
          {size(run.dropped)} of its output {run.dropped === 1 ? "was" : "were"} not kept: the output limit was reached.
        </Notice>
      )}
      {run.lingering.length > 0 && (
        <Notice tone="other">
          {isOver ? "When it ended, it left behind: " : "It leaves behind: "}
          <code>{childrenOf(run)}</code>
        </Notice>
      )}
    </>
  );
}

function childrenOf(run: Run): string {
  const named = run.lingering.slice(0, MOST_CHILDREN).map(({ argv, pid }) => `${argv} (${pid})`);
  const more = run.lingering.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
