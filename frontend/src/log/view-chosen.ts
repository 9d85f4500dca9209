/** The lines that are chosen to be linked to: by clicking on numbers, and by keys. */

import type { Source } from "./source";
import type { Decor, LineRange } from "./view-decor";
import type { Action } from "./view-keys";
import type { Pane } from "./view-pane";
import type { Rows } from "./view-rows";

export class Chosen {
  readonly #source: Source;
  readonly #decor: Decor;
  readonly #rows: Rows;
  readonly #pane: Pane;
  readonly #tell: (range: LineRange | null) => void;

  constructor(source: Source, decor: Decor, rows: Rows, pane: Pane, tell: (range: LineRange | null) => void) {
    this.#source = source;
    this.#decor = decor;
    this.#rows = rows;
    this.#pane = pane;
    this.#tell = tell;
    // Without this a shift-click would select text as well.
    rows.element.addEventListener("mousedown", (event) => this.#lineAt(event) !== null && event.preventDefault());
    rows.element.addEventListener("click", (event) => this.#clicked(event));
  }

  /** Begin a range at the first line in sight, move its end, or leave it; return whether anything was done. */
  act(action: Action): boolean {
    const range = this.#decor.range;
    if (action.kind === "select") return this.#begin();
    if (range === null) return false;
    if (action.kind === "leave") this.#choose(null);
    else if (action.kind === "range") this.#extend(range, action.by);
    else return false;
    return true;
  }

  #begin(): boolean {
    const { index } = this.#pane.top;
    const line = this.#decor.numberOf(index, this.#source.row(index));
    if (line !== null) this.#choose({ from: line, to: line });
    return line !== null;
  }

  #extend({ from, to }: LineRange, by: number): void {
    const end = Math.min(Math.max(from, to + by), this.#source.count);
    this.#choose({ from, to: end });
    if (!this.#pane.has(end - 1)) this.#pane.moveTo(end - 1, by < 0 ? 0.1 : 0.9);
  }

  #choose(range: LineRange | null): void {
    this.#decor.range = range;
    this.#tell(range);
  }

  #clicked(event: MouseEvent): void {
    const line = this.#lineAt(event);
    if (line === null || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const { from, to } = (event.shiftKey ? this.#decor.range : null) ?? { from: line, to: line };
    this.#choose({ from: Math.min(from, line), to: line >= from ? line : to });
  }

  /** Return the line whose number the pointer is on. */
  #lineAt(event: MouseEvent): number | null {
    const [target] = event.composedPath();
    const number = target instanceof Element ? target.closest(".log-number") : null;
    const index = number === null ? undefined : this.#rows.holding(number)?.index;
    return index === undefined ? null : this.#decor.numberOf(index, this.#source.row(index));
  }
}
