/** What is asked of the server for rows that are wanted: two requests at once, what is seen first, and what nobody
 * wants any more is given up. */

import type { LineQuery } from "../net/api";

const AT_ONCE = 2;

export interface Request {
  first: number;
  last: number;
  query: LineQuery;
}

export class Fetching {
  readonly #going = new Map<Request, AbortController>();

  /** Whether another request may be made. */
  get isFree(): boolean {
    return this.#going.size < AT_ONCE;
  }

  /** Whether some of these rows are on their way. */
  has(first: number, last: number): boolean {
    return [...this.#going.keys()].some((each) => each.first < last && each.last > first);
  }

  /** Give up what has no row in [first, last). */
  keep(first: number, last: number): void {
    for (const [request, abort] of this.#going)
      if (request.first >= last || request.last <= first) {
        abort.abort();
        this.#going.delete(request);
      }
  }

  async run<Value>(request: Request, ask: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
    const abort = new AbortController();
    this.#going.set(request, abort);
    try {
      return await ask(abort.signal);
    } finally {
      this.#going.delete(request);
    }
  }

  stop(): void {
    this.keep(0, 0);
  }
}
