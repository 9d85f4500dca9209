/** What a browser's tab shows of a run: its state in the title, and in a drawn icon. */

import { effect } from "@preact/signals";
import type { Run } from "../core/shapes";
import { standing } from "../core/words";
import { iconOf } from "./badge";

const NAME = "Tailrace";

/** Drawn in one colour each, that is seen on light and on dark tabs; the forms differ too. */
const ICONS = {
  queued: `<circle cx="8" cy="8" r="6" fill="none" stroke="#3b8eea" stroke-width="2"/><path d="M8 4.5V8l2.4 1.6" fill="none" stroke="#3b8eea" stroke-width="1.8"/>`,
  going: `<circle cx="8" cy="8" r="7" fill="#3b8eea"/><path d="M6 4.4l5.6 3.6L6 11.6z" fill="#fff"/>`,
  good: `<circle cx="8" cy="8" r="7" fill="#2a9d5c"/><path d="M4.4 8.3l2.5 2.6l4.8-5.4" fill="none" stroke="#fff" stroke-width="2"/>`,
  bad: `<circle cx="8" cy="8" r="7" fill="#d6453a"/><path d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" stroke="#fff" stroke-width="2"/>`,
  other: `<circle cx="8" cy="8" r="7" fill="#c98a1b"/><path d="M4.6 8h6.8" stroke="#fff" stroke-width="2.2"/>`,
} as const;

let shown: string | null = null;

/** Show what this function returns, whenever it changes. */
export function followInTab(what: () => { run: Run; name: string; percent: number | null } | null): () => void {
  return effect(() => {
    const told = what();
    if (told === null) return;
    const { run, name, percent } = told;
    const begin = percent === null ? standing(run) : `${percent} %`;
    document.title = `${begin} · ${name} · ${NAME}`;
    showIcon(iconOf(run));
  });
}

function showIcon(name: keyof typeof ICONS): void {
  if (name === shown) return;
  shown = name;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">${ICONS[name]}</svg>`;
  const link = document.querySelector<HTMLLinkElement>("link[rel~=icon]") ?? document.createElement("link");
  link.rel = "icon";
  link.type = "image/svg+xml";
  link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
  document.head.append(link);
}
