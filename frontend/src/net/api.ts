/** The calls of the API, under the address where it is mounted.
 *
 * Each takes an AbortSignal, and ends in the value, an `ApiProblem` (the server says no), a `ConnectionLost`, or the
 * AbortError of the signal.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Command, Hit, LinePage, Link, Run, Shared, Who } from "../core/shapes";
import {
  type Check,
  field,
  isCommand,
  isHit,
  isLinePage,
  isLink,
  isListOf,
  isObject,
  isRun,
  isShared,
  isWho,
} from "./checks";
import { type ApiProblem, ConnectionLost, isAborted, problemOf } from "./problem";

export interface RunQuery {
  q?: string;
  /** states and kinds of outcomes; of several, any */
  state?: readonly string[];
  command?: string;
  /** NAME=VALUE */
  label?: readonly string[];
  by?: string;
  /** ISO 8601 */
  since?: string;
  until?: string;
  cursor?: string;
  limit?: number;
}

export interface RunPage {
  runs: Run[];
  /** the cursor of the following page; null: this is the last one */
  next: string | null;
  /** about how many the query finds; null: not known */
  total: number | null;
}

/** Which lines: from a number on (below 0: from the end), the last ones, those from an offset or a time on, or those
 * that end before an offset. */
export type LineQuery = { count?: number } & (
  | { start: number }
  | { last: number }
  | { at: number }
  | { before: number }
  | { time: number }
);

export interface Needle {
  q: string;
  regex?: boolean;
  ignoreCase?: boolean;
}

export interface HitPage {
  hits: Hit[];
  /** where the next page goes on; null: everything has been searched, and no more will come */
  next: number | null;
  size: number;
  complete: boolean;
}

/** How much came when: `bytes` in equal parts of the time between `from` and `until`. */
export interface Activity {
  from: string | null;
  until: string | null;
  bytes: number[];
  /** what the last 4 KiB of a run that goes tell of it; an older server leaves this out */
  progress?: { kind: string; percent: number | null } | null;
}

export type Value = string | number | boolean | readonly (string | number)[] | null;

type Pairs = readonly (readonly [string, string | number | undefined])[];

export interface ApiOptions {
  /** the address of the home page, with the API beside it at `api/`; relative to the page */
  root: string;
  /** goes with every request, for a server of another origin */
  token?: string;
}

const isRunPage = isListOf("runs", isRun);
const isCommandList = isListOf("commands", isCommand);
const isLinkList = isListOf("links", isLink);
const isHitPage = isListOf("hits", isHit);

function isActivity(value: unknown): value is Activity {
  const bytes = field(value, "bytes");
  return Array.isArray(bytes) && bytes.every((each) => typeof each === "number");
}

export class Api {
  /** absolute, with a slash at its end */
  readonly root: string;
  readonly token: string | null;
  readonly #unknown = new Listeners<ApiProblem>();

  constructor({ root, token }: ApiOptions) {
    const base = typeof document === "undefined" ? undefined : document.baseURI;
    const url = new URL(root, base);
    if (!url.pathname.endsWith("/")) url.pathname += "/";
    url.search = url.hash = "";
    this.root = url.href;
    this.token = token ?? null;
  }

  /** Return the address of something under `api/`; what is undefined is left out. */
  address(path: string, query: Pairs = []): string {
    const url = new URL(`api/${path}`, this.root);
    for (const [name, value] of query) if (value !== undefined) url.searchParams.append(name, String(value));
    return url.href;
  }

  /** Return what every request is sent with. */
  request(init: RequestInit = {}): RequestInit {
    const headers = new Headers(init.headers);
    if (this.token !== null) headers.set("Authorization", `Bearer ${this.token}`);
    return { credentials: this.token === null ? "same-origin" : "omit", cache: "no-store", ...init, headers };
  }

  /** Be told when the server does not know, or no longer, who asks. */
  onUnknown(listener: (problem: ApiProblem) => void): Unsubscribe {
    return this.#unknown.add(listener);
  }

  /** Return what an answer that is no success says. */
  async problem(response: Response): Promise<ApiProblem> {
    const problem = await problemOf(response);
    if (problem.isUnknown) this.#unknown.tell(problem);
    return problem;
  }

  /** Who asks, and what he may. */
  me(signal?: AbortSignal): Promise<Who> {
    return this.#get(this.address("me"), isWho, signal);
  }

  async runs(query: RunQuery = {}, signal?: AbortSignal): Promise<RunPage> {
    const { state = [], label = [], ...others } = query;
    const pairs: [string, string | number | undefined][] = Object.entries(others);
    for (const each of state) pairs.push(["state", each]);
    for (const each of label) pairs.push(["label", each]);
    const page = await this.#get(this.address("runs", pairs), isRunPage, signal);
    const [next, total] = [field(page, "next"), field(page, "total")];
    return {
      runs: page.runs,
      next: typeof next === "string" ? next : null,
      total: typeof total === "number" ? total : null,
    };
  }

  run(id: string, signal?: AbortSignal): Promise<Run> {
    return this.#get(this.address(runPath(id)), isRun, signal);
  }

  lines(id: string, query: LineQuery, signal?: AbortSignal): Promise<LinePage> {
    return this.#get(this.address(runPath(id, "lines"), Object.entries(query)), isLinePage, signal);
  }

  activity(id: string, buckets: number, signal?: AbortSignal): Promise<Activity> {
    return this.#get(this.address(runPath(id, "activity"), [["buckets", buckets]]), isActivity, signal);
  }

