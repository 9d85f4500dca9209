/** What happens to runs, as it happens: one connection to `/api/events` for all that a browser's tabs want to see.
 *
 * A `Feed` is a tab's end of it. Where there is a SharedWorker, all tabs share one connection, which the worker holds;
 * where there is none, the tab holds its own. Either resumes by itself, exactly where it was.
 */

import type { Unsubscribe } from "../core/listeners";
import type { Gap, Piece, Run } from "../core/shapes";

export type RunNews =
  /** how the run stands; comes first, and again whenever that changes */
  | { kind: "state"; run: Run }
  /** the next bytes, exactly behind the ones before, or behind a `skipped` */
  | { kind: "output"; piece: Piece; end: number }
  | { kind: "gap"; gap: Gap }
  /** this viewer was too slow: output goes on at this offset; what lies between is in the file, and can be fetched */
  | { kind: "skipped"; to: number }
  /** nothing more will come */
  | { kind: "end"; run: Run }
  /** there is no such run any more, or none for this viewer; nothing more will come */
  | { kind: "refused"; why: string };

export type ListNews = { kind: "run"; run: Run } | { kind: "gone"; id: string };

export type Connection =
  | { state: "connecting" }
  | { state: "open" }
  /** it was lost; the next attempt is at this time (milliseconds since 1970) */
  | { state: "waiting"; until: number; why: string }
  /** the server says that it is of no use to try again; 401: it does not know any more who asks */
  | { state: "refused"; why: string; status?: number };

export interface Feed {
  /** Follow a run's output from an offset, or from its end as it is now. */
  follow(runId: string, from: number | "end", listener: (news: RunNews) => void): Unsubscribe;

  /** Follow the list of runs: first the newest ones and all that go, then what changes. */
  list(listener: (news: ListNews) => void): Unsubscribe;

  readonly connection: Connection;
  onConnection(listener: (connection: Connection) => void): Unsubscribe;

  /** Try again now, if it waits or was refused; whoever waits for the connection is told how it stands. */
  retry(): void;
}
