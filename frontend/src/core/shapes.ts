/** What the server says: the shapes of the API (`/api/openapi.json`). Times are ISO 8601 UTC, sizes bytes, durations
 * seconds. Fields that are not known here are left alone. */

export type State = "queued" | "starting" | "running" | "stopping" | "finished";

/** what a run used more of than it may */
export type Resource = "cpu" | "memory" | "processes";

/** what somebody may do */
export type Action = "list" | "view" | "start" | "stop" | "input" | "pin" | "share" | "metrics";

export type Outcome =
  | { kind: "exited"; code: number }
  | { kind: "signaled"; signal: number }
  | { kind: "timed_out"; limit: "wall" | "idle" }
  | { kind: "stopped"; by: string | null; limit?: Resource }
  | { kind: "output_limit" }
  | { kind: "failed_to_start"; error: string; exit_code: number }
  | { kind: "cancelled"; by: string | null }
  | { kind: "lost"; why: string };

export interface Usage {
  cpu_user_s: number;
  cpu_system_s: number;
  max_rss_bytes: number;
  /** of a run that goes */
  rss_bytes?: number;
  processes?: number;
}

export interface LadderStep {
  signal: string;
  time: string;
  processes: number;
}

export interface Child {
  pid: number;
  argv: string;
}

export interface Run {
  id: string;
  command: string | null;
  argv: string[];
  state: State;
  outcome: Outcome | null;
  created: string | null;
  started: string | null;
  ended: string | null;
  duration_s: number | null;
  size: number;
  dropped: number;
  cwd: string;
  labels: Record<string, string>;
  key: string | null;
  by: string | null;
  pinned: boolean;
  /** of its terminal, now or at the end; null: it has none */
  rows: number | null;
  columns: number | null;
  queue_place: number | null;
  held: string | null;
  hint: string | null;
  damage: string | null;
  usage: Usage | null;
  ladder: LadderStep[];
  lingering: Child[];
  /** it has secrets, for which `***` stands in the output */
  masked?: boolean;
  /** which limit ended it, or is ending it; null: none does */
  limit?: Limit | null;
  /** when the last bytes came that are kept; a server that does not tell leaves this out, and what follows */
  last_output?: string | null;
  /** who asked for the end that has begun; once it has come, the outcome says so */
  stopped_by?: string | null;
  /** only where one run is asked for, not in lists and events */
  spec?: Asked;
  /** what whoever asks may do to it; likewise */
  may?: Action[];
}

/** What a run was asked for with. */
export interface Asked {
  stdio: "pipes" | "merged" | "pty";
  takes_input: boolean;
  timeout_s: number | null;
  idle_timeout_s: number | null;
  unwatched_timeout_s: number | null;
  output_limit: number | null;
  output_policy: "stop" | "truncate";
  /** what a stop does: each signal, and how long it is given */
  ladder: { signal: string; seconds: number }[];
  leave_children: boolean;
  /** what its command was given, without secrets and files; null: it is of no command, or was started before that was kept */
  parameters: Record<string, unknown> | null;
}

export type Limit = Resource | "wall" | "idle" | "output";

export type StreamName = "stdout" | "stderr" | "mixed";

/** A piece of output, as the sse wire has it. */
export interface Piece {
  offset: number;
  time: number | null;
  stream: StreamName;
  text: string;
  /** the terminal's size, where it is another than that of the pieces before, and in the first piece */
  rows?: number;
  columns?: number;
}

/** A part of the output that is missing, and why. */
export interface Gap {
  from: number;
  to: number;
  why: string;
}

/** A line, without its LF. `number` counts from 1; below 0 it counts from the end of the page's `size` (-1 is the last
 * line there) and 0 means not known, both because not all lines before it have been counted yet. */
export interface Line {
  number: number;
  offset: number;
  time: number | null;
  stream: StreamName;
  text: string;
  /** the line is longer than its text; `rest` is the offset of what is not shown */
  continued?: boolean;
  rest?: number | null;
  /** the line has no LF so far */
  partial?: boolean;
}

export interface LinePage {
  /** the number of the first line, as those of the lines are */
  start: number;
  lines: Line[];
  /** where the next page starts; 0: not known yet; null: there is none, and never will be */
  next: number | null;
  /** lines so far; null: not all are counted yet */
  total: number | null;
  /** bytes in which lines have been counted */
  counted: number;
  /** the page's lines lie in [begin, end); null: the line that was asked for by its number has not been counted yet */
  begin: number | null;
  end: number | null;
  size: number;
  complete: boolean;
}

/** A line with matches; columns are counted in characters of `text`. */
export interface Hit {
  number: number;
  offset: number;
  time: number | null;
  stream: StreamName;
  text: string;
  columns: [number, number][];
  match: number;
  skipped?: number;
  continued?: boolean;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  hint: string;
  /** each by itself, where several things may be wrong at once: `subject` is the parameter's name */
  errors?: { subject: string; detail: string; hint: string }[];
  /** which limit was reached, as the server's file calls it */
  limit?: string;
  /** seconds after which it may be tried again */
  retry_after?: number;
}

/** A link by which one run may be watched. */
export interface Shared {
  url: string;
  token: string;
  expires: string;
  /** by which it can be ended */
  id: string;
}

/** What is known of a link to a run; not what opens it, which is told once. */
export interface Link {
  id: string;
  run: string;
  created: string;
  expires: string;
  by: string | null;
}

/** Who looks at the page. */
export interface Who {
  /** null: nobody is asked who he is */
  name: string | null;
  role: "viewer" | "operator" | "admin" | null;
  /** how he came in: `session`, `token`, `proxy`, `share` */
  via: string;
  /** when that ends; null: that is not known, or never */
  until: string | null;
  may: Action[];
  /** there is no run that he may not view */
  sees_all: boolean;
  /** he has logged in here, and can log out */
  can_leave: boolean;
}

/** A parameter's JSON Schema, as far as forms need it. */
export interface ParameterSchema {
  type: "string" | "integer" | "number" | "boolean" | "array";
  title?: string;
  description?: string;
  default?: unknown;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  enum?: string[];
  /** of an array: what each may be, and how many */
  items?: { enum?: string[] };
  minItems?: number;
  maxItems?: number;
  format?: string;
  /** days: the earliest and the latest */
  formatMinimum?: string;
  formatMaximum?: string;
  /** text that may have several lines */
  multiline?: boolean;
  /** files: what a browser offers to choose */
  accept?: string[];
  examples?: unknown[];
}

export interface Command {
  name: string;
  title: string;
  description: string;
  argv: string[];
  parameters: { type: "object"; properties: Record<string, ParameterSchema>; required: string[] };
  /** what whoever asks may do; a server that does not tell leaves it out */
  may?: Action[];
}
