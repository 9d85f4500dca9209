/** The top of a run's page: what it is, how it stands, and what there is to know about it. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Progress } from "../../core/osc";
import type { Run, Who } from "../../core/shapes";
import { duration, nameOf, shortSize, typed } from "../../core/words";
import { Badge } from "../../parts/badge";
import { copy } from "../../parts/clipboard";
import { isHeard } from "../../parts/connection";
import { Icon } from "../../parts/icons";
import { Notice } from "../../parts/notice";
import { now } from "../../parts/now";
import { ProgressBar, percentOf } from "../../parts/progress";
import { guestWords } from "../../parts/who";
import { isNarrow } from "../../parts/width";
import { Facts } from "./facts";
import { Ladder } from "./ladder";
import { Notices } from "./notices";
import { standingOf, timeOf } from "./standing";

interface Parts {
  run: Run;
  title: string | undefined;
  /** where its command's page is; null: there is none for him */
  root: string | null;
  /** who looks at it by a link; null: others */
  guest: Who | null;
  lastOutput: number | null;
  progress: Progress | null;
  /** what can be done */
  children: ComponentChildren;
}

export function Head({ run, title, root, guest, lastOutput, progress, children }: Parts) {
  const [isOpen, setOpen] = useState(false);
  const name = nameOf(run, title);
  return (
    <header class="head">
      <div class="title">
        <h1>{run.command === null || root === null ? name : <a href={`${root}commands/${run.command}`}>{name}</a>}</h1>
        <Badge run={run} />
        <div class="actions">{children}</div>
      </div>
      <p class="standing">
        <span>{standingOf(run, now.value, lastOutput ?? timeOf(run.last_output), isHeard.value)}</span>
        <Figures run={run} />
        <button type="button" class="quiet more" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          Details
          <Icon name={isOpen ? "up" : "down"} />
        </button>
      </p>
      {progress && (
        <div class="progress">
          <ProgressBar progress={progress} label="Progress" />
          <span class="percent">{percentOf(progress)}</span>
        </div>
      )}
      {run.state === "stopping" && <Ladder run={run} />}
      {guest && <Notice tone="going">{guestWords(guest, now.value)}</Notice>}
      <Notices run={run} />
      {(isOpen || !isNarrow.value) && <Argv run={run} isWhole={isOpen} />}
      {isOpen && <Facts run={run} />}
    </header>
  );
}

/** The few figures that are worth being seen at once. */
function Figures({ run }: { run: Run }) {
  const { usage } = run;
  const cpu = usage && usage.cpu_user_s + usage.cpu_system_s;
  return (
    <span class="figures">
      {run.size > 0 && <span title="Output">{shortSize(run.size)}</span>}
      {usage && cpu !== null && <span title="Processor time">{duration(cpu)} CPU</span>}
      {usage && (
        <span title={usage.rss_bytes === undefined ? "Memory, at its peak" : "Memory, now"}>
          {shortSize(usage.rss_bytes ?? usage.max_rss_bytes)} RAM
        </span>
      )}
      {run.by && <span title="Started by">{run.by}</span>}
      {Object.entries(run.labels).map(([label, value]) => (
        <span key={label} class="label">{`${label}=${value}`}</span>
      ))}
    </span>
  );
}

function Argv({ run, isWhole }: { run: Run; isWhole: boolean }) {
  const text = typed(run.argv);
  return (
    <div class={`command-line${isWhole ? " is-whole" : ""}`}>
      <code class="argv">{isWhole ? text : text.replaceAll("\n", " ").slice(0, 500)}</code>
      <button
        type="button"
        class="quiet icon"
        aria-label="Copy the command line"
        title="Copy the command line"
        onClick={() => void copy(text, "Command line")}
      >
        <Icon name="copy" />
      </button>
    </div>
  );
}
