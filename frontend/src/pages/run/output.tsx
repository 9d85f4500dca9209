/** The output of a run with its tools and its search: what the run page and each pane of several have in common. */

import { effect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { Run } from "../../core/shapes";
import { RunDocument } from "../../log/document";
import type { LogEvent, LogView } from "../../log/view";
import { Search } from "../../net/search";
import { addKeys } from "../../parts/keys";
import type { Server } from "../server";
import { LogPane } from "./logpane";
import { hashOf, type Place } from "./place";
import { Searching } from "./searching";
import { SearchPanel } from "./searchpanel";
import { nextTimes, numbers, times, wrap } from "./settings";
import { type TerminalTool, Tools, toggle } from "./tools";

const GROUP = "Output";

interface Parts {
  server: Server;
  document: RunDocument;
  root: string;
  /** where it begins; null: at its end */
  place: Place | null;
  isWide: boolean;
  widen: () => void;
  terminal: TerminalTool | null;
  /** what is shown in place of the lines, while the terminal is on */
  children?: ComponentChildren;
  /** other lines were chosen */
  placed: (place: Place | null) => void;
}

export function Output({ server, document: source, root, place, isWide, widen, terminal, children, placed }: Parts) {
  const [view, setView] = useState<LogView | null>(null);
  const [isFollowing, setFollowing] = useState(place === null);
  const [isSearching, setSearching] = useState(false);
  const chosen = useRef<Place | null>(place);
  const { runId } = source;
  const searching = useSearching(server, source, view);

  const go = (to: Place) => {
    chosen.current = to;
    placed(to);
    void view?.goTo(to).then(() => view.focus());
  };
  const heard = (event: LogEvent) => {
    if (event.kind === "following") setFollowing(event.isFollowing);
    else if (event.kind === "range") {
      const { range } = event;
      chosen.current = range && { line: range.from, to: range.to };
      placed(chosen.current);
    } else hear(event, searching, source);
  };
  const close = () => {
    setSearching(false);
    searching.clear();
    view?.focus();
  };
  const search = () => {
    setSearching(true);
    document.querySelector<HTMLElement>("[data-search]")?.focus(); // it is open already
  };
  const { isOn: isTerminal = false, isReplay } = terminal ?? {};
  useEffect(() => (view && !isTerminal ? addKeys(keysOf(view, search)) : undefined), [view, isSearching, isTerminal]);
  useEffect(() => addKeys([{ key: "z", does: "only the output, or all", group: GROUP, act: widen }]), [widen]);
  useEffect(() => (terminal ? addKeys([keyOf(terminal)]) : undefined), [isReplay]);

  return (
    <div class="output">
      <Tools
        api={server.api}
        runId={runId}
        view={view}
        isFollowing={isFollowing}
        isSearching={isSearching}
        isWide={isWide}
        terminal={terminal}
        startedAt={source.startedAt}
        address={() => addressOf(root, runId, chosen.current)}
        go={go}
        search={() => (isSearching ? close() : search())}
        widen={widen}
      />
      {isSearching && !isTerminal && (
        <SearchPanel
          searching={searching}
          size={() => sizeOf(source)}
          near={() => (view ? (source.row(view.sight.first)?.offset ?? 0) : 0)}
          close={close}
        />
      )}
      {isTerminal ? (
        children
      ) : (
        <LogPane
          source={source}
          options={{
            label: "Output",
            wrap: wrap.value,
            numbers: numbers.value,
            times: times.value,
            follow: place === null,
            permalink: (line) => addressOf(root, runId, { line }),
            download: () => server.api.address(`runs/${runId}/output`, [["format", "text"]]),
            rest: (row) =>
              server.api.address(`runs/${runId}/output`, [
                ["format", "text"],
                ["from", row.offset],
              ]),
          }}
          heard={heard}
          ready={(made) => {
            setView(made);
            if (place !== null) void made.goTo(place);
            return effect(() => made.setOptions({ wrap: wrap.value, numbers: numbers.value, times: times.value }));
          }}
        />
      )}
    </div>
  );
}

/** Make the document of a run, for as long as the component is there. */
export function useDocument(server: Server, runId: string, run: Run | null): RunDocument {
  const made = useMemo(
    () => new RunDocument({ api: server.api, feed: server.feed, runId, ...(run && { run }) }),
    [server, runId],
  );
  useEffect(() => () => made.close(), [made]);
  return made;
}

/** Return the run of a document as it is told. */
export function useRun(source: RunDocument): Run | null {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => source.onRun(() => redraw(0)), [source]);
  return source.run;
}

