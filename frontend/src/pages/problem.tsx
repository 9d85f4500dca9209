/** A page that could not be had: what is the matter, and where to go from here. */

import { sentence } from "../parts/sentence";
import type { Given } from "./given";

export function ProblemPage({ given }: { given: Given }) {
  const { problem, root } = given;
  return (
    <section class="sheet">
      <h1>{sentence(problem?.title ?? "Something is wrong").replace(/\.$/, "")}</h1>
      {problem?.detail && <p class="what">{sentence(problem.detail)}</p>}
      {problem?.hint && <p class="hint">{sentence(problem.hint)}</p>}
      <div class="ways">
        {given.who?.via !== "share" && (
          <a class="button" href={root}>
            All runs
          </a>
        )}
        <button type="button" onClick={() => location.reload()}>
          Try again
        </button>
      </div>
    </section>
  );
}
