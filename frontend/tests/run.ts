/** A run as the server tells it, for tests. */

import type { Run } from "../src/core/shapes";

export function aRun(parts: Partial<Run> = {}): Run {
  return {
    id: "1k",
    command: "build",
    argv: ["make", "all"],
    state: "running",
    outcome: null,
    created: "2026-11-27T10:00:00Z",
    started: "2026-11-27T10:00:00Z",
    ended: null,
    duration_s: null,
    size: 100,
    dropped: 0,
    cwd: "/work",
    labels: {},
    key: null,
    by: null,
    pinned: false,
    rows: null,
    columns: null,
    queue_place: null,
    held: null,
    hint: null,
    damage: null,
    usage: null,
    ladder: [],
    lingering: [],
    ...parts,
  };
}
