/** The panel of a search: what is searched for, its hits, and the way from one to the next. */

import { useEffect, useReducer, useRef, useState } from "preact/hooks";
import { columnsIn, toRow } from "../../core/rows";
import type { Hit } from "../../core/shapes";
import type { Mark } from "../../net/search";
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
  /** bytes of output, as far as is known */
  size: () => number;
  /** where one looks at the moment: the offset of the first line in sight */
  near: () => number;
  close: () => void;
}

export function SearchPanel({ searching, size, near, close }: Parts) {
  const [text, setText] = useState(searching.needle?.q ?? "");
  const [isRegex, setRegex] = useState(searching.needle?.regex ?? false);
  const [isLoose, setLoose] = useState(searching.needle?.ignoreCase ?? true);
  const [isListOpen, setListOpen] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const field = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  const step = (by: 1 | -1) => {
    setFault(null);
    void searching.step(by).catch(setFault);
  };
  useEffect(() => searching.on(() => redraw(0)), [searching]);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  useEffect(
    () =>
      addKeys([
        { key: "F3", does: "next hit", group: "Search", always: true, act: () => step(1) },
        { key: "Shift+F3", does: "previous hit", group: "Search", always: true, act: () => step(-1) },
        { key: "n", does: "next hit", group: "Search", act: () => step(1) },
        { key: "N", does: "previous hit", group: "Search", act: () => step(-1) },
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
      step(event.shiftKey ? -1 : 1);
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
        <output class="found">{foundOf(searching, size())}</output>
        {searching.found?.state.state === "enough" && (
          <button type="button" class="quiet" onClick={() => searching.found?.goOn()}>
            Search on
          </button>
        )}
        <Step label="Previous hit (Shift+Enter)" icon="up" act={() => step(-1)} searching={searching} />
        <Step label="Next hit (Enter)" icon="down" act={() => step(1)} searching={searching} />
        <button type="button" class="quiet" aria-expanded={isListOpen} onClick={() => setListOpen(!isListOpen)}>
          List
        </button>
        <button type="button" class="quiet icon" aria-label="Close the search" title="Close (Esc)" onClick={close}>
          <Icon name="close" />
        </button>
      </div>
      <Refusal searching={searching} />
      {fault !== null && <Fault error={fault} />}
      {isListOpen && searching.total > 0 && <Hits searching={searching} />}
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
      disabled={searching.total === 0}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

/** Why the server does not search, where it does not. */
function Refusal({ searching }: { searching: Searching }) {
  const state = searching.found?.state;
  if (state?.state !== "refused") return null;
  return <Fault error={state.problem ?? new Error(state.why)} retry={() => searching.found?.retry()} />;
}

/** While a run goes on printing without a pause, the server tells only after so many bytes how far it has searched. */
const TOLD_BYTES = 4 << 20;

/** Return how much was found, and how far the search is in an output of this size. */
export function foundOf({ found, rank, total }: Searching, size: number): string {
  if (found === null) return "";
  const { state } = found.state;
  if (state === "refused" && total === 0) return "";
  const count = total.toLocaleString("en");
  const sum = rank === null ? count : `${rank.toLocaleString("en")} of ${count}`;
  const isAll = found.searched >= size && size > 0;
  if (state === "done" || (state === "searching" && isAll)) return total === 0 ? "not found" : sum;
  const isNear = found.searched > 0 && size - found.searched < TOLD_BYTES;
  if (state === "searching" && isNear) return total === 0 ? "not found yet" : sum;
  if (state === "enough") return `${sum}, and more behind`;
  if (state === "waiting") return `${sum}; the connection was lost`;
  return `${sum}, searched ${size > 0 ? Math.floor((found.searched / size) * 100) : 0} %`;
}

function Hits({ searching }: { searching: Searching }) {
  const scroller = useRef<HTMLElement>(null);
  const rows = useRef<HTMLUListElement>(null);
  const { marks, current, found, total } = searching;
  const at = current === null ? -1 : marks.indexOf(current);
  const { first, last } = useWindowed(rows, marks.length, HIT_PX, scroller);
  const isMissing = marks.slice(first, last).some((mark) => mark.hit === null);
  useEffect(() => {
    if (isMissing) found?.fill(first, last).catch(() => undefined); // it is asked for again when it is in sight again
  }, [found, isMissing, first, last]);
  useEffect(() => {
    const [top, box] = [at * HIT_PX, scroller.current];
    if (box === null || at < 0) return;
    if (top < box.scrollTop || top + HIT_PX > box.scrollTop + box.clientHeight) box.scrollTop = top - HIT_PX * 2;
  }, [at]);
  return (
    <section class="hits" ref={scroller} aria-label="Hits">
      <ul ref={rows} style={{ height: `${marks.length * HIT_PX}px` }}>
        {marks.slice(first, last).map((mark, offset) => (
          <HitRow
            key={`${mark.offset}`}
            mark={mark}
            top={(first + offset) * HIT_PX}
            isCurrent={first + offset === at}
            choose={() => searching.choose(mark)}
          />
        ))}
      </ul>
      {total > marks.length && (
        <p class="dim">The first {marks.length.toLocaleString("en")} are listed. Next and previous go to all.</p>
      )}
    </section>
  );
}

interface RowParts {
  mark: Mark;
  top: number;
  isCurrent: boolean;
  choose: () => void;
}

function HitRow({ mark, top, isCurrent, choose }: RowParts) {
  return (
    <li style={{ transform: `translateY(${top}px)` }}>
      <button type="button" class="quiet" aria-current={isCurrent ? "true" : undefined} onClick={choose}>
        <span class="number">{mark.number > 0 ? mark.number : ""}</span>
        <code>{mark.hit === null ? "…" : <Excerpt hit={mark.hit} />}</code>
      </button>
    </li>
  );
}

function Excerpt({ hit }: { hit: Hit }) {
  const row = toRow(hit);
  const [from, to] = columnsIn(row, hit)[0] ?? [0, 0];
  const begin = Math.max(0, from - BEFORE);
  return (
    <>
      {begin > 0 && "…"}
      {row.text.slice(begin, from)}
      <mark>{row.text.slice(from, to)}</mark>
      {row.text.slice(to, to + AROUND)}
    </>
  );
}
