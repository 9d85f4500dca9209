/** What went wrong with something that was asked of the server, in words, with its hint. */

import { ApiProblem } from "../net/problem";
import { Notice } from "./notice";
import { sentence } from "./sentence";

export function Fault({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const [what, hint] = told(error);
  return (
    <Notice
      tone="bad"
      isAlert
      actions={
        retry && (
          <button type="button" class="quiet" onClick={retry}>
            Try again
          </button>
        )
      }
    >
      <strong>{what}</strong> {hint}
    </Notice>
  );
}

/** Return what went wrong, and what can be done about it, in a sentence each. */
export function told(error: unknown): [string, string] {
  if (error instanceof ApiProblem) return [sentence(error.detail || error.title), sentence(error.hint)];
  return [sentence(error instanceof Error ? error.message : String(error)), ""];
}
