/** How the connection stands; nothing while it is as it should be. */

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Connection, Feed } from "../net/feed";
import { announce } from "./announce";
import { Icon } from "./icons";
import { here } from "./now";

/** a connection that is lost for less is not worth a word */
const SOON_MS = 1500;
const RESUMED_MS = 3000;

/** whether what happens is heard of: while it is not, nobody knows whether a run is silent */
export const isHeard = signal(true);

export function ConnectionState({ feed }: { feed: Feed }) {
  const [connection, setConnection] = useState<Connection>(feed.connection);
  const [isResumed, setResumed] = useState(false);
  const wasLost = useRef(false);
  const isLate = useLate(connection.state === "connecting");
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const off = feed.onConnection((next) => {
      setConnection(next);
      if (next.state !== "connecting") isHeard.value = next.state === "open";
      if (next.state === "waiting") {
        if (!wasLost.current) announce("The connection is lost");
        wasLost.current = true;
      } else if (next.state === "open" && wasLost.current) {
        wasLost.current = false;
        setResumed(true);
        announce("Connected again; nothing was missed");
        timer = setTimeout(() => setResumed(false), RESUMED_MS);
      }
    });
    return () => {
      off();
      clearTimeout(timer);
    };
  }, [feed]);
  switch (connection.state) {
    case "open":
      return isResumed ? (
        <span class="link-state good">
          <Icon name="good" />
          Connected again, nothing missed
        </span>
      ) : null;
    case "connecting":
      return isLate || wasLost.current ? <span class="link-state dim">Connecting…</span> : null;
    case "waiting":
      return <Waiting until={connection.until} why={connection.why} retry={() => feed.retry()} />;
    case "refused":
      if (connection.status === 401) return null; // see `session`
      return (
        <span class="link-state bad" title={connection.why}>
          <Icon name="warning" />
          <span class="words">Refused: {connection.why}</span>
          <button type="button" onClick={() => feed.retry()}>
            Try again
          </button>
        </span>
      );
  }
}

function Waiting({ until, why, retry }: { until: number; why: string; retry: () => void }) {
  const seconds = Math.max(0, Math.ceil((until - here.value) / 1000));
  return (
    <span class="link-state other" title={why}>
      <Icon name="warning" />
      <span class="words">Connection lost, next try {seconds > 0 ? `in ${seconds} s` : "now"}</span>
      <button type="button" onClick={retry}>
        Retry now
      </button>
    </span>
  );
}

/** Return whether something has been so for a while. */
function useLate(is: boolean): boolean {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    if (!is) return setLate(false);
    const timer = setTimeout(() => setLate(true), SOON_MS);
    return () => clearTimeout(timer);
  }, [is]);
  return isLate;
}
