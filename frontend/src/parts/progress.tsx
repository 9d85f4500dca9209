/** How far a command says it is, as a bar. */

import type { Progress } from "../core/osc";

const TONES = { going: "going", failed: "bad", paused: "other", unknown: "going" } as const;

export function ProgressBar({ progress, label }: { progress: Progress; label: string }) {
  const percent = progress.kind === "unknown" ? null : progress.percent;
  return (
    <div
      class={`bar ${TONES[progress.kind]}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      title={percentOf(progress) || undefined}
      {...(percent !== null && { "aria-valuenow": percent })}
    >
      <i class={percent === null ? "unknown" : undefined} style={percent === null ? {} : { width: `${percent}%` }} />
    </div>
  );
}

/** Return `40 %`; nothing where nobody knows. */
export function percentOf(progress: Progress): string {
  return progress.kind === "unknown" ? "" : `${progress.percent} %`;
}
