/** What the server gave this page to begin with: `<script type="application/json" id="given">`. */

import type { Command, Problem, Run, Who } from "../core/shapes";

export type PageName = "home" | "command" | "run" | "runs" | "problem";

export interface May {
  start: boolean;
  stop: boolean;
  input: boolean;
  pin: boolean;
  share: boolean;
}

export interface Given {
  page: PageName;
  /** the way to the home page from here: `./` or `../` */
  root: string;
  /** all that there are; on a command's page and those of runs, theirs */
  commands: readonly Command[];
  run: Run | null;
  /** that are shown side by side */
  runs: readonly Run[];
  /** null: nobody is asked who he is */
  who: Who | null;
  may: May;
  /** what whoever looks after the server is to know */
  notice: string;
  /** what a form said that could not be used */
  values: Readonly<Record<string, string>>;
  /** and what is wrong with it */
  errors: NonNullable<Problem["errors"]>;
  problem: Problem | null;
}

const PAGES: readonly string[] = ["home", "command", "run", "runs", "problem"] satisfies PageName[];
const MAY_NOTHING: May = { start: false, stop: false, input: false, pin: false, share: false };

/** Whether there are runs that are not for whoever looks. Of an application that decides by itself, nobody knows. */
export function seesPart({ who }: Given): boolean {
  return who !== null && who.role !== null && !who.sees_all;
}

/** Return what stands in the document, or null where it is not a page that this script knows. */
export function readGiven(from: Document): Given | null {
  const text = from.getElementById("given")?.textContent;
  return text ? givenOf(JSON.parse(text)) : null;
}

/** Return what was given, with what was left out. It is the server's own word, so its shapes are not checked again. */
export function givenOf(value: Partial<Given> | null): Given | null {
  if (value === null || typeof value !== "object" || !PAGES.includes(value.page ?? "")) return null;
  const { page = "problem", root = "./", commands = [], run = null, runs = [], may, values = {}, errors = [] } = value;
  const { problem = null, who = null, notice = "" } = value;
  return { page, root, commands, run, runs, who, may: { ...MAY_NOTHING, ...may }, notice, values, errors, problem };
}
