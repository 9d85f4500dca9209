/** The list of runs as a table, of which only those rows exist that are seen. */

import { useEffect, useReducer, useRef } from "preact/hooks";
import type { Command } from "../../core/shapes";
import { addKeys, type Key } from "../../parts/keys";
import { isNarrow } from "../../parts/width";
import { useWindowed } from "../../parts/windowed";
import type { Activities } from "./activity";
import { RunRow, WaitingRow } from "./row";
import type { RunList } from "./runlist";
import { choose, chosen } from "./selection";

const ROW_PX = 37;
const NARROW_ROW_PX = 65;
/** rows that are shown as still to come, where there is more */
const AHEAD = 12;
/** pixels that somebody has scrolled before new runs wait for him */
const HELD_PX = 60;

interface Parts {
  list: RunList;
  activities: Activities;
  commands: readonly Command[];
  root: string;
}

export function RunTable({ list, activities, commands, root }: Parts) {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const rows = useRef<HTMLTableSectionElement>(null);
  const height = isNarrow.value ? NARROW_ROW_PX : ROW_PX;
  const count = list.count + (list.hasMore && list.fault === null ? AHEAD : 0);
  const { first, last } = useWindowed(rows, count, height);

  useEffect(() => list.on(() => redraw(0)), [list]);
  useEffect(() => activities.on(() => redraw(0)), [activities]);
  useEffect(() => () => activities.close(), [activities]);
  useEffect(() => {
    list.want(first, last);
    activities.want(runsIn(list, first, last));
  });
  useEffect(() => {
    const hold = () => list.hold((rows.current?.getBoundingClientRect().top ?? 0) < holdLine() - HELD_PX);
    window.addEventListener("scroll", hold, { passive: true });
    return () => window.removeEventListener("scroll", hold);
  }, [list]);
  useEffect(() => addKeys(keysOf(rows, () => height)), [height]);

  const titles = new Map(commands.map((command) => [command.name, command.title]));
  const indexes = Array.from({ length: last - first }, (_, offset) => first + offset);
  return (
    <table class="runs" aria-label="Runs" aria-rowcount={list.hasMore ? -1 : list.count + 1}>
      <Heading />
      <tbody class="rows" ref={rows} style={{ height: `${count * height}px` }}>
        {indexes.map((index) => {
          const run = list.at(index);
          if (!run) return <WaitingRow key={`#${index}`} index={index} top={index * height} />;
          const title = run.command === null ? undefined : titles.get(run.command);
          const bytes = activities.of(run.id);
          return (
            <RunRow
              key={run.id}
              run={run}
              index={index}
              top={index * height}
              root={root}
              title={title}
              bytes={bytes}
              progress={activities.progressOf(run)}
            />
          );
        })}
      </tbody>
    </table>
  );
}

function Heading() {
  return (
    <thead>
      <tr class="run heading" aria-rowindex={1}>
        <th scope="col" class="pick">
          <span class="hidden">Choose</span>
        </th>
        <th scope="col" class="state-cell">
          State
        </th>
        <th scope="col" class="what">
          Command
        </th>
        <th scope="col" class="spark">
          Activity
        </th>
        <th scope="col" class="size">
          Output
        </th>
        <th scope="col" class="took">
          Took
        </th>
        <th scope="col" class="by">
          By
        </th>
        <th scope="col" class="when">
          Started
        </th>
      </tr>
    </thead>
  );
}

/** Return where the list's first row is at the top of the page. */
function holdLine(): number {
  const bar = document.querySelector(".filters")?.getBoundingClientRect();
  return bar ? bar.bottom : 0;
}

function runsIn(list: RunList, first: number, last: number) {
  const runs = [];
  for (let index = first; index < last; index += 1) {
    const run = list.at(index);
    if (run) runs.push(run);
  }
  return runs;
}

function keysOf(rows: { current: HTMLElement | null }, heightOf: () => number): Key[] {
  const group = "List of runs";
  const move = (step: number) => () => step !== 0 && go(rows.current, step, heightOf());
  return [
    { key: "j", does: "next run", group, act: move(1) },
    { key: "ArrowDown", does: "next run", group, act: () => isInside(rows.current) && move(1)() },
    { key: "k", does: "previous run", group, act: move(-1) },
    { key: "ArrowUp", does: "previous run", group, act: () => isInside(rows.current) && move(-1)() },
    { key: "Enter", does: "open it", group, act: () => false },
    { key: "x", does: "choose it, to see several side by side", group, act: () => toggle() },
  ];
}

function isInside(rows: HTMLElement | null): boolean {
  return rows?.contains(document.activeElement) ?? false;
}

function focused(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>("[data-index]") ?? null;
}

/** The row that is to have the focus, until it exists: keys may be pressed faster than rows are made. */
let aim: number | null = null;

/** for a row to be made, and fetched */
const FRAMES = 30;

/** Move the focus by so many rows, and scroll them into sight; a row that does not exist yet will in a frame. */
function go(rows: HTMLElement | null, step: number, height: number): boolean {
  if (rows === null) return false;
  const at = aim ?? focused()?.dataset["index"];
  const seen = Math.max(0, Math.ceil((holdLine() - rows.getBoundingClientRect().top) / height));
  const target = at === undefined ? seen : Math.max(0, Number(at) + step);
  const top = rows.getBoundingClientRect().top + target * height;
  if (top < holdLine()) window.scrollBy(0, top - holdLine() - 8);
  if (top + height > window.innerHeight) window.scrollBy(0, top + height - window.innerHeight + 8);
  aim = target;
  focusSoon(rows, target, FRAMES);
  return true;
}

/** Focus a row when it is there; if it does not come, one begins where one looks. */
function focusSoon(rows: HTMLElement, target: number, frames: number): void {
  if (aim !== target) return;
  const link = rows.querySelector<HTMLElement>(`[data-index="${target}"] .link`);
  link?.focus({ preventScroll: true });
  if (link || frames === 0) aim = null;
  else requestAnimationFrame(() => focusSoon(rows, target, frames - 1));
}

function toggle(): boolean {
  const id = focused()?.querySelector("a")?.href.split("/").pop();
  if (!id) return false;
  choose(id, !chosen.value.includes(id));
  return true;
}
