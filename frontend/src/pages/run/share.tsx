/** Sharing a run: by its address, for whoever may see it anyway; by a link, for whoever has it, for a time. */

import { useEffect, useState } from "preact/hooks";
import { minute } from "../../core/clock";
import type { Link, Shared } from "../../core/shapes";
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
  const [links, setLinks] = useState<readonly Link[]>([]);
  const look = () => api.links(runId).then(setLinks, setFault);
  useEffect(() => void look(), [api, runId]);
  const end = (id: string) =>
    api.endLink(runId, id).then(() => {
      if (link?.id === id) setLink(null);
      announce("The link is ended");
      return look();
    }, setFault);
  const make = async () => {
    setMaking(true);
    setFault(null);
    try {
      setLink(await api.share(runId, seconds));
      announce("The link is made");
      void look();
    } catch (error) {
      setFault(error);
    } finally {
      setMaking(false);
    }
  };
  return (
    <div class="sharing">
      <p>Whoever has the link can watch this run, and do nothing else, until it expires or is ended.</p>
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
      {link && <Made link={link} name={name} />}
      {links.length > 0 && <Links links={links} end={(id) => void end(id)} />}
      <p class="address">
        Whoever may see it anyway needs no link.
        <button type="button" class="quiet" onClick={() => void share(name, location.href)}>
          Copy its address
        </button>
      </p>
    </div>
  );
}

/** The links that there are; what opens the run by them is told once, when each is made. */
function Links({ links, end }: { links: readonly Link[]; end: (id: string) => void }) {
  return (
    <section>
      <h3>Links that are good</h3>
      <ul class="links">
        {links.map(({ id, created, expires, by }) => (
          <li key={id}>
            <span>
              Made {minute(Date.parse(created))}
              {by && ` by ${by}`}, good until {minute(Date.parse(expires))}
            </span>
            <button
              type="button"
              aria-label={`End it: the link made ${minute(Date.parse(created))}`}
              onClick={() => end(id)}
            >
              End it
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Made({ link, name }: { link: Shared; name: string }) {
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
