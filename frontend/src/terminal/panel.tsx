/** The terminal on the run's page: live while the run goes, with a recorder's controls afterwards. */

import { useEffect, useRef, useState } from "preact/hooks";
import { sinceStart } from "../core/clock";
import type { Run } from "../core/shapes";
import { shortSize } from "../core/words";
import { type LiveEvent, LiveTerminal } from "./live";
import type { PlayerState } from "./player";
import { Replay } from "./replay";

export interface PanelProps {
  /** of the run in the API, absolute */
  address: string;
  run: Run;
  /** whether this reader may type */
  takesInput: boolean;
}

const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16] as const;
const STEP_S = 5;

/** Show the run as it was when the panel was opened: who watches it end keeps the live screen. */
export function TerminalPanel(props: PanelProps) {
  const [isLive] = useState(props.run.state !== "finished");
  const [wantsReplay, setWantsReplay] = useState(!isLive);
  return wantsReplay ? (
    <ReplayPanel {...props} />
  ) : (
    <LivePanel {...props} replay={props.run.state === "finished" ? () => setWantsReplay(true) : null} />
  );
}

/** Made anew only for another run: this one's state changes all the time. */
function LivePanel({ address, run, takesInput, replay }: PanelProps & { replay: (() => void) | null }) {
  const host = useRef<HTMLDivElement>(null);
  const terminal = useRef<LiveTerminal | null>(null);
  const [notes, setNotes] = useState<Notes>({});
  useEffect(() => {
    if (!host.current) return;
    const live = new LiveTerminal(host.current, { address, run, takesInput });
    terminal.current = live;
    live.on((event) => setNotes((before) => noted(before, event)));
    live.open();
    if (takesInput) live.focus();
    return () => live.dispose();
  }, [address]);
  return (
    <section class="terminal-view" aria-label="Terminal">
      <div ref={host} class="terminal-screen" />
      <div class="terminal-foot">
        <span role="status">{wordsOf(notes, run)}</span>
        {notes.behind && (
          <button type="button" onClick={() => terminal.current?.skip()}>
            Skip to live ({shortSize(notes.behind)} behind)
          </button>
        )}
        {takesInput && run.state !== "finished" && <span>Shift+Esc leaves the terminal.</span>}
        {replay && (
          <button type="button" onClick={replay}>
            Replay
          </button>
        )}
      </div>
    </section>
  );
}

interface Notes {
  begins?: string;
  connection?: string;
  behind?: number | undefined;
  refused?: string | undefined;
}

function noted(before: Notes, event: LiveEvent): Notes {
  switch (event.kind) {
    case "begins":
      return { ...before, begins: event.words };
    case "lagging":
      return { ...before, behind: event.behind };
    case "gap":
      return { ...before, behind: undefined };
    case "refused":
      return { ...before, refused: `${event.detail}: ${event.hint}` };
    case "connection":
      return { ...before, connection: connectionWords(event.state, event.why), refused: undefined };
    default:
      return before;
  }
}

function connectionWords(state: string, why: string | undefined): string {
  if (state === "connecting") return "Connecting…";
  return state === "waiting" ? `Reconnecting: ${why ?? ""}.` : "";
}

function wordsOf({ begins, connection, refused }: Notes, run: Run): string {
  const over = run.state === "finished" ? "The run is over." : "";
  return [refused, connection, over, begins].filter(Boolean).join(" ");
}

function ReplayPanel({ address, run }: PanelProps) {
  const host = useRef<HTMLDivElement>(null);
  const replay = useRef<Replay | null>(null);
  const [state, setState] = useState<PlayerState | null>(null);
  useEffect(() => {
    if (!host.current) return;
    const made = new Replay(host.current, address, run);
    replay.current = made;
    made.player.on(setState);
    void made.player.seek(0).then(() => made.player.play());
    return () => made.dispose();
  }, [address]);
  useEffect(() => {
    if (!state?.isPlaying) return;
    const timer = setInterval(() => replay.current && setState(replay.current.player.state), 200);
    return () => clearInterval(timer);
  }, [state?.isPlaying]);
  return (
    <section class="terminal-view" aria-label="Replay">
      <div ref={host} class="terminal-screen" />
      {replay.current && state && <Controls replay={replay.current} state={state} duration={run.duration_s ?? 0} />}
    </section>
  );
}

function Controls({ replay: { player }, state, duration }: { replay: Replay; state: PlayerState; duration: number }) {
  const position = Math.min(state.position, duration);
  const jump = (seconds: number) => void player.seek(Math.max(0, Math.min(duration, seconds)));
  const keys = (event: KeyboardEvent) => {
    if (event.key === " " && event.target instanceof HTMLInputElement) {
      event.preventDefault();
      state.isPlaying ? player.pause() : player.play();
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw a box around a row of buttons
    <div class="terminal-foot" role="group" aria-label="Replay controls" onKeyDown={keys}>
      <button type="button" onClick={() => (state.isPlaying ? player.pause() : player.play())}>
        {state.isPlaying ? "Pause" : state.isAtEnd ? "Again" : "Play"}
      </button>
      <button type="button" title={`${STEP_S} seconds back`} onClick={() => jump(position - STEP_S)}>
        −{STEP_S} s
      </button>
      <button type="button" title={`${STEP_S} seconds on`} onClick={() => jump(position + STEP_S)}>
        +{STEP_S} s
      </button>
      <input
        type="range"
        aria-label="Moment"
        aria-valuetext={`${sinceStart(position)} of ${sinceStart(duration)}`}
        min={0}
        max={duration}
        step="any"
        value={position}
        onInput={(event) => jump(event.currentTarget.valueAsNumber)}
      />
      <output>
        {sinceStart(position)} / {sinceStart(duration)}
      </output>
      <label class="terminal-speed">
        Speed{" "}
        <select
          value={player.speed}
          onChange={(event) => {
            player.speed = Number(event.currentTarget.value);
          }}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              {speed} ×
            </option>
          ))}
        </select>
      </label>
      <label class="terminal-speed">
        <input
          type="checkbox"
          checked={player.skipsSilence}
          onChange={(event) => {
            player.skipsSilence = event.currentTarget.checked;
          }}
        />{" "}
        Shorten silences
      </label>
      <span role="status">{state.failure ? `The replay stopped: ${state.failure}` : ""}</span>
    </div>
  );
}
