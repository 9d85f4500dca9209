/** A run's state in a word or two, with its icon: told by form and words, and not by colour alone. */

import type { Run } from "../core/shapes";
import { standing, type Tone, toneOf } from "../core/words";
import { Icon } from "./icons";

export function Badge({ run }: { run: Run }) {
  return (
    <span class={`state ${toneOf(run)}`}>
      <Icon name={iconOf(run)} turns={run.state !== "queued" && run.state !== "finished"} />
      {standing(run)}
    </span>
  );
}

/** Return the icon of how a run stands. */
export function iconOf(run: Run): Tone | "queued" {
  return run.state === "queued" ? "queued" : toneOf(run);
}
