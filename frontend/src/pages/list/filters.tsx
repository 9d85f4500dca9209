/** What is above a list of runs: which ones it shows, and how many there are. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Command } from "../../core/shapes";
import { Icon } from "../../parts/icons";
import { addKeys } from "../../parts/keys";
import { Menu } from "../../parts/menu";
import { EVERYTHING, type Filter, isEverything } from "./filter";

const SOON_MS = 200;

const STATES: readonly (readonly [string, string])[] = [
  ["", "any state"],
  ["queued", "queued"],
  ["running", "running"],
  ["stopping", "stopping"],
  ["finished", "finished"],
  ["exited", "exited"],
  ["signaled", "ended by a signal"],
  ["timed_out", "timed out"],
  ["stopped", "stopped"],
  ["output_limit", "output limit"],
  ["failed_to_start", "failed to start"],
  ["cancelled", "cancelled"],
  ["lost", "lost"],
];

interface Parts {
  filter: Filter;
  commands: readonly Command[];
  /** without it there is no choice of a command: all runs are of one */
  hasCommands: boolean;
  tally: string;
  change: (filter: Filter) => void;
}

export function Filters({ filter, commands, hasCommands, tally, change }: Parts) {
  const search = useRef<HTMLInputElement>(null);
  useEffect(
    () => addKeys([{ key: "/", does: "search the runs", group: "List of runs", act: () => search.current?.focus() }]),
    [],
  );
  return (
    <search class="filters">
      <h2>
        Runs <span>{tally}</span>
      </h2>
      <div class="find">
        <Icon name="find" />
        <Typed
          inputRef={search}
          label="Search the runs"
          placeholder="Search"
          value={filter.q}
          change={(q) => change({ ...filter, q })}
        />
      </div>
      <Choice label="State" value={filter.state} options={STATES} change={(state) => change({ ...filter, state })} />
      {hasCommands && commands.length > 0 && (
        <Choice
          label="Command"
          value={filter.command}
          options={[["", "any command"], ...commands.map(({ name, title }): [string, string] => [name, title || name])]}
          change={(command) => change({ ...filter, command })}
        />
      )}
      <div class="label-of">
        <Typed
          label="Label"
          placeholder="name=value"
          value={filter.label}
          change={(label) => change({ ...filter, label })}
        />
      </div>
      <Menu label={daysOf(filter)} icon="times" {...((filter.since || filter.until) && { text: daysOf(filter) })}>
        <Day label="From this day" value={filter.since} change={(since) => change({ ...filter, since })} />
        <Day label="To this day" value={filter.until} change={(until) => change({ ...filter, until })} />
      </Menu>
      {!isEverything({ ...filter, command: hasCommands ? filter.command : "" }) && (
        <button
          type="button"
          class="quiet"
          onClick={() => change({ ...EVERYTHING, command: hasCommands ? "" : filter.command })}
        >
          Show all
        </button>
      )}
    </search>
  );
}

/** Return which days are shown, in a few words. */
function daysOf({ since, until }: Filter): string {
  if (since && until) return since === until ? since : `${since} to ${until}`;
  if (until) return `to ${until}`;
  return since ? `from ${since}` : "Days";
}

function Day({ label, value, change }: { label: string; value: string; change: (value: string) => void }) {
  return (
    <label class="day">
      {label}
      <input type="date" value={value} onChange={(event) => change(event.currentTarget.value)} />
    </label>
  );
}

interface ChoiceParts {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  change: (value: string) => void;
}

function Choice({ label, value, options, change }: ChoiceParts) {
  return (
    <select aria-label={label} value={value} onChange={(event) => change(event.currentTarget.value)}>
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}

interface TypedParts {
  inputRef?: RefObject<HTMLInputElement | null>;
  label: string;
  placeholder: string;
  value: string;
  change: (value: string) => void;
}

/** A field that takes effect when typing pauses. */
function Typed({ inputRef, label, placeholder, value, change }: TypedParts) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const latest = useRef(change); // what is chosen meanwhile is not to be undone
  latest.current = change;
  useEffect(() => setText(value), [value]);
  const soon = (now: string) => {
    setText(now);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => latest.current(now.trim()), SOON_MS);
  };
  return (
    <input
      ref={(element) => {
        if (inputRef) inputRef.current = element;
      }}
      type="search"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      autocomplete="off"
      spellcheck={false}
      onInput={(event) => soon(event.currentTarget.value)}
    />
  );
}
