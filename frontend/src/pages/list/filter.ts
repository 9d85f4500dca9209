/** Which runs a list shows: asked of the server, told in the page's address, and looked at here for runs that are new. */

import type { Run } from "../../core/shapes";
import { nameOf, typed } from "../../core/words";
import type { RunQuery } from "../../net/api";

export interface Filter {
  q: string;
  /** a state, or the kind of an outcome */
  state: string;
  command: string;
  /** NAME=VALUE */
  label: string;
  /** days, both included, as a field of dates has them, `2026-11-27`; here they begin and end */
  since: string;
  until: string;
}

export const EVERYTHING: Filter = { q: "", state: "", command: "", label: "", since: "", until: "" };
const NAMES = ["q", "state", "command", "label", "since", "until"] as const;

export function isEverything(filter: Filter): boolean {
  return NAMES.every((name) => filter[name] === "");
}

export function queryOf(filter: Filter): RunQuery {
  return {
    ...(filter.q && { q: filter.q }),
    ...(filter.state && { state: [filter.state] }),
    ...(filter.command && { command: filter.command }),
    ...(isLabel(filter.label) && { label: [filter.label] }),
    ...instants(filter),
  };
}

/** Return the first instant that is shown, and the first one behind. */
function instants({ since, until }: Filter): { since?: string; until?: string } {
  const [from, to] = [dayOf(since, 0), dayOf(until, 1)];
  return { ...(from && { since: from.toISOString() }), ...(to && { until: to.toISOString() }) };
}

/** Return when a day begins here, or so many days later; null where it is none. */
function dayOf(text: string, later: number): Date | null {
  const found = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!found) return null;
  return new Date(Number(found[1]), Number(found[2]) - 1, Number(found[3]) + later);
}

/** Tell whether a label is written to its end; until then it is not asked for. */
export function isLabel(text: string): boolean {
  return /^[^=]+=/.test(text);
}

/** Return the filter that stands in the address behind `#`. It is not sent to the server, so it works under any. */
export function filterIn(hash: string): Filter {
  const pairs = new URLSearchParams(hash.replace(/^#/, ""));
  const filter = { ...EVERYTHING };
  for (const name of NAMES) filter[name] = pairs.get(name) ?? "";
  return filter;
}

/** Return the filter as it stands in the address, with its `#`; nothing where it shows everything. */
export function hashOf(filter: Filter): string {
  const pairs = new URLSearchParams(NAMES.filter((name) => filter[name] !== "").map((name) => [name, filter[name]]));
  const text = pairs.toString();
  return text && `#${text}`;
}

/** Tell whether a run that the list does not have belongs to it. */
export function matches(filter: Filter, run: Run): boolean {
  if (filter.command && run.command !== filter.command) return false;
  if (filter.state && run.state !== filter.state && run.outcome?.kind !== filter.state) return false;
  if (isLabel(filter.label) && !hasLabel(run, filter.label)) return false;
  if (!isWithin(filter, run)) return false;
  return filter.q === "" || hasWords(run, filter.q);
}

function isWithin(filter: Filter, run: Run): boolean {
  const { since, until } = instants(filter);
  const at = run.created === null ? Number.NaN : Date.parse(run.created);
  return !(since && !(at >= Date.parse(since))) && !(until && !(at < Date.parse(until)));
}

function hasLabel(run: Run, label: string): boolean {
  const at = label.indexOf("=");
  return run.labels[label.slice(0, at)] === label.slice(at + 1);
}

function hasWords(run: Run, q: string): boolean {
  const labels = Object.entries(run.labels).map(([name, value]) => `${name}=${value}`);
  const text = [run.id, nameOf(run), typed(run.argv), run.by ?? "", ...labels].join(" ").toLowerCase();
  return q
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
