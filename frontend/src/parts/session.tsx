/** That the server does not know any more who looks: said at the top of the page, with the way to log in.
 *
 * What is on the page stays. Nothing is asked again and again meanwhile, since each time would be one more refusal on
 * record: it is tried when a window that has logged in says so, and when somebody comes back to this one.
 */

import { signal } from "@preact/signals";
import type { Who } from "../core/shapes";
import type { Api } from "../net/api";
import type { Feed } from "../net/feed";
import { announce } from "./announce";
import { Notice } from "./notice";

/** what windows of this browser tell each other; the login's script has the same name */
const CHANNEL = "tailrace";
const BACK = "/login/back";
/** a window that is not there yet is made, and one that is there is used again */
const WINDOW = "tailrace-login";

export const isOut = signal(false);

/** See when nobody knows any more who looks, and when he is known again. */
export function watchSession(api: Api, feed: Feed, who: Who | null): void {
  api.onUnknown(leave);
  feed.onConnection((connection) => {
    if (connection.state === "refused" && connection.status === 401) leave();
  });
  const look = () => void lookAgain(api, feed, who);
  addEventListener("focus", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());
  if (typeof BroadcastChannel === "function") new BroadcastChannel(CHANNEL).onmessage = look;
}

function leave(): void {
  if (isOut.value) return;
  isOut.value = true;
  announce("You are not logged in any more");
}

/** Go on where the page was, if it is the same person; another one's page has to be made anew. */
async function lookAgain(api: Api, feed: Feed, who: Who | null): Promise<void> {
  if (!isOut.value) return;
  try {
    const now = await api.me();
    if (now.name !== (who?.name ?? null) || now.role !== (who?.role ?? null)) return location.reload();
  } catch {
    return; // the notice stays
  }
  isOut.value = false;
  feed.retry();
  announce("You are in again; nothing was missed");
}

export function SessionNotice({ who, root }: { who: Who | null; root: string }) {
  if (!isOut.value) return null;
  return (
    <div class="session">
      <Notice tone="other" isAlert actions={<WayIn who={who} root={root} />}>
        <strong>{who?.via === "share" ? "This link is not good any more." : "You are not logged in any more."}</strong>{" "}
        {who?.via === "share"
          ? "Ask whoever sent it for another."
          : "What is here stays, and goes on when you are in again."}
      </Notice>
    </div>
  );
}

/** The login's own window leaves this page as it is. Where somebody else knows who one is, the page is asked for anew. */
function WayIn({ who, root }: { who: Who | null; root: string }) {
  if (who?.via === "share") return null;
  if (who?.can_leave)
    return (
      <a class="button" href={`${root}login?next=${BACK}`} target={WINDOW}>
        Log in
      </a>
    );
  return (
    <button type="button" onClick={() => location.reload()}>
      Load the page again
    </button>
  );
}
