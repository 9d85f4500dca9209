/** What a tab and the worker that all tabs share say to each other. */

import type { Connection, ListNews, RunNews } from "./feed";

export type ToWorker =
  /** first: where the API is, and the name of a lock that the tab holds for as long as it is there, if it can */
  | { kind: "hello"; root: string; token: string | null; lock: string | null }
  | { kind: "follow"; number: number; runId: string; from: number | "end" }
  | { kind: "list"; number: number }
  | { kind: "leave"; number: number }
  /** so much of what was sent has been taken */
  | { kind: "taken"; cost: number }
  | { kind: "here" }
  /** are you there? */
  | { kind: "ask" }
  | { kind: "wake" }
  | { kind: "retry" }
  | { kind: "bye" };

export type News = { number: number; run: RunNews } | { number: number; list: ListNews };

export type ToTab =
  | { kind: "news"; news: News[]; cost: number }
  | { kind: "connection"; connection: Connection }
  | { kind: "here" }
  /** are you there? */
  | { kind: "ask" }
  /** you did not answer; whoever does is to begin anew from where he is */
  | { kind: "forgotten" };

/** What one piece of news costs: its characters, and something for the rest. */
export function costOf(news: News): number {
  return 300 + ("run" in news && news.run.kind === "output" ? news.run.piece.text.length : 0);
}
