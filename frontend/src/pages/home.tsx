/** The home page: the commands, each with its form, and the runs. */

import { useState } from "preact/hooks";
import type { Command } from "../core/shapes";
import { StartForm } from "../parts/form/form";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { isStacked } from "../parts/width";
import { type Given, seesPart } from "./given";
import { Listing } from "./list/listing";
import type { Server } from "./server";

const NO_START = "You may look at its runs, and not start it.";
/** commands, beyond which there is a field to find one */
const MANY = 10;
/** commands that do not hide the runs, even on a phone */
const FEW = 2;

export function Home({ given, server }: { given: Given; server: Server }) {
  return (
    <div class="overview">
      <h1 class="hidden">Commands and runs</h1>
      {given.notice && (
        <div class="wide">
          <Notice tone="bad">{given.notice}</Notice>
        </div>
      )}
      <Commands given={given} server={server} />
      <Listing server={server} root={given.root} commands={given.commands} isPart={seesPart(given)} />
    </div>
  );
}

function Commands({ given, server }: { given: Given; server: Server }) {
  const [wanted, setWanted] = useState("");
  const { commands } = given;
  const [isOpened, setOpened] = useState(commands.length <= FEW);
  const isOpen = isOpened || !isStacked.value;
  const shown = commands.filter((command) => isMeant(command, wanted));
  return (
    <section class="commands" aria-label="Commands">
      <h2>
        Commands
        {isStacked.value && (
          <button type="button" class="quiet" aria-expanded={isOpen} onClick={() => setOpened(!isOpened)}>
            {isOpen ? "Fewer" : `All ${commands.length}`}
            <Icon name={isOpen ? "up" : "down"} />
          </button>
        )}
      </h2>
      {isOpen && commands.length > MANY && (
        <div class="find-command">
          <input
            type="search"
            aria-label="Find a command"
            placeholder="Find a command"
            value={wanted}
            onInput={(event) => setWanted(event.currentTarget.value)}
          />
        </div>
      )}
      {commands.length === 0 && (
        <p class="nothing">No command is declared here. Runs that are started elsewhere can be watched.</p>
      )}
      {commands.length > 0 && !given.may.start && <p class="help">You may watch runs here, and not start any.</p>}
      <div class="cards">
        {isOpen && shown.map((command) => <Card key={command.name} command={command} given={given} server={server} />)}
      </div>
      {commands.length > 0 && shown.length === 0 && <p class="nothing">No command is called that.</p>}
    </section>
  );
}

function Card({ command, given, server }: { command: Command; given: Given; server: Server }) {
  return (
    <article class="card">
      <h2 class="name">
        <a href={`${given.root}commands/${command.name}`}>{command.title || command.name}</a>
      </h2>
      {command.description && <p class="about">{command.description}</p>}
      {(command.may?.includes("start") ?? given.may.start) && (
        <StartForm command={command} api={server.api} lead={(run) => location.assign(`${given.root}runs/${run.id}`)} />
      )}
      {given.may.start && command.may?.includes("start") === false && <p class="help">{NO_START}</p>}
    </article>
  );
}

function isMeant(command: Command, words: string): boolean {
  const text = `${command.name} ${command.title} ${command.description}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
