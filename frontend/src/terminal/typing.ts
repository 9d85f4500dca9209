/** What is typed, on its way: in order, a piece at a time, the next when the one before has been taken.
 *
 * A pipe that its command does not read is full at some time; then the piece is offered again after a while. A piece that
 * was under way when the connection was lost is not sent again: it may have arrived, and typing twice is worse than not.
 */

/** characters in a message: well below the 64 KiB that the server takes, whatever they are */
const PIECE = 8192;
/** characters that wait, a long paste included; what would go beyond is refused as a whole */
export const MOST_WAITING = 1 << 20;
const AGAIN_MS = 250;

export class Typing {
  readonly #send: (text: string) => boolean;
  #waiting = "";
  #underWay = "";
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` gives a piece to the connection, and tells whether there is one. */
  constructor(send: (text: string) => boolean) {
    this.#send = send;
  }

  /** Tell whether there was room for this. */
  add(text: string): boolean {
    if (this.#waiting.length + text.length > MOST_WAITING) return false;
    this.#waiting += text;
    this.resume();
    return true;
  }

  /** There is a connection, or there may be. */
  resume(): void {
    if (this.#underWay || !this.#waiting) return;
    const piece = this.#waiting.slice(0, border(this.#waiting));
    if (!this.#send(piece)) return;
    this.#underWay = piece;
    this.#waiting = this.#waiting.slice(piece.length);
  }

  /** The piece under way has arrived. */
  taken(): void {
    this.#underWay = "";
    this.resume();
  }

  /** The piece under way was not taken: nobody reads. */
  busy(): void {
    this.#waiting = this.#underWay + this.#waiting;
    this.#underWay = "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.resume(), AGAIN_MS);
  }

  lost(): void {
    this.#underWay = "";
    clearTimeout(this.#timer);
  }

  drop(): void {
    this.lost();
    this.#waiting = "";
  }
}

/** Return where the first piece ends: not within a character of two units. */
function border(text: string): number {
  if (text.length <= PIECE) return text.length;
  const code = text.charCodeAt(PIECE - 1);
  return code >= 0xd800 && code < 0xdc00 ? PIECE - 1 : PIECE;
}
