/** The list of runs with all that belongs to it: the filter, what is new, what is chosen, what went wrong. */

import { useEffect, useMemo, useReducer, useState } from "preact/hooks";
import type { Command } from "../../core/shapes";
import { announce } from "../../parts/announce";
import { share } from "../../parts/clipboard";
import { Fault } from "../../parts/faults";
import { Icon } from "../../parts/icons";
import type { Server } from "../server";
import { Activities } from "./activity";
import { EVERYTHING, type Filter, filterIn, hashOf, isEverything } from "./filter";
import { Filters } from "./filters";
import { RunList } from "./runlist";
import { chosen, sideBySide } from "./selection";
import { RunTable } from "./table";

interface Parts {
  server: Server;
  root: string;
  commands: readonly Command[];
  /** only the runs of this command */
  only?: string;
  /** not all that there are can be seen here */
  isPart?: boolean;
}

export function Listing({ server, root, commands, only = "", isPart = false }: Parts) {
  const [filter, setFilter] = useState<Filter>(() => ({ ...filterIn(location.hash), ...(only && { command: only }) }));
  const list = useMemo(() => new RunList((query, signal) => server.api.runs(query, signal), filter), [server]);
  const activities = useMemo(() => new Activities(server.api), [server]);
  const [, redraw] = useReducer((count: number) => count + 1, 0);

  useEffect(() => list.on(() => redraw(0)), [list]);
  useEffect(() => {
    const off = server.feed.list((news) => (news.kind === "run" ? list.news(news.run) : list.gone(news.id)));
    const offConnection = whenBack(server, () => list.check());
    return () => {
      off();
      offConnection();
      list.close();
    };
  }, [server, list]);

  const show = (next: Filter) => {
    setFilter(next);
    list.show(next);
  };
  const change = (next: Filter) => {
    // Back leads from one choice to the one before; not from letter to letter.
    const isTyping = next.q !== filter.q || next.label !== filter.label;
    const address = `${location.pathname}${location.search}${hashOf(only ? { ...next, command: "" } : next)}`;
    if (isTyping) history.replaceState(null, "", address);
    else history.pushState(null, "", address);
    show(next);
  };
  useEffect(() => {
    const back = () => show({ ...filterIn(location.hash), ...(only && { command: only }) });
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, [list, only]);
  const isAll = isEverything({ ...filter, command: only ? "" : filter.command });
  return (
    <section class="listing" aria-label="Runs">
      <Filters filter={filter} commands={commands} hasCommands={only === ""} tally={tallyOf(list)} change={change} />
      {isPart && <p class="help part">Only runs that you may see are listed.</p>}
      {list.fault !== null && <Fault error={list.fault} retry={() => list.retry()} />}
      <RunTable list={list} activities={activities} commands={commands} root={root} />
      {list.isOpen && list.count === 0 && !list.hasMore && (
        <p class="nothing">
          {isAll ? "Nothing has run yet." : "No run is like that. "}
          {!isAll && (
            <button type="button" class="quiet" onClick={() => change({ ...EVERYTHING, command: only })}>
              Show all
            </button>
          )}
        </p>
      )}
      {list.pending > 0 && <News list={list} />}
      {chosen.value.length > 0 && <Chosen root={root} />}
    </section>
  );
}

/** Call this when the connection is there again after it was lost. */
function whenBack(server: Server, act: () => void): () => void {
  let wasLost = false;
  return server.feed.onConnection(({ state }) => {
    if (state === "open" && wasLost) act();
    wasLost = state === "waiting" || state === "refused" || (wasLost && state !== "open");
  });
}

function tallyOf(list: RunList): string {
  if (!list.isOpen) return "";
  const total = list.total ?? (list.hasMore ? null : list.count);
  if (total === null) return list.count === 0 ? "looking…" : `${list.count.toLocaleString("en")} and more`;
  return total.toLocaleString("en");
}

function News({ list }: { list: RunList }) {
  return (
    <button
      type="button"
      class="pill new"
      onClick={() => {
        announce(`${list.pending} new`);
        list.admit();
        window.scrollTo({ top: 0 });
      }}
    >
      <Icon name="up" />
      {list.pending} new
    </button>
  );
}

/** Return the address of runs, for others. */
function linkTo(root: string, ids: readonly string[]): string {
  const [id = ""] = ids;
  return new URL(ids.length === 1 ? `${root}runs/${id}` : sideBySide(root, ids), location.href).href;
}

function Chosen({ root }: { root: string }) {
  const count = chosen.value.length;
  return (
    <div class="chosen">
      <span>{count} chosen</span>
      <a class="button" href={sideBySide(root, chosen.value)}>
        {count === 1 ? "Open" : "Side by side"}
      </a>
      <button type="button" class="quiet" onClick={() => void share("Runs", linkTo(root, chosen.value))}>
        Share
      </button>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          chosen.value = [];
        }}
      >
        None
      </button>
    </div>
  );
}
