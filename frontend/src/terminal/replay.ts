/** A finished run, played again on a terminal at the speed that it had. */

import type { Terminal } from "@xterm/xterm";
import type { LinePage, Run } from "../core/shapes";
import { bounded } from "./marks";
import { Player, type Screen, type Tape } from "./player";
import { recording } from "./recording";
import { screenIn } from "./screen";

const [ROWS, COLUMNS] = [24, 80];

export class Replay {
  readonly element: HTMLElement;
  readonly player: Player;
  readonly #terminal: Terminal;

  /** `address` is that of the run in the API, absolute. */
  constructor(host: HTMLElement, address: string, run: Run) {
    this.element = host.ownerDocument.createElement("div");
    this.element.className = "terminal-place";
    host.append(this.element);
    const size = { rows: run.rows ?? ROWS, columns: run.columns ?? COLUMNS };
    this.#terminal = screenIn(this.element, { ...size, isPipe: run.rows === null, isReadOnly: true }, () => false);
    this.player = new Player(screenOf(this.#terminal), tapeOf(address));
  }

  dispose(): void {
    this.player.dispose();
    this.#terminal.dispose();
    this.element.remove();
  }
}

function screenOf(terminal: Terminal): Screen {
  return {
    reset: () => terminal.reset(),
    resize: (rows, columns) => terminal.resize(columns, rows),
    write: (text) => new Promise((resolve) => terminal.write(bounded(text), resolve)),
  };
}

function tapeOf(address: string): Tape {
  return {
    read: (offset, signal) => recording(address, offset, signal),
    async offsetAt(seconds) {
      const response = await fetch(`${address}/lines?time=${seconds.toFixed(6)}&count=1`);
      if (!response.ok) throw new Error(`the moment cannot be found: ${response.statusText}`);
      const page = (await response.json()) as LinePage;
      return page.lines[0]?.offset ?? page.size;
    },
  };
}
