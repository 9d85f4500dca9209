/** Runs, sizes, durations and endings in a few words; the same as the command line has them (`tailrace.core.words`). */

import type { Limit, Outcome, Resource, Run } from "./shapes";

/** What a colour means: it goes; it went well; it went wrong; it was ended otherwise. */
export type Tone = "going" | "good" | "bad" | "other";

const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  4: "SIGILL",
  5: "SIGTRAP",
  6: "SIGABRT",
  7: "SIGBUS",
  8: "SIGFPE",
  9: "SIGKILL",
  10: "SIGUSR1",
  11: "SIGSEGV",
  12: "SIGUSR2",
  13: "SIGPIPE",
  14: "SIGALRM",
  15: "SIGTERM",
  24: "SIGXCPU",
  25: "SIGXFSZ",
  31: "SIGSYS",
};

const MEANINGS: Readonly<Record<number, string>> = {
  4: "an illegal instruction",
  6: "it aborted",
  7: "a bus error",
  8: "an arithmetic error",
  9: "killed, perhaps for lack of memory",
  11: "a segmentation fault",
  13: "nobody read its pipe",
  24: "its CPU time was used up",
  25: "a file became too large",
};

const LIMITS: Readonly<Record<Resource, string>> = {
  cpu: "CPU limit",
  memory: "memory limit",
  processes: "process limit",
};

const OVER: Readonly<Record<Limit, string>> = {
  cpu: "it used more processor time than it may",
  memory: "it took more memory than it may",
  processes: "it had more processes than it may",
  wall: "its time was up",
  idle: "it was silent for too long",
  output: "its output reached the limit",
};

const UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const LONG = [
  [86400, 3600, "d", "h"],
  [3600, 60, "h", "min"],
  [60, 1, "min", "s"],
] as const;

/** Return the state or the outcome in a word or two: `running`, `exited 0`, `timed out`. */
export function standing(run: Run): string {
  const outcome = run.outcome;
  if (outcome === null) return run.queue_place ? `queued #${run.queue_place}` : run.state;
  if (outcome.kind === "exited") return `exited ${outcome.code}`;
  if (outcome.kind === "signaled") return signalName(outcome.signal);
  if (outcome.kind === "stopped" && outcome.limit) return LIMITS[outcome.limit];
  return outcome.kind.replaceAll("_", " ");
}

export function toneOf(run: Run): Tone {
  switch (run.outcome?.kind) {
    case undefined:
      return "going";
    case "exited":
      return run.outcome.code === 0 ? "good" : "bad";
    case "failed_to_start":
    case "lost":
    case "signaled":
      return "bad";
    default:
      return "other";
  }
}

/** Return how a run ended, as a sentence's end: `by itself, with exit code 3`. */
export function ending(outcome: Outcome): string {
  switch (outcome.kind) {
    case "exited":
      return outcome.code === 0 ? "finished well (exit code 0)" : `ended with exit code ${outcome.code}`;
    case "signaled": {
      const meaning = MEANINGS[outcome.signal];
      return `ended by ${signalName(outcome.signal)}, which Tailrace did not send${meaning ? `: ${meaning}` : ""}`;
    }
    case "timed_out":
      return outcome.limit === "wall" ? "stopped: its time was up" : "stopped: it was silent for too long";
    case "stopped":
      if (outcome.limit) return `stopped: ${limitWords(outcome.limit)}`;
      return outcome.by ? `stopped by ${outcome.by}` : "stopped";
    case "output_limit":
      return "stopped: its output reached the limit";
    case "failed_to_start":
      return `never started: ${outcome.error}`;
    case "cancelled":
      return outcome.by ? `taken from the queue by ${outcome.by}; it never ran` : "taken from the queue; it never ran";
    case "lost":
      return `lost: ${outcome.why}`;
  }
}

/** Return what a run came to that used more than it may, as a sentence without its end. */
export function limitWords(limit: Limit): string {
  return OVER[limit];
}

/** Return `SIGTERM`, or `signal 40` where there is no name. */
export function signalName(signal: number): string {
  return SIGNALS[signal] ?? `signal ${signal}`;
}

/** Return `17 bytes`, `4.2 MiB`. */
export function size(bytes: number): string {
  return bytes < 1024 ? `${bytes} byte${bytes === 1 ? "" : "s"}` : shortSize(bytes);
}

/** Return `17 B`, `4.2 MiB`. */
export function shortSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  let power = 1;
  while (bytes / 1024 ** power >= 1023.5 && power < UNITS.length) power += 1;
  const number = bytes / 1024 ** power;
  return `${number.toFixed(number < 99.95 ? 1 : 0)} ${UNITS[power - 1]}`;
}

/** Return `12 ms`, `5.2 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(0, seconds * 1000).toFixed(0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  return longDuration(Math.round(seconds));
}

/** Return the same in whole seconds, for a clock that ticks: `0 s`, `59 s`, `3 min 20 s`. */
export function ticking(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  return whole < 60 ? `${whole} s` : longDuration(whole);
}

function longDuration(whole: number): string {
  const [large, small, name, restName] = LONG.find(([length]) => whole >= length) ?? LONG[2];
  const rest = Math.floor((whole % large) / small);
  return `${Math.floor(whole / large)} ${name}${rest ? ` ${rest} ${restName}` : ""}`;
}

/** Return `just now`, `5 min ago`, `3 d ago`. Both in milliseconds since 1970. */
export function ago(at: number, now: number): string {
  const seconds = (now - at) / 1000;
  if (seconds < 1) return "just now";
  for (const [length, , name] of LONG) if (seconds >= length) return `${Math.floor(seconds / length)} ${name} ago`;
  return `${Math.floor(seconds)} s ago`;
}

/** Return what is called for people: the command's title where it is known, its name, or the program's. */
export function nameOf(run: Run, title?: string): string {
  return title || run.command || run.argv[0]?.split("/").pop() || run.id;
}

/** Return the argv as one would type it in a shell. */
export function typed(argv: readonly string[]): string {
  return argv.map((part) => (/^[\w@%+=:,./-]+$/.test(part) ? part : `'${part.replaceAll("'", `'"'"'`)}'`)).join(" ");
}
