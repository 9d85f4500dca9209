/** The text of a stretch of rows, of which some may have to be fetched. */

import type { Row } from "../core/row";
import type { Source } from "./source";
import { gapText } from "./view-row";
import { type Point, selectedIn } from "./view-selection";

/** What can be copied, in UTF-16 units of text and in bytes of output; who wants more downloads it. */
export const MOST = 5_000_000;

/** Rows fetched at once. */
const STEP = 200;

/** How long rows may take to come, in milliseconds. */
const PATIENCE_MS = 20_000;

export interface Copied {
  text: string;
  /** lines that are longer than what is here, and so end early */
  cut: number;
}

export class TooMuch extends Error {}

/** A copy under way. */
export class Copying {
  readonly #source: Source;
  readonly #from: Point;
  readonly #to: Point;
  readonly #colours: boolean;
  readonly #parts: string[] = [];
  #size = 0;
  #cut = 0;
  #next: number;

  /** @param colours whether rows are copied whole and as they came, with their escape codes */
  constructor(source: Source, from: Point, to: Point, { colours }: { colours: boolean }) {
    this.#source = source;
    this.#from = from;
    this.#to = to;
    this.#colours = colours;
    this.#next = from.index;
  }

  /** Return the text if all of it is here; null: something must be fetched. Raises `TooMuch`. */
  now(): Copied | null {
    this.#refuseByOffsets();
    this.#take(this.#to.index + 1);
    return this.#isDone ? this.#copied() : null;
  }

  /** Return the text, with what must be fetched. Raises `TooMuch`, or what went wrong. */
  async all(signal: AbortSignal): Promise<Copied> {
    // The last row first: it tells how much it is, before all of it is fetched only to be refused.
    if (this.#source.row(this.#to.index) === undefined) {
      await here(this.#source, this.#to.index, this.#to.index + 1, signal);
    }
    this.#refuseByOffsets();
    this.#take(this.#to.index + 1);
    while (!this.#isDone) {
      const last = Math.min(this.#next + STEP, this.#to.index + 1);
      await here(this.#source, this.#next, last, signal);
      this.#take(last);
    }
    return this.#copied();
  }

  get #isDone(): boolean {
    return this.#next > this.#to.index;
  }

  /** Where both ends are known there is no need to fetch anything to see that it is too much. */
  #refuseByOffsets(): void {
    const first = this.#from.index === 0 ? 0 : this.#source.row(this.#from.index)?.offset;
    const last = this.#source.row(this.#to.index)?.offset;
    if (first !== undefined && last !== undefined && last - first > MOST) throw new TooMuch();
  }

  #take(last: number): void {
    for (; this.#next < last; this.#next += 1) {
      const row = this.#source.row(this.#next);
      if (row === undefined) return;
      const text = this.#textOf(row);
      this.#size += text.length + 1;
      if (this.#size > MOST) throw new TooMuch();
      this.#parts.push(text);
      if (row.continued) this.#cut += 1;
    }
  }

  #textOf(row: Row): string {
    if (row.gap !== undefined) return `[${gapText(row.gap)}]`;
    return this.#colours ? row.raw : selectedIn(row, this.#next, this.#from, this.#to);
  }

  #copied(): Copied {
    const text = this.#parts.join("\n");
    return { text: this.#colours ? `${text}\x1b[0m` : text, cut: this.#cut };
  }
}

/** Wait until rows [first, last) are here. */
function here(source: Source, first: number, last: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const isHere = () => {
      for (let index = first; index < last; index += 1) if (source.row(index) === undefined) return false;
      return true;
    };
    const end = (finish: () => void) => {
      stop();
      clearTimeout(late);
      signal.removeEventListener("abort", abort);
      finish();
    };
    const abort = () => end(() => reject(new Error("given up")));
    const late = setTimeout(() => end(() => reject(new Error("the rows did not come"))), PATIENCE_MS);
    const stop = source.on((event) => {
      if (event.kind === "failed") end(() => reject(new Error(event.message)));
      else if (event.kind === "moved") end(() => reject(new Error("the rows were counted meanwhile; try again")));
      else if (isHere()) end(resolve);
    });
    signal.addEventListener("abort", abort);
    source.want(first, last);
    if (isHere()) end(resolve);
  });
}
