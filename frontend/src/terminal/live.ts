/** A run's terminal as it is now, to watch and to type in.
 *
 * What is on a terminal's screen is the sum of all that was written to it. A long output is not written from its begin:
 * that would take minutes. It is taken up `BEHIND_BYTES` before its end; a program that draws a whole screen has mostly
 * done so within that, and what came before is in the log.
 */

import { FitAddon } from "@xterm/addon-fit";
import type { Terminal } from "@xterm/xterm";
import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Run } from "../core/shapes";
import { shortSize } from "../core/words";
import { bounded } from "./marks";
import { screenIn } from "./screen";
import { RunSocket, type SocketEvent } from "./socket";

const BEHIND_BYTES = 4 << 20;
const [ROWS, COLUMNS] = [24, 80];
/** after the last change of the element's size */
const SETTLED_MS = 150;

export interface LiveOptions {
  /** of the run in the API, absolute */
  address: string;
  run: Run;
  /** whether this reader may type */
  takesInput: boolean;
}

/** What there is to tell beside the screen. */
export type LiveEvent =
  | Exclude<SocketEvent, { kind: "output" }>
  /** output before this offset is not on the screen */
  | { kind: "begins"; offset: number; words: string };

export class LiveTerminal {
  readonly element: HTMLElement;
  readonly #socket: RunSocket;
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #decoder = new TextDecoder();
  readonly #listeners = new Listeners<LiveEvent>();
  readonly #observer: ResizeObserver;
  readonly #takesInput: boolean;
  readonly #begin: number;
  /** what the run had written when this was made: questions before that were answered long ago, or never */
  readonly #past: number;
  #written: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, { address, run, takesInput }: LiveOptions) {
    this.element = host.ownerDocument.createElement("div");
    this.element.className = "terminal-place";
    host.append(this.element);
    this.#takesInput = takesInput;
    this.#past = run.size;
    this.#begin = this.#written = Math.max(0, run.size - BEHIND_BYTES);
    const size = { rows: run.rows ?? ROWS, columns: run.columns ?? COLUMNS };
    const options = { ...size, isPipe: run.rows === null, isReadOnly: !takesInput };
    this.#terminal = screenIn(this.element, options, () => this.#answers());
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.onData((text) => this.#type(text));
    this.#socket = new RunSocket(address, this.#begin);
    this.#socket.on((event) => this.#happened(event));
    this.#observer = new ResizeObserver(() => this.#sized());
    this.#observer.observe(host);
    this.element.addEventListener("focusin", () => this.#sized());
  }

  on(listener: (event: LiveEvent) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  open(): void {
    if (this.#begin > 0) {
      const words = `The screen begins ${shortSize(BEHIND_BYTES)} before the end; the log has all of it.`;
      this.#listeners.tell({ kind: "begins", offset: this.#begin, words });
    }
    this.#socket.open();
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Leave out what waits, and go on with what is written now. */
  skip(): boolean {
    return this.#socket.skip();
  }

  closeInput(): boolean {
    return this.#socket.closeInput();
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    this.#socket.close();
    this.#terminal.dispose();
    this.element.remove();
  }

  #happened(event: SocketEvent): void {
    if (event.kind !== "output") {
      if (event.kind === "gap") this.#written = event.gap.to;
      if (event.kind === "connection" && event.state === "open") this.#sized();
      this.#listeners.tell(event);
      return;
    }
    const { data, offset } = event.frame;
    this.#terminal.write(bounded(this.#decoder.decode(data, { stream: true })), () => {
      this.#written = offset + data.length;
      this.#socket.written(data.length);
    });
  }

  #type(text: string): void {
    if (this.#takesInput && !this.#socket.type(text))
      this.#listeners.tell({
        kind: "refused",
        what: "input",
        detail: "the command does not read what is typed",
        hint: "wait until it does, or stop it",
      });
  }

  /** Only the reader who types answers, and only what is asked now. */
  #answers(): boolean {
    return this.#takesInput && this.#hasFocus && this.#written >= this.#past;
  }

  get #hasFocus(): boolean {
    return document.hasFocus() && this.element.contains(document.activeElement);
  }

  /** The terminal gets the size of the element of the reader who types; others see what does not fit by scrolling. */
  #sized(): void {
    clearTimeout(this.#timer);
    if (this.#takesInput && this.#hasFocus) this.#timer = setTimeout(() => this.#resize(), SETTLED_MS);
  }

  #resize(): void {
    const wanted = this.#fit.proposeDimensions();
    if (!wanted || !Number.isFinite(wanted.cols) || wanted.cols < 2 || wanted.rows < 2) return;
    const { rows } = wanted;
    if (wanted.cols === this.#terminal.cols && rows === this.#terminal.rows) return;
    if (this.#socket.resize(rows, wanted.cols)) this.#terminal.resize(wanted.cols, rows);
  }
}
