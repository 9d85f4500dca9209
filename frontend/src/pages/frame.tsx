/** What every page has around it: the top, the way to the content, and the sheet of keys. */

import type { ComponentChildren } from "preact";
import { ConnectionState } from "../parts/connection";
import { Icon } from "../parts/icons";
import { isSheetOpen, KeySheet } from "../parts/keysheet";
import type { Server } from "./server";

export function Banner({ root, server, children }: { root: string; server: Server; children?: ComponentChildren }) {
  return (
    <>
      <a class="home" href={root}>
        <Icon name="tailrace" />
        Tailrace
      </a>
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
      </div>
      <KeySheet />
    </>
  );
}
