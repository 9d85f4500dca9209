/** The line that is typed into a run: Enter sends it, Ctrl+D in an empty one ends the input. */

import { useRef, useState } from "preact/hooks";
import type { Api } from "../../net/api";
import { announce } from "../../parts/announce";
import { Fault } from "../../parts/faults";
import { Icon } from "../../parts/icons";

/** lines that the arrow keys bring back */
const MOST_LINES = 100;

export function Typing({ api, runId }: { api: Api; runId: string }) {
  const [text, setText] = useState("");
  const [isOver, setOver] = useState(false);
  const [fault, setFault] = useState<unknown>(null);
  const [isWaiting, setWaiting] = useState(false);
  const lines = useRef<string[]>([]);
  const at = useRef(0);

  const attempt = async (what: () => Promise<unknown>, done: () => void) => {
    setFault(null);
    try {
      await what();
      done();
    } catch (error) {
      setFault(error);
    }
  };
  const send = () =>
    attempt(
      async () => setWaiting(!(await api.input(runId, `${text}\n`))),
      () => {
        lines.current = [...lines.current, text].slice(-MOST_LINES);
        at.current = lines.current.length;
        setText("");
      },
    );
  const end = () =>
    attempt(
      () => api.closeInput(runId),
      () => {
        setOver(true);
        announce("Its input is at its end");
      },
    );
  const press = (event: KeyboardEvent) => {
    if (event.key === "d" && event.ctrlKey && text === "") {
      event.preventDefault();
      void end();
    }
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    at.current = Math.min(Math.max(0, at.current + step), lines.current.length);
    setText(lines.current[at.current] ?? "");
  };

  if (isOver) return <p class="typing-over dim">Its input is at its end.</p>;
  return (
    <>
      {fault !== null && <Fault error={fault} />}
      <form
        class="typing"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <input
          type="text"
          aria-label="Input, a line"
          placeholder={isWaiting ? "it lies ready; the command has not read it yet" : "type a line for the command"}
          value={text}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          data-typing
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={press}
        />
        <button type="submit">
          <Icon name="send" />
          Send
        </button>
        <button type="button" class="quiet" title="End of input (Ctrl+D)" onClick={() => void end()}>
          End input
        </button>
      </form>
    </>
  );
}
