/** Several runs side by side: a pane each, all over one connection. */

import { effect } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { Command, Run } from "../core/shapes";
import { nameOf, typed } from "../core/words";
import type { LogView } from "../log/view";
import { Badge } from "../parts/badge";
import { Dialog } from "../parts/dialog";
import { Fault } from "../parts/faults";
import { Icon } from "../parts/icons";
import { addKeys } from "../parts/keys";
import { now } from "../parts/now";
import { Took } from "../parts/time";
import type { Given } from "./given";
import { MOST_CHOSEN, sideBySide } from "./list/selection";
import { LogPane } from "./run/logpane";
import { addressOf, hear, useDocument, useRun, useSearching } from "./run/output";
import { SearchPanel } from "./run/searchpanel";
import { nextTimes, numbers, times, wrap } from "./run/settings";
import { standingOf, timeOf } from "./run/standing";
import { TimesMenu, toggle } from "./run/tools";
import type { Server } from "./server";

/** runs that are offered to be added */
const OFFERED = 50;

export function Several({ given, server }: { given: Given; server: Server }) {
  const [ids, setIds] = useState<readonly string[]>(() => given.runs.map(({ id }) => id));
  const [isAdding, setAdding] = useState(false);
  const show = (next: readonly string[]) => {
    setIds(next);
    history.replaceState(null, "", sideBySide(given.root, next));
    document.title = `${next.length} runs · Tailrace`;
  };
  const commands = useCommands(server, given);
  const canAdd = ids.length < MOST_CHOSEN;
  useEffect(
    () =>
      addKeys([
        { key: "a", does: "add a run", group: "Side by side", act: () => setAdding(true) },
        { key: "w", does: "wrap lines, or not", group: "Side by side", act: () => toggle(wrap) },
        { key: "#", does: "line numbers, or not", group: "Side by side", act: () => toggle(numbers) },
        { key: "t", does: "other times", group: "Side by side", act: nextTimes },
        { key: "]", does: "to the next output", group: "Side by side", act: () => focusPane(1) },
        { key: "[", does: "to the output before", group: "Side by side", act: () => focusPane(-1) },
        { key: "/", does: "search in this output", group: "Side by side", act: () => press("[data-find]") },
        { key: "x", does: "take this output away", group: "Side by side", act: () => press("[data-close]") },
      ]),
    [],
  );
  return (
    <div class="whole">
      <div class="panes-top">
        <h1>
          {ids.length} {ids.length === 1 ? "run" : "runs"} side by side
        </h1>
        <TimesMenu />
        <button type="button" disabled={!canAdd} onClick={() => setAdding(true)}>
          <Icon name="plus" />
          Add a run
        </button>
      </div>
      {ids.length === 0 && <p class="nothing">Nothing is shown here. Add a run.</p>}
      <div class="panes" data-count={Math.min(ids.length, 6)}>
        {ids.map((id, index) => (
          <Pane
            key={id}
            id={id}
            number={index + 1}
            given={given}
            commands={commands}
            server={server}
            remove={() => show(ids.filter((each) => each !== id))}
          />
        ))}
      </div>
      {isAdding && (
        <Dialog title="Add a run" close={() => setAdding(false)}>
          <Offered server={server} commands={commands} without={ids} add={(id) => show([...ids, id])} />
        </Dialog>
      )}
    </div>
  );
}

/** The pane that has the focus; else the first one. */
function paneAt(): HTMLElement | null {
  return document.activeElement?.closest<HTMLElement>(".pane") ?? document.querySelector<HTMLElement>(".pane");
}

/** Press a button of that pane; whoever took it away goes on in the next one. */
function press(selector: string): boolean {
  const pane = paneAt();
  const button = pane?.querySelector<HTMLElement>(selector);
  const next = pane?.nextElementSibling ?? pane?.previousElementSibling;
  button?.click();
  if (selector === "[data-close]") next?.querySelector<HTMLElement>(".log-scroller")?.focus();
  return button !== undefined && button !== null;
}

function focusPane(by: 1 | -1): boolean {
  const outputs = [...document.querySelectorAll<HTMLElement>(".pane .log-scroller")];
  const at = outputs.findIndex((output) => output.closest(".pane")?.contains(document.activeElement));
  const to = at < 0 ? outputs[0] : outputs[(at + by + outputs.length) % outputs.length];
  to?.focus();
  return to !== undefined;
}

