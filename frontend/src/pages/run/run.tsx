/** The page of a run. */

import { useCallback, useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { toldProgress } from "../../core/osc";
import type { Action, Run } from "../../core/shapes";
import { ending, nameOf, standing } from "../../core/words";
import { announce } from "../../parts/announce";
import { Fault } from "../../parts/faults";
import { Notice } from "../../parts/notice";
import { followInTab } from "../../parts/tab";
import type { Given, May } from "../given";
import type { Server } from "../server";
import { Actions } from "./actions";
import { tellEnd } from "./ending";
import { Head } from "./head";
import { addressOf, Output, useDocument } from "./output";
import { type Place, placeIn } from "./place";
import { Pulse } from "./progress";
import { Screen } from "./screen";
import { Typing } from "./typing";

const LOOK_MS = 5000;
/** while it is being stopped: no event tells of each signal */
const STOPPING_LOOK_MS = 700;

export function RunPage({ given, server }: { given: Given; server: Server }) {
  if (given.run === null) return <Notice tone="bad">The server did not say which run this is.</Notice>;
  return <Watched given={given} server={server} first={given.run} />;
}

function Watched({ given, server, first }: { given: Given; server: Server; first: Run }) {
  const source = useDocument(server, first.id, first);
  const [told, tell] = useReducer(newer, first);
  useEffect(() => source.onRun(tell), [source]);
  useLooks(server, told, tell);
  const [isWide, setWide] = useState(false);
  const [isTerminal, setTerminal] = useState(first.rows !== null && first.state !== "finished");
  const [fault, setFault] = useState<unknown>(null);
  const [begin] = useState<Place | null>(() => placeIn(location.hash));
  const pulse = useMemo(() => new Pulse(), []);
  const run = told.state === "finished" ? told : { ...told, size: Math.max(told.size, pulse.size.value) };
  const command = given.commands.find(({ name }) => name === first.command);
  const name = nameOf(run, command?.title);
  const { root } = given;
  const may = mayOf(run, given.may);
  const guest = given.who?.via === "share" ? given.who : null;
  const progress = pulse.progress.value;

  useEffect(() => server.feed.follow(first.id, "end", (news) => pulse.take(news)), [server, first.id, pulse]);
  useEffect(() => {
    // what it has told before this page was opened; without it the bar comes a little later
    if (first.state !== "finished")
      server.api.activity(first.id, 1).then(
        ({ progress }) => pulse.begin(toldProgress(progress)),
        () => undefined,
      );
  }, [server, first, pulse]);
  useEffect(() => {
    const percent = progress === null || progress.kind === "unknown" ? null : progress.percent;
    return followInTab(() => ({ run, name, percent }));
  }, [run.state, run.outcome, run.queue_place, name, progress]);
  useChanges(run, name);

  const widen = useCallback(() => setWide((is) => !is), []);
  const isPlayable = run.rows !== null || run.state === "finished";
  const terminal = { isOn: isTerminal, isReplay: run.state === "finished", toggle: () => setTerminal((is) => !is) };
  return (
    <div class={isWide ? "whole is-wide" : "whole"}>
      {!isWide && (
        <Head
          run={run}
          title={command?.title}
          root={command && !guest ? root : null}
          guest={guest}
          lastOutput={pulse.lastOutput.value}
          progress={run.state === "finished" ? null : progress}
        >
          <Actions
            api={server.api}
            run={run}
            name={name}
            command={command}
            may={may}
            isGuest={guest !== null}
            root={root}
            failed={setFault}
            told={(next) => {
              setFault(null);
              tell(next);
            }}
          />
        </Head>
      )}
      {fault !== null && <Fault error={fault} />}
      <Output
        server={server}
        document={source}
        root={root}
        place={begin}
        isWide={isWide}
        widen={widen}
        terminal={isPlayable ? terminal : null}
        placed={(place) => history.replaceState(null, "", place ? addressOf(root, run.id, place) : location.pathname)}
      >
        <Screen address={server.api.address(`runs/${run.id}`)} run={run} takesInput={may.input} />
      </Output>
      {may.input && run.state !== "finished" && !isTerminal && <Typing api={server.api} runId={run.id} />}
    </div>
  );
}

const ORDER = ["queued", "starting", "running", "stopping", "finished"];

/** Return the run as it was told last; what was asked before and is answered late does not set it back. */
function newer(known: Run, told: Run): Run {
  const [older, last] = ORDER.indexOf(told.state) >= ORDER.indexOf(known.state) ? [known, told] : [told, known];
  return { ...last, usage: last.usage ?? older.usage, ...onlyTold(last, older) };
}

/** Events do not tell what the run was asked for with, which never changes, nor what may be done to it. */
function onlyTold(last: Run, older: Run): Pick<Run, "spec" | "may"> {
  const [spec, may] = [last.spec ?? older.spec, last.may ?? older.may];
  return { ...(spec && { spec }), ...(may && { may }) };
}

/** Return what may be done to the run, as told last; the page itself was given it as it was then. */
function mayOf({ may }: Run, given: May): May {
  if (!may) return given;
  const has = (action: Action) => may.includes(action);
  return { start: given.start, stop: has("stop"), input: has("input"), pin: has("pin"), share: has("share") };
}

/** Look at a run that goes, now and then, for what no event tells: its memory, its processor time. */
function useLooks(server: Server, run: Run, tell: (run: Run) => void): void {
  const isOver = run.state === "finished";
  const isStopping = run.state === "stopping";
  useEffect(() => {
    const look = () => {
      // who cannot be reached is told by the connection
      if (document.visibilityState === "visible") server.api.run(run.id).then(tell, () => undefined);
    };
    look();
    if (isOver) return undefined;
    const timer = setInterval(look, isStopping ? STOPPING_LOOK_MS : LOOK_MS);
    return () => clearInterval(timer);
  }, [server, run.id, isOver, isStopping, tell]);
}

/** Have changes of the state heard, and the end notified. */
function useChanges(run: Run, name: string): void {
  const before = useRef(run.state);
  useEffect(() => {
    if (run.state === before.current) return;
    before.current = run.state;
    announce(run.outcome === null ? `${name}: ${standing(run)}` : `${name}: ${ending(run.outcome)}`);
    if (run.state === "finished") tellEnd(run, name);
  }, [run, name]);
}
