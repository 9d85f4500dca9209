/** All that is known of a run, as a list of terms. */

import type { ComponentChildren } from "preact";
import { instant, ofDay } from "../../core/clock";
import type { Run } from "../../core/shapes";
import { duration, size } from "../../core/words";
import { now } from "../../parts/now";
import { tookOf } from "../../parts/time";
import { processes } from "./ladder";
import { timeOf } from "./standing";

export function Facts({ run }: { run: Run }) {
  return (
    <dl class="facts">
      {factsOf(run).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

const STDIO = { pipes: "two pipes, stdout and stderr", merged: "one pipe", pty: "a terminal" } as const;

type Fact = [string, ComponentChildren];

function factsOf(run: Run): Fact[] {
  const { usage } = run;
  const all: [string, ComponentChildren | null | undefined | false][] = [
    ["Run", <code key="id">{run.id}</code>],
    ["Asked for", whenOf(run.created)],
    ["Started", whenOf(run.started)],
    ["Ended", whenOf(run.ended)],
    ["Took", run.started !== null && tookOf(run, now.value)],
    ["Output", size(run.size)],
    ["Not kept", run.dropped > 0 && size(run.dropped)],
    ["Processor", usage && `${duration(usage.cpu_user_s)} user, ${duration(usage.cpu_system_s)} system`],
    ["Memory", usage && `${size(usage.max_rss_bytes)} at its peak`],
    ["Processes", usage?.processes],
    ["Output by", run.spec && STDIO[run.spec.stdio]],
    ["Signals", run.ladder.length > 0 && run.ladder.map(stepOf).join("; ")],
    ["Directory", run.cwd && <code key="cwd">{run.cwd}</code>],
    ["By", run.by],
    ["Labels", labelsOf(run)],
    ["Key", run.key && <code key="key">{run.key}</code>],
    ["Terminal", run.rows !== null && run.columns !== null && `${run.columns} × ${run.rows}`],
    ["Limits", limitsOf(run)],
    ["Given", givenTo(run)],
    ["Kept for good", run.pinned && "yes"],
  ];
  return all.filter((fact): fact is Fact => Boolean(fact[1]));
}

function whenOf(at: string | null): string | null {
  const time = timeOf(at);
  return time === null ? null : instant(time);
}

function stepOf(step: Run["ladder"][number]): string {
  const at = timeOf(step.time);
  return `${step.signal}${at === null ? "" : ` at ${ofDay(at).slice(0, 8)}`} to ${processes(step.processes)}`;
}

/** Return what its command was given; secrets and files are kept nowhere. */
function givenTo({ spec }: Run): string {
  return Object.entries(spec?.parameters ?? {})
    .map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(",") : String(value)}`)
    .join(", ");
}

function labelsOf(run: Run): string {
  return Object.entries(run.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(", ");
}

/** Return the limits that the run has, as far as the server tells them. */
export function limitsOf({ spec }: Run): string {
  if (!spec) return "";
  const isCut = spec.output_policy === "truncate";
  const limits = [
    spec.timeout_s && `${duration(spec.timeout_s)} in all`,
    spec.idle_timeout_s && `${duration(spec.idle_timeout_s)} of silence`,
    spec.unwatched_timeout_s && `${duration(spec.unwatched_timeout_s)} without a viewer`,
    spec.output_limit && `${size(spec.output_limit)} of output${isCut ? ", then it is only counted" : ""}`,
  ];
  return limits.filter(Boolean).join(", ");
}
