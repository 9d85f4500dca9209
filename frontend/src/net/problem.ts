/** What can go wrong with a request: the server says no, or there is no answer. Whoever wants to give up takes back his
 * AbortSignal, and gets the AbortError of the platform. */

import type { Problem } from "../core/shapes";
import { isProblem } from "./checks";

/** The server has answered, and it was no. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly hint: string;
  /** what is wrong with each parameter, by its name */
  readonly errors: ReadonlyMap<string, { detail: string; hint: string }>;
  /** which limit was reached; empty: none was */
  readonly limit: string;
  /** after so many seconds it may be tried again; null: the server did not say */
  readonly retryAfterS: number | null;
  /** whether the server has said it; else something on the way to it */
  readonly isOurs: boolean;

  constructor(problem: Problem, retryAfterS: number | null = null, { isOurs = true } = {}) {
    super(problem.detail || problem.title);
    this.status = problem.status;
    this.title = problem.title;
    this.detail = problem.detail;
    this.hint = problem.hint;
    this.errors = new Map((problem.errors ?? []).map(({ subject, detail, hint }) => [subject, { detail, hint }]));
    this.limit = problem.limit ?? "";
    this.isOurs = isOurs;
    this.retryAfterS = retryAfterS ?? problem.retry_after ?? null;
  }

  /** Whether the server does not know, or no longer, who asks. */
  get isUnknown(): boolean {
    return this.status === 401;
  }

  /** Whether the same request may be answered otherwise later. While a server is begun again, some proxies say that there
   * is nothing (404), in words of their own. */
  get isPassing(): boolean {
    if (this.status === 404 && !this.isOurs) return true;
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** There was no answer, or it broke off, or it was not ours. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";

  constructor(why: unknown) {
    super("the server cannot be reached", { cause: why });
  }
}

/** Return what an answer that is no success says. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const { status, statusText } = response;
  const fallback = { title: statusText || `status ${status}`, status, detail: "", hint: "" };
  const told: unknown = await response.json().catch(() => null);
  const isOurs = isProblem(told);
  return new ApiProblem(isOurs ? told : fallback, retryAfterOf(response.headers.get("Retry-After")), { isOurs });
}

/** Return the seconds of a `Retry-After` (RFC 9110, 10.2.3), which may be a date; null: there is none. */
export function retryAfterOf(header: string | null, now = Date.now()): number | null {
  if (header === null) return null;
  if (/^\d{1,6}$/.test(header)) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000);
}

/** Whether this is how a request ends that nobody wants any more. */
export function isAborted(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

/** Whether the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ConnectionLost || (error instanceof ApiProblem && error.isPassing);
}
