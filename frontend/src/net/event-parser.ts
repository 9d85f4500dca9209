/** An event stream taken apart (WHATWG HTML, 9.2.6): lines end at CR, LF or CRLF, and may be split anywhere. */

export interface ServerEvent {
  name: string;
  data: string;
  /** the last id so far, of this event or an earlier one */
  id: string;
}

/** Of a line, or of the data of one event. The server's own are below 1 MiB; what is longer is not from it, and ends the
 * connection rather than fill the memory. */
export const MOST_CHARS = 8 << 20;

export class EventParser {
  /** the last id that was committed; empty: none */
  id = "";
  /** as the server wants it, in milliseconds */
  retryMs: number | null = null;

  readonly #take: (event: ServerEvent) => void;
  readonly #takeId: ((id: string) => void) | null;
  #held: string[] = [];
  #heldChars = 0;
  #isAfterCr = false;
  #name = "";
  #nextId: string | null = null;
  #data: string[] = [];
  #dataChars = 0;

  /** `take` gets each event; `takeId` each id, also those of blocks without data, before the block's event. */
  constructor(take: (event: ServerEvent) => void, takeId?: (id: string) => void) {
    this.#take = take;
    this.#takeId = takeId ?? null;
  }

  /** Take the next text. Throws a RangeError where something is too long. */
  add(text: string): void {
    let from = this.#isAfterCr && text.startsWith("\n") ? 1 : 0;
    if (text !== "") this.#isAfterCr = false;
    let cr = text.indexOf("\r", from);
    for (;;) {
      const lf = text.indexOf("\n", from);
      if (cr !== -1 && cr < from) cr = text.indexOf("\r", from);
      const isCr = cr !== -1 && (lf === -1 || cr < lf);
      const at = isCr ? cr : lf;
      if (at === -1) break;
      this.#line(this.#whole(text.slice(from, at)));
      from = at + 1;
      if (isCr && from === text.length) this.#isAfterCr = true;
      else if (isCr && text[from] === "\n") from += 1;
    }
    if (from < text.length) this.#hold(text.slice(from));
  }

  #hold(text: string): void {
    this.#held.push(text);
    this.#heldChars += text.length;
    if (this.#heldChars > MOST_CHARS) throw new RangeError("a line of the event stream is too long");
  }

  #whole(rest: string): string {
    if (this.#held.length === 0) return rest;
    const line = this.#held.join("") + rest;
    this.#held = [];
    this.#heldChars = 0;
    return line;
  }

  #line(line: string): void {
    if (line === "") this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
    if (name === "data") this.#addData(value);
    else if (name === "event") this.#name = value;
    else if (name === "id" && !value.includes("\0")) this.#nextId = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
  }

  #addData(value: string): void {
    this.#data.push(value);
    this.#dataChars += value.length + 1;
    if (this.#dataChars > MOST_CHARS) throw new RangeError("an event of the event stream is too long");
  }

  #dispatch(): void {
    if (this.#nextId !== null) this.id = this.#nextId;
    if (this.#nextId !== null) this.#takeId?.(this.id);
    const [name, data] = [this.#name, this.#data];
    this.#name = "";
    this.#data = [];
    this.#dataChars = 0;
    this.#nextId = null;
    if (data.length > 0) this.#take({ name: name || "message", data: data.join("\n"), id: this.id });
  }
}
