/** What every page has around it: the top, the way to the content, and the sheet of keys. */

import type { ComponentChildren } from "preact";
import type { Who } from "../core/shapes";
import { ConnectionState } from "../parts/connection";
import { Icon } from "../parts/icons";
import { isSheetOpen, KeySheet } from "../parts/keysheet";
import { SessionNotice } from "../parts/session";
import { WhoMenu } from "../parts/who";
import type { Server } from "./server";

interface Parts {
  root: string;
  /** null: nobody is asked who he is */
  who: Who | null;
  server: Server;
  children?: ComponentChildren;
}

export function Banner({ root, who, server, children }: Parts) {
  const isGuest = who?.via === "share";
  return (
    <>
      <Home root={isGuest ? null : root} />
      {children}
      <div class="rest">
        <ConnectionState feed={server.feed} />
        <button
          type="button"
          class="quiet icon"
          aria-label="Keys"
          title="Keys (?)"
          onClick={() => {
            isSheetOpen.value = true;
          }}
        >
          <Icon name="keys" />
        </button>
        {who?.name && !isGuest && <WhoMenu who={who} root={root} />}
      </div>
      <SessionNotice who={who} root={root} />
      <KeySheet />
    </>
  );
}

/** The name leads to all runs, where those are for him. */
function Home({ root }: { root: string | null }) {
  const name = (
    <>
      <Icon name="tailrace" />
      Tailrace
    </>
  );
  return root === null ? (
    <span class="home">{name}</span>
  ) : (
    <a class="home" href={root}>
      {name}
    </a>
  );
}
