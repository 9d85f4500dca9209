/** A source for trying the view: as many rows as wanted, made when they are asked for, with latency, growth, estimates. */

import { Listeners, type Unsubscribe } from "../../src/core/listeners";
import type { Row } from "../../src/core/row";
import { toRow } from "../../src/core/rows";
import type { Source, SourceEvent } from "../../src/log/source";

export interface Making {
  count: number;
  /** until rows come, in milliseconds */
  latency: number;
  /** rows a second that are added */
  rate: number;
  /** rows that an estimate is wrong by; null: all are counted */
  wrongBy: number | null;
  text: (index: number) => string;
  isComplete: boolean;
}

/** Bytes that each row is said to take. */
export const BYTES = 100;

/** Rows kept; the least recently made go. */
const KEPT = 2000;

export class RowsSource implements Source {
  readonly #making: Making;
  readonly #listeners = new Listeners<SourceEvent>();
  readonly #rows = new Map<number, Row>();
  #asked: ReturnType<typeof setTimeout> | undefined;
  #growing: ReturnType<typeof setInterval> | undefined;
  #events = 0;
  #truth: number;
  #grownFrom = Number.POSITIVE_INFINITY;
  count: number;
  isCounted: boolean;
  isComplete: boolean;
  counted = 1;
  startedAt: number | null = Date.UTC(2026, 10, 27, 10, 0, 0);
  /** spans that were wanted */
  readonly wants: [number, number][] = [];

  constructor(making: Partial<Making> = {}) {
    this.#making = {
      count: 100_000_000,
      latency: 0,
      rate: 0,
      wrongBy: null,
      text: textOf,
      isComplete: true,
      ...making,
    };
    this.#truth = this.#making.count;
    this.count = this.#truth - (this.#making.wrongBy ?? 0);
    this.isCounted = this.#making.wrongBy === null;
    this.isComplete = this.#making.isComplete;
    if (this.#making.rate > 0) this.flow(this.#making.rate);
  }

  get events(): number {
    return this.#events;
  }

  /** What has come by itself is made when it is looked at: a flood costs no more than what is seen of it. */
  row(index: number): Row | undefined {
    if (index >= this.#grownFrom && index >= this.count - KEPT / 4 && index < this.count && !this.#rows.has(index)) {
      this.#make(index);
    }
    return this.#rows.get(index);
  }

  want(first: number, last: number): void {
    this.wants.push([first, last]);
    if (this.wants.length > 100) this.wants.shift();
    clearTimeout(this.#asked);
    const missing: number[] = [];
    for (let index = first; index < Math.min(last, this.count); index += 1) {
      if (!this.#rows.has(index)) missing.push(index);
    }
    if (missing.length === 0) return;
    if (this.#making.latency === 0) this.#bring(missing);
    else this.#asked = setTimeout(() => this.#bring(missing), this.#making.latency);
  }

  async indexOfOffset(offset: number): Promise<number> {
    return Math.min(this.count - 1, Math.floor(offset / BYTES));
  }

  async indexOfTime(seconds: number): Promise<number> {
    return Math.min(this.count - 1, Math.floor(seconds * 1000));
  }

  on(listener: (event: SourceEvent) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  /** Add rows, as an output that grows does. */
  grow(by: number): void {
    const first = this.count;
    this.#grownFrom = Math.min(this.#grownFrom, first);
    this.count += by;
    this.#truth += by;
    this.#tell({ kind: "changed", first, last: this.count });
  }

  /** Add so many rows a second, in many small events, from now on; 0: none. */
  flow(rate: number): void {
    clearInterval(this.#growing);
    if (rate === 0) return;
    let due = performance.now();
    this.#growing = setInterval(() => {
      const now = performance.now();
      const rows = Math.floor(((now - due) * rate) / 1000);
      due += (rows * 1000) / rate;
      for (let left = rows; left > 0; left -= 50) this.grow(Math.min(50, left));
    }, 4);
  }

  /** Show this instead of what a row was. */
  replace(index: number, text: string, isPartial = false): void {
    this.#rows.set(index, { ...this.#made(index, text), partial: isPartial });
    this.#tell({ kind: "changed", first: index, last: index + 1 });
  }

  /** Put a gap where a row was. */
  put(index: number, row: Row): void {
    this.#rows.set(index, row);
    this.#tell({ kind: "changed", first: index, last: index + 1 });
  }

  /** All rows have been counted: there are more, or fewer, than was thought. */
  finishCounting(): void {
    const by = this.#truth - this.count;
    this.isCounted = true;
    this.count = this.#truth;
    const end = [...this.#rows].filter(([, row]) => row.number === null);
    this.#rows.clear();
    for (const [index, row] of end) this.#rows.set(index + by, { ...row, number: index + by + 1 });
    this.#tell({ kind: "moved", by });
  }

  finish(): void {
    this.flow(0);
    this.isComplete = true;
    this.#tell({ kind: "changed", first: this.count, last: this.count });
  }

  fail(message: string, retry: () => void): void {
    this.#tell({ kind: "failed", message, retry });
  }

  #bring(indexes: readonly number[]): void {
    for (const index of indexes) this.#make(index);
    const [first, last] = [indexes[0] ?? 0, (indexes.at(-1) ?? 0) + 1];
    queueMicrotask(() => this.#tell({ kind: "changed", first, last }));
  }

  #tell(event: SourceEvent): void {
    this.#events += 1;
    this.#listeners.tell(event);
  }

  #make(index: number): void {
    if (this.#rows.size >= KEPT) for (const old of [...this.#rows.keys()].slice(0, KEPT / 4)) this.#rows.delete(old);
    this.#rows.set(index, this.#made(index, this.#making.text(this.#real(index))));
  }

  /** Rows near the end are placed from the end while not all are counted. */
  #real(index: number): number {
    return this.#isFromEnd(index) ? index + this.#truth - this.count : index;
  }

  #isFromEnd(index: number): boolean {
    return !this.isCounted && index >= this.count / 2;
  }

  #made(index: number, text: string): Row {
    const real = this.#real(index);
    const stream = real % 17 === 5 ? "stderr" : real % 101 === 7 ? "mixed" : "stdout";
    const line = {
      number: this.#isFromEnd(index) ? 0 : real + 1,
      offset: real * BYTES,
      time: real / 1000,
      stream,
      text,
    };
    return toRow({ ...line, stream });
  }
}

/** Lines as builds write them. */
export function textOf(index: number): string {
  const file = `src/part${index % 7}/module_${index % 1000}.c`;
  if (index % 23 === 0) return `\x1b[32m[ ${index % 100}%]\x1b[0m Building \x1b[1m${file}.o\x1b[0m`;
  if (index % 17 === 5)
    return `\x1b[1m${file}:${index % 400}:\x1b[0m \x1b[35mwarning:\x1b[0m unused variable 'x${index}'`;
  if (index % 31 === 0) return `see https://example.org/builds/${index} for more`;
  if (index % 41 === 0) return `gcc -O2 -Wall -Iinclude ${"-DNAME=some_value ".repeat(18)}-c ${file} -o ${file}.o`;
  return `compile ${file} in ${(index * 7919) % 977} ms, row ${index}`;
}
