/** A run's output as bytes, and what is typed into it, over one WebSocket that comes back by itself.
 *
 * A browser takes what a WebSocket brings whether or not anybody can use it yet. So whoever takes the output says when
 * it has been written, and while more than `MOST_PENDING` bytes wait for that the socket is closed: the server then reads
 * the file for nobody, and the next socket begins at the byte behind the last that was taken. Nothing is lost by it.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Gap, Run } from "../core/shapes";
import { type Frame, frameOf, SUBPROTOCOL } from "./frames";
import { Typing } from "./typing";

export type SocketEvent =
  | { kind: "output"; frame: Frame }
  | { kind: "state"; run: Run }
  | { kind: "end"; run: Run }
  | { kind: "gap"; gap: Gap }
  /** so many bytes wait at the server: `skip` leaves them out */
  | { kind: "lagging"; behind: number }
  /** what was asked could not be done */
  | { kind: "refused"; what: string; detail: string; hint: string }
  /** the terminal has been given the size that was asked for */
  | { kind: "resized" }
  | { kind: "connection"; state: "connecting" | "open" | "waiting" | "closed"; why?: string };

type Ask =
  | { type: "input"; text: string }
  | { type: "close-input" }
  | { type: "resize"; rows: number; columns: number }
  | { type: "skip" };

/** bytes that may wait to be written; as much as xterm.js writes in some tenth of a second */
const MOST_PENDING = 2 << 20;
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** with which the server says that there is nothing to come back for */
const DONE = 1000;
/** the status of an input that the command does not read */
const BUSY = 429;

export class RunSocket {
  readonly #address: string;
  readonly #listeners = new Listeners<SocketEvent>();
  #socket: WebSocket | null = null;
  #offset: number;
  #pending = 0;
  #isDraining = false;
  #isClosed = false;
  readonly #typing = new Typing((text) => this.#ask({ type: "input", text }));
  #wait = FIRST_WAIT_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `address` is that of the run in the API, absolute; output comes from `offset` on. */
  constructor(address: string, offset: number) {
    this.#address = `${address.replace(/^http/, "ws")}/socket`;
    this.#offset = offset;
  }

  on(listener: (event: SocketEvent) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  /** where the next byte of output lies */
  get offset(): number {
    return this.#offset;
  }

  open(): void {
    if (this.#isClosed || this.#socket) return;
    clearTimeout(this.#timer);
    this.#listeners.tell({ kind: "connection", state: "connecting" });
    const socket = new WebSocket(`${this.#address}?from=${this.#offset}`, SUBPROTOCOL);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#opened();
    socket.onmessage = (event: MessageEvent<ArrayBuffer | string>) => this.#received(socket, event.data);
    socket.onclose = (event) => this.#lost(socket, event.code, event.reason);
    this.#socket = socket;
  }

  /** Tell that so many bytes of output have been written. */
  written(bytes: number): void {
    this.#pending -= bytes;
    if (this.#isDraining && this.#pending === 0) {
      this.#isDraining = false;
      this.open();
    }
  }

  /** Type this, behind what was typed before; while there is no connection it is kept. Tell whether it could be. */
  type(text: string): boolean {
    return !this.#isClosed && this.#typing.add(text);
  }

  closeInput(): boolean {
    return this.#ask({ type: "close-input" });
  }

  resize(rows: number, columns: number): boolean {
    return this.#ask({ type: "resize", rows, columns });
  }

  skip(): boolean {
    return this.#ask({ type: "skip" });
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#typing.drop();
    this.#drop();
  }

  #ask(ask: Ask): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ ...ask, id: ask.type }));
    return true;
  }

  #opened(): void {
    this.#wait = FIRST_WAIT_MS;
    this.#listeners.tell({ kind: "connection", state: "open" });
    this.#typing.resume();
  }

  #received(socket: WebSocket, data: ArrayBuffer | string): void {
    if (socket !== this.#socket) return;
    if (typeof data === "string") this.#told(data);
    else this.#output(data);
  }

  #output(data: ArrayBuffer): void {
    const frame = frameOf(data);
    if (!frame) return;
    this.#offset = frame.offset + frame.data.length;
    this.#pending += frame.data.length;
    this.#listeners.tell({ kind: "output", frame });
    if (this.#pending > MOST_PENDING) {
      this.#isDraining = true;
      this.#drop();
    }
  }

  #told(text: string): void {
    const message = JSON.parse(text) as { type: string } & Record<string, unknown>;
    const { type } = message;
    if (type === "state" || type === "end") this.#listeners.tell({ kind: type, run: message as unknown as Run });
    else if (type === "gap") {
      const gap = message as unknown as Gap;
      this.#offset = gap.to;
      this.#listeners.tell({ kind: "gap", gap });
    } else if (type === "lagging") this.#listeners.tell({ kind: "lagging", behind: Number(message["behind"]) });
    else if (type === "reply" && message["to"] === "input") this.#typing.taken();
    else if (type === "reply" && message["to"] === "resize") this.#listeners.tell({ kind: "resized" });
    else if (type === "error") this.#refused(message);
  }

  #refused(message: Record<string, unknown>): void {
    const isInput = message["to"] === "input";
    if (isInput && message["status"] === BUSY) {
      this.#typing.busy();
      return;
    }
    if (isInput) this.#typing.drop();
    const [what, detail, hint] = [message["to"], message["detail"], message["hint"]].map(String);
    this.#listeners.tell({ kind: "refused", what: what ?? "", detail: detail ?? "", hint: hint ?? "" });
  }

  #lost(socket: WebSocket, code: number, reason: string): void {
    if (socket !== this.#socket) return;
    this.#socket = null;
    this.#typing.lost();
    if (code === DONE || this.#isClosed) {
      this.#isClosed = true;
      this.#listeners.tell({ kind: "connection", state: "closed" });
      return;
    }
    this.#listeners.tell({ kind: "connection", state: "waiting", why: reason || "the connection was lost" });
    this.#timer = setTimeout(() => this.open(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(LONGEST_WAIT_MS, this.#wait * 2);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}
