/** What can be done with a run: stop it, start it again, hand it on. */

import { useState } from "preact/hooks";
import type { Command, Run } from "../../core/shapes";
import type { Api } from "../../net/api";
import { share } from "../../parts/clipboard";
import { Dialog } from "../../parts/dialog";
import { isRecalledWhole, recalled } from "../../parts/form/recalled";
import { initialValues, sent } from "../../parts/form/values";
import { Icon } from "../../parts/icons";
import { Menu } from "../../parts/menu";
import type { May } from "../given";
import { formAddress } from "../handed";
import { canNotify, isWanted, toggleNotice } from "./ending";
import { ShareSheet } from "./share";
import { plannedStop } from "./standing";

interface Parts {
  api: Api;
  run: Run;
  name: string;
  command: Command | undefined;
  may: May;
  /** he looks by a link to this run, which is not his to hand on */
  isGuest: boolean;
  root: string;
  failed: (error: unknown) => void;
  /** the run, as the server has answered */
  told: (run: Run) => void;
}

export function Actions(parts: Parts) {
  const { run, may, name } = parts;
  const isOver = run.state === "finished";
  return (
    <>
      {may.stop && !isOver && <Stop {...parts} />}
      {parts.command && mayStart(parts.command, may) && <Again {...parts} command={parts.command} />}
      {!isOver && canNotify() && (
        <button
          type="button"
          class="quiet icon"
          aria-pressed={isWanted.value}
          aria-label="Tell me when it ends"
          title="Tell me when it ends"
          onClick={() => void toggleNotice()}
        >
          <Icon name="bell" />
        </button>
      )}
      {may.pin && <Pin {...parts} />}
      {!parts.isGuest && <Share api={parts.api} run={run} name={name} makesLinks={may.share} />}
    </>
  );
}

function mayStart(command: Command, may: May): boolean {
  return command.may?.includes("start") ?? may.start;
}

/** Where links are made, one for whoever cannot log in; else the address, for whoever can. */
function Share({ api, run, name, makesLinks }: { api: Api; run: Run; name: string; makesLinks: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        class="quiet icon"
        aria-label="Share"
        title="Share"
        onClick={() => (makesLinks ? setOpen(true) : void share(name, location.href))}
      >
        <Icon name="share" />
      </button>
      {isOpen && (
        <Dialog title="Share this run" close={() => setOpen(false)}>
          <ShareSheet api={api} runId={run.id} name={name} />
        </Dialog>
      )}
    </>
  );
}

/** While it goes: a menu that says what a stop does. While it is being stopped: the next signal, at once. */
function Stop({ api, run, failed, told }: Parts) {
  const stop = (now: boolean) => api.stop(run.id, { now }).then(told, failed);
  if (run.state === "stopping") {
    return (
      <button type="button" class="danger" onClick={() => void stop(true)}>
        <Icon name="stop" />
        Next signal now
      </button>
    );
  }
  const isWaiting = run.state === "queued";
  return (
    <Menu label={isWaiting ? "Take it from the queue" : "Stop it"} icon="stop" text="Stop" class="danger">
      <p class="planned">{isWaiting ? "Takes it from the queue; it will not run." : plannedStop(run)}</p>
      <button type="button" class="danger" onClick={() => void stop(false)}>
        <Icon name="stop" />
        {isWaiting ? "Take it from the queue" : "Stop it"}
      </button>
    </Menu>
  );
}

function Again({ api, run, command, root, failed }: Parts & { command: Command }) {
  const [isStarting, setStarting] = useState(false);
  const values = recalled(command, run);
  const form = formAddress(root, command.name, values ?? {});
  if (values === null || !isRecalledWhole(command, values)) {
    return (
      <a class="button" href={form}>
        <Icon name="again" />
        Run again…
      </a>
    );
  }
  const again = async () => {
    setStarting(true);
    try {
      const next = await api.start(command.name, sent(command, initialValues(command, values)));
      location.assign(`${root}runs/${next.id}`);
    } catch (error) {
      failed(error);
      setStarting(false);
    }
  };
  const button = (
    <button type="button" disabled={isStarting} onClick={() => void again()}>
      <Icon name="again" />
      {isStarting ? "Starting…" : "Run again"}
    </button>
  );
  if (Object.keys(values).length === 0) return button;
  return (
    <>
      {button}
      <Menu label="Run again with other values" icon="down">
        <a class="button" href={form}>
          Run again with other values…
        </a>
      </Menu>
    </>
  );
}

function Pin({ api, run, failed, told }: Parts) {
  const label = run.pinned ? "Kept for good; let it go when it is old" : "Keep it for good";
  return (
    <button
      type="button"
      class="quiet icon"
      aria-pressed={run.pinned}
      aria-label={label}
      title={label}
      onClick={() => void api.pin(run.id, !run.pinned).then(told, failed)}
    >
      <Icon name="pin" />
    </button>
  );
}
