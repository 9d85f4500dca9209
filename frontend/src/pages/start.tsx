/** The beginning: reads what the server gave, and puts the live page in the place of the plain one. */

import { type ComponentChildren, render } from "preact";
import { Api } from "../net/api";
import { openFeed } from "../net/feeds";
import { Guard } from "../parts/guard";
import { addKeys, type Key, listenToKeys } from "../parts/keys";
import { SHEET_KEY } from "../parts/keysheet";
import { setServerTime, startClock } from "../parts/now";
import { watchSession } from "../parts/session";
import { CommandPage } from "./command";
import { Banner } from "./frame";
import { type Given, readGiven } from "./given";
import { Home } from "./home";
import { ProblemPage } from "./problem";
import { RunPage } from "./run/run";
import type { Server } from "./server";
import { Several } from "./several";

/** Make the page alive. Where nothing was given, or not by this server, it stays as it is. */
export function start(page: Document): void {
  const given = readGiven(page);
  const main = page.querySelector("main");
  const banner = page.querySelector<HTMLElement>("header.banner");
  if (given === null || main === null || banner === null) return;
  const api = new Api({ root: given.root });
  const server: Server = { api, feed: openFeed(api) };
  startClock();
  api.onTime(setServerTime);
  listenToKeys();
  addKeys(given.who?.via === "share" ? [SHEET_KEY] : [SHEET_KEY, homeKey(given)]);
  watchSession(api, server.feed, given.who);
  main.classList.add(`on-${given.page}`);
  replace(main, <Guard>{pageOf(given, server)}</Guard>);
  replace(banner, <Banner root={given.root} who={given.who} server={server} />);
  addSkipLink(page, main);
}

function pageOf(given: Given, server: Server): ComponentChildren {
  switch (given.page) {
    case "home":
      return <Home given={given} server={server} />;
    case "command":
      return <CommandPage given={given} server={server} />;
    case "run":
      return <RunPage given={given} server={server} />;
    case "runs":
      return <Several given={given} server={server} />;
    case "problem":
      return <ProblemPage given={given} />;
  }
}

function replace(place: HTMLElement, content: ComponentChildren): void {
  place.replaceChildren();
  render(content, place);
}

function homeKey(given: Given): Key {
  return { key: "H", does: "go to all runs", group: "Everywhere", act: () => location.assign(given.root) };
}

function addSkipLink(page: Document, main: HTMLElement): void {
  main.tabIndex = -1;
  main.id ||= "main";
  const link = Object.assign(page.createElement("a"), { className: "skip", href: `#${main.id}` });
  link.textContent = "To the content";
  link.addEventListener("click", (event) => {
    event.preventDefault(); // what is behind # says other things here
    main.focus();
  });
  page.body.prepend(link);
}
