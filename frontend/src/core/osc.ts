/** Progress that a command tells its terminal: `OSC 9 ; 4 ; state ; percent` (ConEmu, Windows Terminal, systemd). */

export type Progress = { kind: "going" | "failed" | "paused"; percent: number } | { kind: "unknown" };

const PROGRESS = /\x1b\]9;4;([0-4])(?:;(\d{0,3}))?(?:;[^\x07\x1b]*)?(?:\x07|\x1b\\)/g;
const KINDS = { 1: "going", 2: "failed", 4: "paused" } as const;

/** Return the last progress that a text tells; null: that it is over; undefined: it tells none. A sequence that is cut at
 * the text's border is not seen: give texts that overlap, or whole lines. */
export function progressIn(text: string): Progress | null | undefined {
  if (!text.includes("\x1b]9;4;")) return undefined;
  let last: Progress | null | undefined;
  for (const [, state, percent] of text.matchAll(PROGRESS)) last = progressOf(Number(state), Number(percent ?? 0));
  return last;
}

/** Return progress as the server tells it; null: it is over; undefined: it tells none. */
export function toldProgress(
  told: { kind: string; percent: number | null } | null | undefined,
): Progress | null | undefined {
  if (!told) return undefined;
  const { kind, percent } = told;
  if (kind === "going" || kind === "failed" || kind === "paused") return { kind, percent: percent ?? 0 };
  return kind === "unknown" ? { kind } : null;
}

function progressOf(state: number, percent: number): Progress | null {
  if (state === 0) return null;
  if (state === 1 || state === 2 || state === 4) return { kind: KINDS[state], percent: Math.min(100, percent) };
  return { kind: "unknown" };
}