/** Return the commands, for their titles: at first those of the runs that are shown; without them, names do. */
function useCommands(server: Server, given: Given): readonly Command[] {
  const [commands, setCommands] = useState(given.commands);
  useEffect(() => {
    server.api.commands().then(setCommands, () => undefined);
  }, [server]);
  return commands;
}

interface PaneParts {
  id: string;
  /** its place among the panes: there may be two of one name */
  number: number;
  given: Given;
  commands: readonly Command[];
  server: Server;
  remove: () => void;
}

function Pane({ id, number, given, commands, server, remove }: PaneParts) {
  const [first] = useState(() => given.runs.find((each) => each.id === id) ?? null);
  const source = useDocument(server, id, first);
  const run = useRun(source);
  const [view, setView] = useState<LogView | null>(null);
  const [isSearching, setSearching] = useState(false);
  const searching = useSearching(server, source, view);
  const title = commands.find(({ name }) => name === run?.command)?.title;
  const name = run ? nameOf(run, title) : id;
  const close = () => {
    setSearching(false);
    searching.clear();
    view?.focus();
  };
  return (
    <section class="pane" aria-label={`${number}. ${name}`}>
      <header class="pane-top">
        <h2>
          <a href={addressOf(given.root, id, null)}>{name}</a>
        </h2>
        {run && <Badge run={run} />}
        {run && <Took run={run} />}
        <div class="pane-tools">
          <button
            type="button"
            class="quiet icon"
            aria-pressed={isSearching}
            aria-label={`Search in ${number}. ${name}`}
            title="Search (/)"
            data-find
            onClick={() => (isSearching ? close() : setSearching(true))}
          >
            <Icon name="find" />
          </button>
          <button
            type="button"
            class="quiet icon"
            aria-label={`Close ${number}. ${name}`}
            title="Close (x)"
            data-close
            onClick={remove}
          >
            <Icon name="close" />
          </button>
        </div>
        {run && <p class="argv">{typed(run.argv).slice(0, 300)}</p>}
        {run && run.state !== "running" && run.state !== "finished" && (
          <p class="dim">{standingOf(run, now.value, timeOf(run.last_output))}</p>
        )}
      </header>
      {isSearching && (
        <SearchPanel
          searching={searching}
          size={() => run?.size ?? 0}
          near={() => (view ? (source.row(view.sight.first)?.offset ?? 0) : 0)}
          close={close}
        />
      )}
      <LogPane
        source={source}
        options={{
          label: `Output of ${number}. ${name}`,
          wrap: wrap.value,
          numbers: numbers.value,
          times: times.value,
          permalink: (line) => addressOf(given.root, id, { line }),
        }}
        heard={(event) => hear(event, searching, source)}
        ready={(made) => {
          setView(made);
          return effect(() => made.setOptions({ wrap: wrap.value, numbers: numbers.value, times: times.value }));
        }}
      />
    </section>
  );
}

interface OfferedParts {
  server: Server;
  commands: readonly Command[];
  without: readonly string[];
  add: (id: string) => void;
}

/** The newest runs, to be added; found by the server where there is a word to find. */
function Offered({ server, commands, without, add }: OfferedParts) {
  const [q, setQ] = useState("");
  const [runs, setRuns] = useState<readonly Run[] | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  useEffect(() => {
    const control = new AbortController();
    const timer = setTimeout(() => {
      server.api
        .runs({ limit: OFFERED, ...(q && { q }) }, control.signal)
        .then((page) => {
          setRuns(page.runs);
          setFault(null);
        })
        .catch((error: unknown) => !control.signal.aborted && setFault(error));
    }, 150);
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [server, q]);
  const offered = runs?.filter((run) => !without.includes(run.id));
  return (
    <div class="offered">
      <input
        type="search"
        aria-label="Search the runs"
        placeholder="Search"
        onInput={(event) => setQ(event.currentTarget.value.trim())}
      />
      {fault !== null && <Fault error={fault} />}
      {offered?.length === 0 && <p class="nothing">No other run is like that.</p>}
      <ul>
        {offered?.map((run) => (
          <li key={run.id}>
            <button type="button" class="quiet" onClick={() => add(run.id)}>
              <Badge run={run} />
              <strong>{nameOf(run, commands.find(({ name }) => name === run.command)?.title)}</strong>
              <span class="argv">{typed(run.argv).slice(0, 200)}</span>
              <Icon name="plus" />
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