/** Make the search of a document; show its hits in the view, and go where one is looked at. */
export function useSearching(server: Server, source: RunDocument, view: LogView | null): Searching {
  const searching = useMemo(() => {
    const { api } = server;
    return new Searching((needle) => new Search({ api, runId: source.runId, needle, size: sizeOf(source) }));
  }, [server, source]);
  useEffect(() => () => searching.clear(), [searching]);
  // Rows may come after the view has gone where they are.
  useEffect(
    () =>
      source.on((event) => {
        if (view && event.kind === "changed" && searching.found !== null) seen(searching, source, view.sight);
      }),
    [searching, source, view],
  );
  useEffect(() => {
    if (view === null) return undefined;
    let shown: number | null = null;
    return searching.on(() => {
      const { current } = searching;
      view.setMarks(searching.hits, current?.offset ?? null, searching.beyond(sizeOf(source)));
      if (current && current.offset !== shown) void view.goTo({ offset: current.offset });
      shown = current?.offset ?? null;
    });
  }, [searching, view, source]);
  return searching;
}

/** Take what a view tells that concerns the search. What cannot be had for it, and is wanted, is asked for again. */
export function hear(event: LogEvent, searching: Searching, source: RunDocument): void {
  if (event.kind === "mark") searching.chooseAt(event.hit.offset).catch(() => undefined);
  else if (event.kind === "place") searching.chooseAt(Math.floor(event.at * sizeOf(source))).catch(() => undefined);
  else if (event.kind === "position") seen(searching, source, event);
}

function sizeOf(source: RunDocument): number {
  return source.run?.size ?? 0;
}

/** Rows are in sight: their marks need what was found in them. */
function seen(searching: Searching, source: RunDocument, { first, last }: { first: number; last: number }): void {
  const [from, to] = [source.row(first)?.offset, source.row(last)?.offset];
  if (from !== undefined && to !== undefined) searching.see(from, to + 1);
}

/** Return the address of a place in a run's output, for others. */
export function addressOf(root: string, runId: string, place: Place | null): string {
  return new URL(`${root}runs/${runId}${place === null ? "" : hashOf(place)}`, location.href).href;
}

function keysOf(view: LogView, search: () => void) {
  const group = GROUP;
  const pass = (event: KeyboardEvent) => isFree() && view.key(event);
  const rows: [string, string, (event: KeyboardEvent) => unknown][] = [
    ["j", "a line down", pass],
    ["ArrowDown", "a line down", pass],
    ["k", "a line up", pass],
    ["ArrowUp", "a line up", pass],
    [" ", "a page down", pass],
    ["PageDown", "a page down", pass],
    ["PageUp", "a page up", pass],
    ["g", "to the beginning", pass],
    ["Home", "to the beginning", pass],
    ["G", "to the end, and stay there", pass],
    ["End", "to the end, and stay there", pass],
    ["f", "stay at the end, or not", () => view.setOptions({ follow: !view.isFollowing })],
    ["v", "choose lines to link to; then Shift+arrows", pass],
    ["Shift+ArrowDown", "more chosen lines", pass],
    ["Shift+ArrowUp", "fewer chosen lines", pass],
    ["/", "search", search],
    ["Ctrl+F", "search", search],
    [":", "go to a line or a time", () => document.querySelector<HTMLElement>("[data-jump]")?.focus()],
    ["w", "wrap lines, or not", () => toggle(wrap)],
    ["#", "line numbers, or not", () => toggle(numbers)],
    ["t", "other times", nextTimes],
    ["i", "type into the run", () => focusTyping()],
  ];
  return rows.map(([key, does, act]) => ({ key, does, group, act, always: key === "Ctrl+F" }));
}

function keyOf({ isReplay, toggle: act }: TerminalTool) {
  return {
    key: "x",
    does: isReplay ? "play the run again, or back to its lines" : "the terminal, or lines",
    group: GROUP,
    act,
  };
}

/** Tell whether nothing has the focus that has its own use for keys. */
function isFree(): boolean {
  const at = document.activeElement;
  return at === null || at === document.body || at.tagName === "MAIN";
}

function focusTyping(): boolean {
  const field = document.querySelector<HTMLElement>("[data-typing]");
  field?.focus();
  return field !== null;
}
