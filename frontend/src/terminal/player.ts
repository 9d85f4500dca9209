/** Plays a recording: each piece of output at its time, at any speed, from any moment.
 *
 * What a screen shows at a moment is the sum of what was written before. So a jump writes all up to that moment at once:
 * onward from where it is, or from the begin. Where that would be more than `MOST_AT_ONCE` bytes, it begins so many
 * before the moment, which is right for whatever has been drawn anew since.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import type { Piece } from "../core/shapes";

export const MOST_AT_ONCE = 8 << 20;
/** A silence is played in this many seconds at most, if `skipsSilence`. */
export const LONGEST_SILENCE_S = 1;
/** The screen is written to this far ahead at most; a piece that is due within it needs no timer. */
const SOON_S = 0.004;

export interface Screen {
  reset(): void;
  /** From here on it is written to a screen of this size. */
  resize(rows: number, columns: number): void;
  /** Write the text; the promise is kept when it is on the screen. */
  write(text: string): Promise<void>;
}

export interface Tape {
  /** Yield what was written from the offset on. */
  read(offset: number, signal: AbortSignal): AsyncIterable<Piece>;
  /** Return how far the output had come at a time. */
  offsetAt(seconds: number): Promise<number>;
}

export interface PlayerState {
  isPlaying: boolean;
  /** in seconds since the start of the run */
  position: number;
  isAtEnd: boolean;
  /** output is being written up to a moment */
  isSeeking: boolean;
  failure: string | null;
}

export class Player {
  readonly #screen: Screen;
  readonly #tape: Tape;
  readonly #now: () => number;
  readonly #listeners = new Listeners<PlayerState>();
  #state: PlayerState = { isPlaying: false, position: 0, isAtEnd: false, isSeeking: false, failure: null };
  #speed = 1;
  skipsSilence = true;
  /** at what time the position was what it is */
  #since = 0;
  /** up to which moment pieces are written without waiting */
  #target = 0;
  /** where the last piece began */
  #offset = 0;
  #isReading = false;
  #abort = new AbortController();
  #wake: () => void = () => undefined;

  /** `now` is a clock in seconds, which never goes back. */
  constructor(screen: Screen, tape: Tape, now: () => number = () => performance.now() / 1000) {
    this.#screen = screen;
    this.#tape = tape;
    this.#now = now;
  }

  on(listener: (state: PlayerState) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  get state(): PlayerState {
    return { ...this.#state, position: this.#position() };
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#settle();
    this.#speed = speed;
    this.#wake();
  }

  play(): void {
    if (this.#state.isAtEnd) {
      void this.seek(0).then(() => this.play());
      return;
    }
    this.#since = this.#now();
    this.#set({ isPlaying: true });
    this.#wake();
  }

  pause(): void {
    this.#settle();
    this.#set({ isPlaying: false });
    this.#wake();
  }

  /** Show what there was at this moment, and go on from there, playing or not as before. */
  async seek(seconds: number): Promise<void> {
    const { isAtEnd, failure, position } = this.state;
    const isOnward = seconds >= position && this.#isReading && !isAtEnd && failure === null;
    const abort = isOnward ? this.#abort : this.#begin();
    this.#set({ position: seconds, isAtEnd: false, isSeeking: true, failure: null });
    try {
      const offset = await this.#tape.offsetAt(seconds);
      if (abort.signal.aborted) return;
      const isNear = isOnward && offset - this.#offset <= MOST_AT_ONCE;
      this.#target = seconds;
      if (isNear) this.#wake();
      else this.#restart(Math.max(0, offset - MOST_AT_ONCE));
    } catch (error) {
      this.#failed(abort.signal, error);
    }
  }

  #restart(offset: number): void {
    const { signal } = this.#begin();
    this.#screen.reset();
    this.#offset = offset;
    void this.#run(signal);
  }

  dispose(): void {
    this.#abort.abort();
    this.#wake();
  }

  #begin(): AbortController {
    this.#abort.abort();
    this.#wake();
    this.#abort = new AbortController();
    this.#isReading = false;
    return this.#abort;
  }

  async #run(signal: AbortSignal): Promise<void> {
    this.#isReading = true;
    let isFirst = true;
    try {
      for await (const piece of this.#tape.read(this.#offset, signal)) {
        if (isFirst) this.#resize(piece); // before it, the screen is empty, and of that size
        isFirst = false;
        await this.#due(piece.time ?? this.#state.position, signal);
        if (signal.aborted) return;
        this.#resize(piece);
        await this.#screen.write(piece.text);
        if (signal.aborted) return;
        this.#offset = piece.offset;
      }
      this.#ended(signal);
    } catch (error) {
      this.#failed(signal, error);
    }
  }

  #resize({ rows, columns }: Piece): void {
    if (rows && columns) this.#screen.resize(rows, columns);
  }

  /** Wait until it is the time. */
  async #due(time: number, signal: AbortSignal): Promise<void> {
    while (time > this.#target) {
      if (this.#state.isSeeking) this.#set({ isSeeking: false });
      this.#skipSilence(time);
      const rest = time - this.#position();
      if (signal.aborted || (this.#state.isPlaying && rest <= SOON_S)) break;
      await this.#sleep(this.#state.isPlaying ? rest / this.#speed : Number.POSITIVE_INFINITY);
      if (signal.aborted) break;
    }
  }

  #skipSilence(time: number): void {
    if (!this.skipsSilence || !this.#state.isPlaying) return;
    const longest = LONGEST_SILENCE_S * this.#speed;
    if (time - this.#position() > longest) this.#set({ position: time - longest });
  }

  #sleep(seconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(seconds)
        ? setTimeout(() => this.#wake(), Math.min(seconds, 3600) * 1000)
        : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = () => undefined;
        resolve();
      };
    });
  }

  #position(): number {
    const { isPlaying, isSeeking, position } = this.#state;
    return isPlaying && !isSeeking ? position + (this.#now() - this.#since) * this.#speed : position;
  }

  #settle(): void {
    this.#set({ position: this.#position() });
  }

  #ended(signal: AbortSignal): void {
    if (!signal.aborted) this.#set({ isPlaying: false, isSeeking: false, isAtEnd: true });
  }

  #failed(signal: AbortSignal, error: unknown): void {
    if (signal.aborted) return;
    this.#settle();
    this.#set({ isPlaying: false, isSeeking: false, failure: error instanceof Error ? error.message : String(error) });
  }

  #set(changes: Partial<PlayerState>): void {
    const position = changes.position ?? this.#position();
    this.#since = this.#now();
    this.#state = { ...this.#state, ...changes, position };
    this.#listeners.tell(this.state);
  }
}
