/** A run's terminal as it is now, to watch and to type in.
 *
 * What is on a terminal's screen is the sum of all that was written to it. A long output is not written from its begin:
 * that would take minutes. It is taken up `BEHIND_BYTES` before its end; a program that draws a whole screen has mostly
 * done so within that, and what came before is in the log.
 *
 * There is one size for all who watch: that of the window of the one who has begun to type last, or changed his window
 * since. Everybody else's screen follows, so nobody's size answers somebody else's.
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
/** Who types a key after so long without one begins to type. */
const BEGINS_MS = 5000;

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
  /** the size that the run's terminal has, as it was told last */
  #told: Size;
  /** what there was room for when that was last looked at */
  #room: Size | null = null;
  /** a size was asked for, and that is not answered yet: what is told meanwhile may be older */
  #isAsking = false;
  /** what it was before, unless something has been told since */
  #before: Size | null = null;
  #typedAt = Number.NEGATIVE_INFINITY;

  constructor(host: HTMLElement, { address, run, takesInput }: LiveOptions) {
    this.element = host.ownerDocument.createElement("div");
    this.element.className = "terminal-place";
    host.append(this.element);
    this.#takesInput = takesInput;
    this.#past = run.size;
    this.#begin = this.#written = Math.max(0, run.size - BEHIND_BYTES);
    this.#told = { rows: run.rows ?? ROWS, columns: run.columns ?? COLUMNS };
    const options = { ...this.#told, isPipe: run.rows === null, isReadOnly: !takesInput };
    this.#terminal = screenIn(this.element, options, () => this.#answers());
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.onData((text) => this.#type(text));
    this.#socket = new RunSocket(address, this.#begin);
    this.#socket.on((event) => this.#happened(event));
    this.#observer = new ResizeObserver(() => this.#soon(() => this.#refit()));
    this.#observer.observe(host);
    this.element.addEventListener("focusin", () => this.#soon(() => this.#fitAll()));
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
      this.#heed(event);
      this.#listeners.tell(event);
      return;
    }
    const { data, offset } = event.frame;
    this.#terminal.write(bounded(this.#decoder.decode(data, { stream: true })), () => {
      this.#written = offset + data.length;
      this.#socket.written(data.length);
    });
  }

  #heed(event: Exclude<SocketEvent, { kind: "output" }>): void {
    if (event.kind === "gap") this.#written = event.gap.to;
    else if (event.kind === "state" || event.kind === "end") this.#hear(event.run);
    else if (event.kind === "resized") this.#answered();
    else if (event.kind === "refused" && event.what === "resize") {
      this.#told = this.#before ?? this.#told;
      this.#answered();
    } else if (event.kind === "connection") {
      this.#isAsking = false;
      if (event.state === "open" && this.#room === null) this.#soon(() => this.#fitAll());
    }
  }

  #answered(): void {
    this.#isAsking = false;
    this.#follow();
  }

  #hear({ rows, columns }: Run): void {
    if (rows === null || columns === null) return;
    this.#told = { rows, columns };
    this.#before = null;
    this.#follow();
  }

  /** Have the size that the run's terminal has. */
  #follow(): void {
    const { rows, columns } = this.#told;
    const isOther = rows !== this.#terminal.rows || columns !== this.#terminal.cols;
    if (isOther && !this.#isAsking) this.#terminal.resize(columns, rows);
  }

  #type(text: string): void {
    const now = performance.now();
    if (now - this.#typedAt > BEGINS_MS) this.#fitAll();
    this.#typedAt = now;
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

  #soon(act: () => void): void {
    clearTimeout(this.#timer);
    if (this.#takesInput && this.#hasFocus) this.#timer = setTimeout(act, SETTLED_MS);
  }

  /** The room that there is here has changed, or only what is in it. */
  #refit(): void {
    const room = this.#roomHere();
    if (room && (room.rows !== this.#room?.rows || room.columns !== this.#room.columns)) this.#fitAll();
  }

  /** Give the run's terminal the size for which there is room here. */
  #fitAll(): void {
    const room = this.#takesInput ? this.#roomHere() : null;
    if (!room) return;
    const { rows, columns } = room;
    const isOther = rows !== this.#told.rows || columns !== this.#told.columns;
    const isAsked = isOther && this.#socket.resize(rows, columns);
    this.#room = isAsked || !isOther ? room : null;
    if (!isAsked) return;
    this.#isAsking = true;
    [this.#before, this.#told] = [this.#told, room];
    this.#terminal.resize(columns, rows);
  }

  #roomHere(): Size | null {
    const wanted = this.#fit.proposeDimensions();
    if (!wanted || !Number.isFinite(wanted.cols) || wanted.cols < 2 || wanted.rows < 2) return null;
    return { rows: wanted.rows, columns: wanted.cols };
  }
}

interface Size {
  rows: number;
  columns: number;
}
