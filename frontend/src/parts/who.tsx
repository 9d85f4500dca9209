/** Who looks at the page: his name and role at the top, what he may, and the way out. */

import { minute } from "../core/clock";
import type { Action, Who } from "../core/shapes";
import { duration } from "../core/words";
import { Icon } from "./icons";
import { Menu } from "./menu";

/** seconds that are told in words, and not as a date */
const SOON_S = 2 * 86400;

const WAYS: Readonly<Record<string, string>> = {
  session: "You have logged in here.",
  token: "You came in by a token.",
  proxy: "The proxy in front of this server says who you are.",
};

const DOES: readonly (readonly [Action, string])[] = [
  ["view", "watch"],
  ["start", "start"],
  ["stop", "stop"],
  ["input", "type into"],
  ["pin", "keep"],
  ["share", "share"],
];

export function WhoMenu({ who, root }: { who: Who; root: string }) {
  return (
    <div class="who">
      <Menu label={`You are ${nameOf(who)}`} icon="person" text={who.name ?? ""}>
        <p class="planned">
          <strong>{nameOf(who)}</strong>
          <br />
          {WAYS[who.via] ?? ""} {mayWords(who)}
        </p>
        {who.can_leave && (
          <form method="post" action={`${root}logout`}>
            <button type="submit">
              <Icon name="leave" />
              Log out
            </button>
            <button type="submit" name="everywhere" value="1">
              <Icon name="leave" />
              Log out everywhere
            </button>
          </form>
        )}
      </Menu>
    </div>
  );
}

function nameOf(who: Who): string {
  return who.role ? `${who.name}, ${who.role}` : (who.name ?? "");
}

/** Return what somebody may, as a sentence. */
export function mayWords(who: Who): string {
  const can = DOES.filter(([action]) => who.may.includes(action)).map(([, word]) => word);
  const last = can.pop();
  if (last === undefined) return "You may look at nothing here.";
  const which = who.sees_all ? "runs" : "runs, of those that are for you";
  return `You may ${can.length > 0 ? `${can.join(", ")} and ${last}` : last} ${which}.`;
}

/** Return what whoever has come by a link is told of it.
 *
 * @param now milliseconds since 1970
 */
export function guestWords(who: Who, now: number): string {
  const until = who.until === null ? Number.NaN : Date.parse(who.until);
  if (Number.isNaN(until)) return "You see this run by a link.";
  const seconds = (until - now) / 1000;
  if (seconds <= 0) return "You see this run by a link, which has expired. What is here stays.";
  const left = seconds < SOON_S ? `, for another ${duration(Math.ceil(seconds))}` : "";
  return `You see this run by a link, until ${minute(until)}${left}.`;
}
