/** The terminal of a run, or its replay, in place of the lines: fetched when somebody wants it. */

import { useEffect, useState } from "preact/hooks";
import { Notice } from "../../parts/notice";
import type { PanelProps, TerminalPanel } from "../../terminal/panel";

export function Screen(props: PanelProps) {
  const [Panel, setPanel] = useState<typeof TerminalPanel | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  useEffect(() => {
    import("../../terminal").then(
      (terminal) => setPanel(() => terminal.TerminalPanel),
      (error: unknown) => setFailure(String(error)),
    );
  }, []);
  if (failure !== null)
    return <Notice tone="bad">The terminal could not be fetched: {failure}. Reload the page.</Notice>;
  return Panel ? <Panel {...props} /> : <p class="quiet">Fetching the terminal…</p>;
}
