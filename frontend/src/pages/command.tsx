/** The page of a command: what it is, its form, and its runs. */

import type { Command } from "../core/shapes";
import type { Wrong } from "../parts/form/field";
import { StartForm } from "../parts/form/form";
import { Notice } from "../parts/notice";
import { type Given, seesPart } from "./given";
import { valuesIn } from "./handed";
import { Listing } from "./list/listing";
import type { Server } from "./server";

export function CommandPage({ given, server }: { given: Given; server: Server }) {
  const command = given.commands[0];
  if (!command) return <Notice tone="bad">The server did not say which command this is.</Notice>;
  return (
    <div class="overview">
      <Sheet command={command} given={given} server={server} />
      <Listing
        server={server}
        root={given.root}
        commands={given.commands}
        only={command.name}
        isPart={seesPart(given)}
      />
    </div>
  );
}

function Sheet({ command, given, server }: { command: Command; given: Given; server: Server }) {
  const handed = valuesIn(location.hash);
  const wrong = new Map(given.errors.map(({ subject, ...rest }): [string, Wrong] => [subject, rest]));
  return (
    <section class="sheet">
      <h1>{command.title || command.name}</h1>
      {command.description && <p class="about">{command.description}</p>}
      <Template argv={command.argv} />
      {(command.may?.includes("start") ?? given.may.start) ? (
        <StartForm
          command={command}
          api={server.api}
          known={{ ...given.values, ...handed }}
          wrong={wrong}
          lead={(run) => location.assign(`${given.root}runs/${run.id}`)}
        />
      ) : (
        <p class="help">You may look at its runs, and not start it. Whoever looks after this server can change that.</p>
      )}
    </section>
  );
}

/** Which words are the command's own, and which a parameter's. */
function Template({ argv }: { argv: readonly string[] }) {
  const pieces = argv.join(" ").split(/(\{\{|\}\}|\{[^{}]+\})/);
  return (
    <code class="template argv">
      {pieces.map((piece, index) => {
        if (piece === "{{" || piece === "}}") return piece.charAt(0);
        return /^\{.+\}$/.test(piece) ? <b key={index}>{piece.slice(1, -1)}</b> : piece;
      })}
    </code>
  );
}
