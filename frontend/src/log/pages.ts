/** Lines that were fetched: pages, each with its place among the rows, as many as fit into a few MB. */

import { PLAIN } from "../core/looks";
import type { Look, Row } from "../core/row";
import { lookAfter } from "../core/rows";
import type { Line } from "../core/shapes";

export interface Page {
  /** the index of its first row */
  first: number;
  lines: readonly Line[];
  /** in the output */
  begin: number;
  end: number;
}

/** Characters of all pages, each line with what it costs beside its text. When there are more, pages that were not used
 * for longest go, but for those that are seen. */
export const MOST_CHARS = 3 << 20;
const LINE_COST = 200;

interface Kept extends Page {
  rows: (Row | undefined)[];
  /** what the line before each left behind, as far as it was asked for */
  looks: Look[];
  cost: number;
  used: number;
}

export class Pages {
  #all: Kept[] = [];
  #cost = 0;
  #clock = 0;

  /** Return what the pages cost that have a row in [first, last). */
  costOf(first: number, last: number): number {
    const found = this.#all.filter((page) => page.first < last && page.first + page.lines.length > first);
    return found.reduce((sum, page) => sum + page.cost, 0);
  }

  /** Take a page; others that have one of its rows, or stand beside it and are not its neighbours, go. */
  put(page: Page): void {
    const last = page.first + page.lines.length;
    this.drop((each) => {
      const end = each.first + each.lines.length;
      if (each.first < last && end > page.first) return true;
      return (each.first === last && each.begin !== page.end) || (end === page.first && each.end !== page.begin);
    });
    const cost = page.lines.reduce((sum, line) => sum + line.text.length + LINE_COST, 0);
    this.#clock += 1;
    this.#all.push({ ...page, rows: [], looks: [], cost, used: this.#clock });
    this.#all.sort((one, other) => one.first - other.first);
    this.#cost += cost;
  }

  /** Return the row, made by this of its line, and of what the line before left behind, on first use; undefined: it is
   * not here. */
  row(index: number, make: (line: Line, look: Look) => Row): Row | undefined {
    const page = this.#at(index);
    const line = page?.lines[index - page.first];
    if (page === undefined || line === undefined) return undefined;
    page.used = this.#clock;
    const made = page.rows[index - page.first] ?? make(line, this.#lookBefore(page, index - page.first));
    page.rows[index - page.first] = made;
    return made;
  }

  /** Return the parts of [first, last) that are not here, in order. */
  holes(first: number, last: number): [number, number][] {
    const holes: [number, number][] = [];
    let at = first;
    for (const page of this.#all) {
      if (page.first >= last) break;
      if (page.first > at) holes.push([at, page.first]);
      at = Math.max(at, page.first + page.lines.length);
    }
    if (at < last) holes.push([at, last]);
    return holes;
  }

  /** Return where the page begins, in the output, whose first row this is. */
  beginAt(first: number): number | undefined {
    return this.#all.find((page) => page.first === first)?.begin;
  }

  /** Return where the page ends, in the output, behind whose last row this is. */
  endAt(last: number): number | undefined {
    return this.#all.find((page) => page.first + page.lines.length === last)?.end;
  }

  /** Make room, sparing what has a row in [first, last). */
  trim(first: number, last: number): void {
    if (this.#cost <= MOST_CHARS) return;
    this.#clock += 1;
    for (const page of this.#all)
      if (page.first < last && page.first + page.lines.length > first) page.used = this.#clock;
    const spare = this.#all.filter((page) => page.used < this.#clock).sort((one, other) => one.used - other.used);
    let over = this.#cost - MOST_CHARS;
    const gone = new Set<Kept>();
    for (const page of spare) {
      if (over <= 0) break;
      gone.add(page);
      over -= page.cost;
    }
    this.#all = this.#all.filter((page) => !gone.has(page));
    this.#cost = MOST_CHARS + over;
  }

  /** Move all rows by so many. */
  shift(by: number): void {
    for (const page of this.#all) page.first += by;
  }

  drop(isGone: (page: Page) => boolean): void {
    const kept = this.#all.filter((page) => !isGone(page));
    for (const page of this.#all) if (isGone(page)) this.#cost -= page.cost;
    this.#all = kept;
  }

  /** Colours go on from line to line, and from page to page where both are here. */
  #lookBefore(page: Kept, at: number): Look {
    const { looks, lines } = page;
    if (looks.length === 0) looks.push(this.#lookAtEnd(this.#all.find((each) => each.end === page.begin)));
    for (let each = looks.length; each <= at; each += 1)
      looks.push(lookAfter(lines[each - 1]?.text ?? "", looks[each - 1] ?? PLAIN));
    return looks[at] ?? PLAIN;
  }

  /** Return what the page's last line leaves behind, if its rows have been made. */
  #lookAtEnd(page: Kept | undefined): Look {
    const last = page?.lines.at(-1);
    if (page === undefined || last === undefined || page.looks.length === 0) return PLAIN;
    return lookAfter(last.text, this.#lookBefore(page, page.lines.length - 1));
  }

  #at(index: number): Kept | undefined {
    return this.#all.find((page) => page.first <= index && index < page.first + page.lines.length);
  }
}
