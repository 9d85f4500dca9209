/** The panel of a search: what is searched for, its hits, and the way from one to the next. */

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { columnsIn, toRow } from "../../core/rows";
import type { Hit } from "../../core/shapes";
import { Fault } from "../../parts/faults";
import { Icon } from "../../parts/icons";
import { addKeys } from "../../parts/keys";
import { useWindowed } from "../../parts/windowed";
import type { Searching } from "./searching";

const SOON_MS = 250;
const HIT_PX = 24;
/** characters of a line that are shown before what was found */
const BEFORE = 40;
const AROUND = 300;

interface Parts {
  searching: Searching;
  /** where one looks at the moment: the offset of the first line in sight */
  near: () => number;
  close: () => void;
}

export function SearchPanel({ searching, near, close }: Parts) {
  const [text, setText] = useState(searching.needle?.q ?? "");
  const [isRegex, setRegex] = useState(searching.needle?.regex ?? false);
  const [isLoose, setLoose] = useState(searching.needle?.ignoreCase ?? true);
  const [isListOpen, setListOpen] = useState(false);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  useEffect(() => searching.on(() => redraw(0)), [searching]);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  useEffect(
    () =>
      addKeys([
        { key: "F3", does: "next hit", group: "Search", always: true, act: () => searching.step(1) },
        { key: "Shift+F3", does: "previous hit", group: "Search", always: true, act: () => searching.step(-1) },
        { key: "n", does: "next hit", group: "Search", act: () => searching.step(1) },
        { key: "N", does: "previous hit", group: "Search", act: () => searching.step(-1) },
        { key: "Escape", does: "close the search", group: "Search", always: true, act: close },
      ]),
    [searching, close],
  );

  const begin = (q: string, regex: boolean, ignoreCase: boolean, delay = 0) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => searching.begin({ q, regex, ignoreCase }, near()), delay);
  };
  const press = (event: KeyboardEvent) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const { needle } = searching;
    if (needle?.q === text && needle.regex === isRegex && needle.ignoreCase === isLoose) {
      searching.step(event.shiftKey ? -1 : 1);
    } else begin(text, isRegex, isLoose);
  };
  return (
    <search class="search">
      <div class="line">
        <div class="find">
          <Icon name="find" />
          <input
            ref={field}
            type="search"
            data-search
            aria-label="Search the output"
            placeholder={isRegex ? "regular expression" : "text"}
            value={text}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={(event) => {
              setText(event.currentTarget.value);
              begin(event.currentTarget.value, isRegex, isLoose, SOON_MS);
            }}
            onKeyDown={press}
          />
        </div>
        <Switch
          label="Regular expression"
          text=".*"
          isOn={isRegex}
          toggle={(on) => {
            setRegex(on);
            begin(text, on, isLoose);
          }}
        />
        <Switch
          label="Capital letters matter"
          text="Aa"
          isOn={!isLoose}
          toggle={(on) => {
            setLoose(!on);
            begin(text, isRegex, !on);
          }}
        />
        <output class="found">{foundOf(searching)}</output>
        <Step label="Previous hit (Shift+Enter)" icon="up" act={() => searching.step(-1)} searching={searching} />
        <Step label="Next hit (Enter)" icon="down" act={() => searching.step(1)} searching={searching} />
        <button type="button" class="quiet" aria-expanded={isListOpen} onClick={() => setListOpen(!isListOpen)}>
          List
        </button>
        <button type="button" class="quiet icon" aria-label="Close the search" title="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      {searching.fault !== null && <Fault error={searching.fault} retry={() => searching.retry()} />}
      {isListOpen && searching.hits.length > 0 && <Hits searching={searching} />}
    </search>
  );
}

interface SwitchParts {
  label: string;
  text: string;
  isOn: boolean;
  toggle: (isOn: boolean) => void;
}

function Switch({ label, text, isOn, toggle }: SwitchParts) {
  return (
    <button
      type="button"
      class="quiet icon"
      aria-pressed={isOn}
      aria-label={label}
      title={label}
      onClick={() => toggle(!isOn)}
    >
      <code>{text}</code>
    </button>
  );
}

interface StepParts {
  label: string;
  icon: "up" | "down";
  act: () => void;
  searching: Searching;
}

function Step({ label, icon, act, searching }: StepParts) {
  return (
    <button
      type="button"
      class="quiet icon"
      aria-label={label}
      title={label}
      disabled={!searching.hits.length}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Return how much was found, and how far the search is. */
export function foundOf({ needle, hits, current, isDone, restsAt, searched, size }: Searching): string {
  if (needle === null) return "";
  const count = hits.length.toLocaleString("en");
  const found = current < 0 ? count : `${(current + 1).toLocaleString("en")} of ${count}`;
  if (isDone) return hits.length === 0 ? "not found" : found;
  if (restsAt !== null) return `${found}, and more behind`;
  const percent = size > 0 ? Math.floor((searched / size) * 100) : 0;
  return `${found}, searched ${percent} %`;
}

function Hits({ searching }: { searching: Searching }) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useRef<HTMLUListElement>(null);
  const { hits, current } = searching;
  const { first, last } = useWindowed(rows, hits.length, HIT_PX, scroller);
  useEffect(() => {
    const [top, box] = [current * HIT_PX, scroller.current];
    if (box === null || current < 0) return;
    if (top < box.scrollTop || top + HIT_PX > box.scrollTop + box.clientHeight) box.scrollTop = top - HIT_PX * 2;
  }, [current]);
  return (
    <section class="hits" ref={scroller} aria-label="Hits">
      <ul ref={rows} style={{ height: `${hits.length * HIT_PX}px` }}>
        {hits.slice(first, last).map((hit, offset) => (
          <HitRow
            key={`${hit.offset}`}
            hit={hit}
            top={(first + offset) * HIT_PX}
            isCurrent={first + offset === current}
            choose={() => searching.choose(first + offset)}
          />
        ))}
      </ul>
    </section>
  );
}

function HitRow({ hit, top, isCurrent, choose }: { hit: Hit; top: number; isCurrent: boolean; choose: () => void }) {
  const row = toRow(hit);
  const [from, to] = columnsIn(row, hit)[0] ?? [0, 0];
  const begin = Math.max(0, from - BEFORE);
  return (
    <li style={{ transform: `translateY(${top}px)` }}>
      <button type="button" class="quiet" aria-current={isCurrent ? "true" : undefined} onClick={choose}>
        <span class="number">{hit.number > 0 ? hit.number : ""}</span>
        <code>
          {begin > 0 && "…"}
          {row.text.slice(begin, from)}
          <mark>{row.text.slice(from, to)}</mark>
          {row.text.slice(to, to + AROUND)}
        </code>
      </button>
    </li>
  );
}
