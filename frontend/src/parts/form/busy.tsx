/** A start that is refused because too much runs already: why, and from when on it can be tried again. */

import { useState } from "preact/hooks";
import { ApiProblem } from "../../net/problem";
import { Notice } from "../notice";
import { here } from "../now";
import { sentence } from "../sentence";

/** Whether this is such a refusal (RFC 6585, 4). */
export function isBusy(error: unknown): error is ApiProblem {
  return error instanceof ApiProblem && error.status === 429;
}

export function Busy({ problem, again }: { problem: ApiProblem; again: () => void }) {
  const waits = problem.retryAfterS ?? 0;
  const [until] = useState(() => Date.now() + waits * 1000);
  const seconds = Math.min(waits, Math.max(0, Math.ceil((until - here.value) / 1000)));
  return (
    <Notice
      tone="other"
      isAlert
      actions={
        <button type="button" class="quiet" disabled={seconds > 0} onClick={again}>
          {seconds > 0 ? `Try again in ${seconds} s` : "Try again"}
        </button>
      }
    >
      <strong>{sentence(problem.detail)}</strong> {sentence(problem.hint)}
    </Notice>
  );
}
