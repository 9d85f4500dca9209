/** Where a run is, out of the address that a page gives of it. */

export interface RunAddress {
  /** the home page, with the API beside it, absolute */
  root: string;
  runId: string;
}

const RUN = /^(.*?\/)(?:api\/)?runs\/([a-z0-9]+)(?:\/(?:output|lines|events|search|socket))?\/?$/;

/** Take the address of a run's page, of the run in the API, or of its output there; null: it is none of them.
 *
 * `base` is what a relative address is relative to.
 */
export function runAddress(src: string, base: string): RunAddress | null {
  if (!URL.canParse(src, base)) return null;
  const url = new URL(src, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") return null;
  const match = RUN.exec(url.pathname);
  return match ? { root: `${url.origin}${match[1]}`, runId: match[2] ?? "" } : null;
}
