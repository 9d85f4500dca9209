/** Sharing a run: by its address, for whoever may see it anyway; by a link, for whoever has it, for a time. */

import { useState } from "preact/hooks";
import { minute } from "../../core/clock";
import type { Shared } from "../../core/shapes";
import type { Api } from "../../net/api";
import { announce } from "../../parts/announce";
import { copy, share } from "../../parts/clipboard";
import { Fault } from "../../parts/faults";
import { Icon } from "../../parts/icons";

const HOUR = 3600;
const DAY = 24 * HOUR;
const LENGTHS: readonly (readonly [seconds: number, words: string])[] = [
  [HOUR, "1 hour"],
  [8 * HOUR, "8 hours"],
  [DAY, "1 day"],
  [7 * DAY, "7 days"],
  [30 * DAY, "30 days"],
];
const USUAL = 7 * DAY;

export function ShareSheet({ api, runId, name }: { api: Api; runId: string; name: string }) {
  const [seconds, setSeconds] = useState(USUAL);
  const [link, setLink] = useState<Shared | null>(null);
  const [fault, setFault] = useState<unknown>(null);
  const [isMaking, setMaking] = useState(false);
  const make = async () => {
    setMaking(true);
    setFault(null);
    try {
      setLink(await api.share(runId, seconds));
      announce("The link is made");
    } catch (error) {
      setFault(error);
    } finally {
      setMaking(false);
    }
  };
  return (
    <div class="sharing">
      <p>
        Whoever has the link can watch this run, and do nothing else, until it expires. It cannot be taken back by
        itself.
      </p>
      <form
        class="length"
        onSubmit={(event) => {
          event.preventDefault();
          void make();
        }}
      >
        <label for="share-length">Good for</label>
        <select
          id="share-length"
          value={String(seconds)}
          onChange={(event) => {
            setSeconds(Number(event.currentTarget.value));
            setLink(null);
          }}
        >
          {LENGTHS.map(([length, words]) => (
            <option key={length} value={String(length)}>
              {words}
            </option>
          ))}
        </select>
        <button type="submit" class="start main" disabled={isMaking}>
          Make a link
        </button>
      </form>
      {fault !== null && <Fault error={fault} />}
      {link && <Link link={link} name={name} />}
      <p class="address">
        Whoever may see it anyway needs no link.
        <button type="button" class="quiet" onClick={() => void share(name, location.href)}>
          Copy its address
        </button>
      </p>
    </div>
  );
}

function Link({ link, name }: { link: Shared; name: string }) {
  return (
    <div class="link">
      <label for="share-link">The link</label>
      <div class="row">
        <input
          id="share-link"
          type="text"
          readOnly
          value={link.url}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" onClick={() => void copy(link.url, "Link")}>
          <Icon name="copy" />
          Copy
        </button>
        {typeof navigator.share === "function" && (
          <button type="button" onClick={() => void share(name, link.url)}>
            <Icon name="share" />
            Send
          </button>
        )}
      </div>
      <p class="help">It is good until {minute(Date.parse(link.expires))}.</p>
    </div>
  );
}