  async commands(signal?: AbortSignal): Promise<Command[]> {
    return (await this.#get(this.address("commands"), isCommandList, signal)).commands;
  }

  command(name: string, signal?: AbortSignal): Promise<Command> {
    return this.#get(this.address(`commands/${encodeURIComponent(name)}`), isCommand, signal);
  }

  /** Start a command. Values may be given as a form has them, texts and files, too. */
  start(name: string, values: Record<string, Value> | FormData | URLSearchParams, signal?: AbortSignal): Promise<Run> {
    const address = this.address(`commands/${encodeURIComponent(name)}/runs`);
    const isForm = values instanceof URLSearchParams || values instanceof FormData;
    return this.#post(address, isForm ? values : { parameters: values }, isRun, signal);
  }

  /** Make a link by which whoever has it may watch the run for so many seconds, and do nothing else. */
  share(id: string, seconds: number, signal?: AbortSignal): Promise<Shared> {
    return this.#post(this.address(runPath(id, "share")), { expires: seconds }, isShared, signal);
  }

  /** Return the links to the run that are good, the newest first. */
  async links(id: string, signal?: AbortSignal): Promise<Link[]> {
    return (await this.#get(this.address(runPath(id, "shares")), isLinkList, signal)).links;
  }

  /** End a link: whoever watches by it is put out. */
  async endLink(id: string, link: string, signal?: AbortSignal): Promise<void> {
    await this.#post(this.address(runPath(id, "unshare")), { id: link }, isObject, signal);
  }

  /** Begin the stop ladder; `now` goes to its next rung at once. */
  stop(id: string, { now = false } = {}, signal?: AbortSignal): Promise<Run> {
    return this.#post(this.address(runPath(id, "stop")), { now }, isRun, signal);
  }

  /** Send input: up to 64 KiB, taken whole or refused. Return whether the command's pipe has it already. */
  async input(id: string, data: string | Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<boolean> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    const headers = { "Content-Type": "application/octet-stream" };
    const init = { method: "POST", body: bytes, headers, ...(signal && { signal }) };
    return (await this.#ask(this.address(runPath(id, "input")), init)).status === 204;
  }

  async closeInput(id: string, signal?: AbortSignal): Promise<void> {
    const init = { method: "POST", ...(signal && { signal }) };
    await this.#ask(this.address(runPath(id, "input"), [["close", 1]]), init);
  }

  /** Keep the run from being removed when it is old, or not. */
  pin(id: string, on: boolean, signal?: AbortSignal): Promise<Run> {
    return this.#post(this.address(runPath(id, on ? "pin" : "unpin")), {}, isRun, signal);
  }

  /** One page of hits from an offset on. */
  async search(
    id: string,
    needle: Needle,
    { from = 0, count }: { from?: number; count?: number } = {},
    signal?: AbortSignal,
  ): Promise<HitPage> {
    const pairs: Pairs = [...needlePairs(needle), ["from", from], ["count", count], ["format", "json"]];
    const page = await this.#get(this.address(runPath(id, "search"), pairs), isHitPage, signal);
    const [next, size] = [field(page, "next"), field(page, "size")];
    return {
      hits: page.hits,
      next: typeof next === "number" ? next : null,
      size: typeof size === "number" ? size : 0,
      complete: field(page, "complete") === true,
    };
  }

  #get<Shape>(address: string, isShape: Check<Shape>, signal?: AbortSignal): Promise<Shape> {
    return this.#value(address, { headers: { Accept: "application/json" }, ...(signal && { signal }) }, isShape);
  }

  #post<Shape>(address: string, body: object, isShape: Check<Shape>, signal?: AbortSignal): Promise<Shape> {
    const isForm = body instanceof URLSearchParams || body instanceof FormData;
    const headers = { Accept: "application/json", ...(!isForm && { "Content-Type": "application/json" }) };
    const sent = isForm ? body : JSON.stringify(body);
    return this.#value(address, { method: "POST", body: sent, headers, ...(signal && { signal }) }, isShape);
  }

  async #value<Shape>(address: string, init: RequestInit, isShape: Check<Shape>): Promise<Shape> {
    const response = await this.#ask(address, init);
    const value: unknown = await response.json().catch(lost);
    if (!isShape(value)) throw new ConnectionLost(`${address} answered with something else`);
    return value;
  }

  async #ask(address: string, init: RequestInit): Promise<Response> {
    const ask = () => fetch(address, this.request(init));
    // a connection that was kept may have been closed by now: browsers ask again then, but not everything is a browser
    const response = await (init.method === undefined ? ask().catch(ask) : ask()).catch(lost);
    if (!response.ok) throw await this.problem(response);
    return response;
  }
}

export function runPath(id: string, part?: string): string {
  return part === undefined ? `runs/${encodeURIComponent(id)}` : `runs/${encodeURIComponent(id)}/${part}`;
}

export function needlePairs({ q, regex = false, ignoreCase = false }: Needle): Pairs {
  return [
    ["q", q],
    ["regex", regex ? 1 : undefined],
    ["ignore_case", ignoreCase ? 1 : undefined],
  ];
}

/** Throw what a request ended with that had no answer. */
function lost(error: unknown): never {
  throw isAborted(error) ? error : new ConnectionLost(error);
}

/** Return what a failure says to people. */
export function messageOf(error: unknown): string {
  if (isObject(error) && typeof error["hint"] === "string" && error instanceof Error)
    return error["hint"] === "" ? error.message : `${error.message}: ${error["hint"]}`;
  return error instanceof Error ? error.message : String(error);
}
