/** The tools above an output: how it is shown, where to go in it, and how to take it along. */

import { useRef, useState } from "preact/hooks";
import type { LogView } from "../../log/view";
import type { Api } from "../../net/api";
import { copy } from "../../parts/clipboard";
import { Icon, type IconName } from "../../parts/icons";
import { Menu } from "../../parts/menu";
import { toast } from "../../parts/toast";
import { type Place, placeTyped } from "./place";
import { numbers, TIMES, times, wrap } from "./settings";

/** Shows the terminal, or the replay that it is once the run is over, in place of the lines. */
export interface TerminalTool {
  isOn: boolean;
  isReplay: boolean;
  toggle: () => void;
}

interface Parts {
  api: Api;
  runId: string;
  view: LogView | null;
  isFollowing: boolean;
  isSearching: boolean;
  isWide: boolean;
  /** null: the run has no terminal */
  terminal: TerminalTool | null;
  startedAt: number | null;
  /** the address of the lines that are chosen, or of the output */
  address: () => string;
  go: (place: Place) => void;
  search: () => void;
  widen: () => void;
}

/** A terminal has no lines, and so none of their tools. */
export function Tools(parts: Parts) {
  const { isSearching, isWide, terminal } = parts;
  const hasLines = !terminal?.isOn;
  return (
    <div class="tools" role="toolbar" aria-label="Output">
      {hasLines && <Tool icon="find" label="Search (/)" text="Search" isOn={isSearching} act={parts.search} />}
      {hasLines && <Jump startedAt={parts.startedAt} go={parts.go} />}
      <span class="gap" />
      {hasLines && <Looks {...parts} />}
      {terminal && (
        <Tool
          icon="terminal"
          label={terminal.isReplay ? "Play it again (x)" : "Terminal (x)"}
          text={terminal.isReplay ? "Replay" : "Terminal"}
          isOn={terminal.isOn}
          act={terminal.toggle}
        />
      )}
      <Tool icon="wide" label="Only the output (z)" isOn={isWide} act={parts.widen} />
      <CopyMenu {...parts} />
      <DownloadMenu {...parts} />
    </div>
  );
}

/** How the lines are shown. */
function Looks({ view, isFollowing }: Parts) {
  return (
    <>
      <Tool
        icon="follow"
        label="Stay at the end (f)"
        text="Follow"
        isOn={isFollowing}
        act={() => view?.setOptions({ follow: !isFollowing })}
      />
      <Tool icon="wrap" label="Wrap lines (w)" isOn={wrap.value} act={() => toggle(wrap)} />
      <Tool icon="numbers" label="Line numbers (#)" isOn={numbers.value} act={() => toggle(numbers)} />
      <TimesMenu />
    </>
  );
}

export function TimesMenu() {
  return (
    <Menu label="Times" icon="times">
      {TIMES.map(([value, text]) => (
        <button
          key={value}
          type="button"
          aria-pressed={times.value === value}
          onClick={() => {
            times.value = value;
          }}
        >
          {text}
        </button>
      ))}
    </Menu>
  );
}

export function toggle(setting: { value: boolean }): void {
  setting.value = !setting.value;
}

interface ToolParts {
  icon: IconName;
  label: string;
  text?: string;
  isOn: boolean;
  act: () => void;
}

function Tool({ icon, label, text, isOn, act }: ToolParts) {
  return (
    <button
      type="button"
      class={text ? "quiet" : "quiet icon"}
      aria-pressed={isOn}
      aria-label={text ? undefined : label}
      title={label}
      onClick={act}
    >
      <Icon name={icon} />
      {text && <span class="text">{text}</span>}
    </button>
  );
}

/** Where a line's number or a time is typed. */
function Jump({ startedAt, go }: { startedAt: number | null; go: (place: Place) => void }) {
  const [isWrong, setWrong] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      class="jump"
      onSubmit={(event) => {
        event.preventDefault();
        const place = placeTyped(field.current?.value ?? "", startedAt);
        setWrong(place === null);
        if (place === null) return toast("A line (120), a time (10:42:07), or a while after the start (+90 s)");
        go(place);
        field.current?.blur();
      }}
    >
      <input
        ref={field}
        type="text"
        aria-label="Go to a line or a time"
        title="Go to a line (120), a time (10:42:07), or a while after the start (+90 s); key: :"
        placeholder="Line or time"
        aria-invalid={isWrong ? "true" : undefined}
        autocomplete="off"
        data-jump
        onInput={() => setWrong(false)}
      />
    </form>
  );
}

function CopyMenu({ view, address, terminal }: Parts) {
  return (
    <Menu label="Copy" icon="copy">
      <button type="button" onClick={() => void copy(address(), "Link")}>
        {terminal?.isOn ? "Link to this run" : "Link to this place"}
      </button>
      {!terminal?.isOn && (
        <>
          <button type="button" onClick={() => void view?.copy()}>
            What is selected, as text
          </button>
          <button type="button" onClick={() => void view?.copy({ colours: true })}>
            What is selected, with colours
          </button>
        </>
      )}
    </Menu>
  );
}

function DownloadMenu({ api, runId }: Parts) {
  const address = (...pairs: [string, string][]) => api.address(`runs/${runId}/output`, [...pairs, ["follow", "0"]]);
  return (
    <Menu label="Download" icon="download">
      <a class="button" href={address(["format", "text"])} download={`${runId}.txt`}>
        Text, exactly as written
      </a>
      <a class="button" href={address(["format", "text"], ["ansi", "strip"])} download={`${runId}.plain.txt`}>
        Text, without colours
      </a>
      <a class="button" href={address(["format", "cast"])} download={`${runId}.cast`}>
        Recording (asciicast)
      </a>
      <a class="button" href={address(["format", "ndjson"])} download={`${runId}.ndjson`}>
        Lines with times (NDJSON)
      </a>
    </Menu>
  );
}
