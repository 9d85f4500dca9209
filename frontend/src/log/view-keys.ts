/** What keys do in the log view. */

export type Action =
  | { kind: "rows"; by: number }
  | { kind: "pages"; by: number }
  | { kind: "range"; by: number }
  | { kind: "start" | "end" | "all" | "select" | "leave" };

export interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

const PLAIN: Readonly<Record<string, Action>> = {
  ArrowUp: { kind: "rows", by: -1 },
  ArrowDown: { kind: "rows", by: 1 },
  k: { kind: "rows", by: -1 },
  j: { kind: "rows", by: 1 },
  PageUp: { kind: "pages", by: -1 },
  PageDown: { kind: "pages", by: 1 },
  " ": { kind: "pages", by: 1 },
  Home: { kind: "start" },
  g: { kind: "start" },
  End: { kind: "end" },
  G: { kind: "end" }, // caps lock
  v: { kind: "select" },
  Escape: { kind: "leave" },
};

const SHIFTED: Readonly<Record<string, Action>> = {
  ArrowUp: { kind: "range", by: -1 },
  ArrowDown: { kind: "range", by: 1 },
  " ": { kind: "pages", by: -1 },
  G: { kind: "end" },
};

const CONTROLLED: Readonly<Record<string, Action>> = {
  Home: { kind: "start" },
  End: { kind: "end" },
  a: { kind: "all" },
};

/** Return what a key does; null: nothing here. */
export function actionOf(event: Key): Action | null {
  if (event.altKey) return null;
  const isControlled = event.ctrlKey || event.metaKey;
  if (isControlled && event.shiftKey) return null;
  const table = isControlled ? CONTROLLED : event.shiftKey ? SHIFTED : PLAIN;
  return Object.hasOwn(table, event.key) ? (table[event.key] ?? null) : null;
}
