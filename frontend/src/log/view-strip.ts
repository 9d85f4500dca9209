/** The strip beside the scroll bar: where in the whole output marks are. */

import { part } from "./view-row";

/** Width of the strip, in CSS pixels; the style sheet has the same. */
const WIDTH = 8;

/** Height of a mark, in CSS pixels. */
const THICK = 2;

export interface Tick {
  /** between 0 and 1 */
  at: number;
  isCurrent: boolean;
}

export class Strip {
  readonly element = part("canvas", "log-strip");
  readonly #chosen: (at: number) => void;
  #ticks: readonly Tick[] = [];

  /** @param chosen told where somebody pressed, between 0 and 1 */
  constructor(chosen: (at: number) => void) {
    this.#chosen = chosen;
    this.element.hidden = true;
    this.element.setAttribute("aria-hidden", "true"); // next and previous say the same to who cannot see it
    this.element.addEventListener("pointerdown", (event) => this.#pressed(event));
  }

  show(ticks: readonly Tick[]): void {
    this.#ticks = ticks;
    this.element.hidden = ticks.length === 0;
    this.paint();
  }

  /** Paint again: its size or the theme is another. */
  paint(): void {
    if (this.element.hidden) return;
    const height = this.element.clientHeight;
    const scale = devicePixelRatio;
    this.element.width = Math.round(WIDTH * scale);
    this.element.height = Math.round(height * scale);
    const context = this.element.getContext("2d");
    if (context === null) return;
    context.scale(scale, scale);
    const style = getComputedStyle(this.element);
    context.fillStyle = style.color;
    for (const y of this.#places(height)) context.fillRect(1, y, WIDTH - 2, THICK);
    context.fillStyle = style.getPropertyValue("outline-color");
    for (const tick of this.#ticks) {
      if (tick.isCurrent) context.fillRect(0, yOf(tick, height) - 1, WIDTH, THICK + 2);
    }
  }

  /** Return each place once, however many marks are there. */
  #places(height: number): Set<number> {
    return new Set(this.#ticks.map((tick) => yOf(tick, height)));
  }

  #pressed(event: PointerEvent): void {
    const box = this.element.getBoundingClientRect();
    event.preventDefault();
    if (box.height > 0) this.#chosen((event.clientY - box.top) / box.height);
  }
}

function yOf(tick: Tick, height: number): number {
  return Math.round(tick.at * (height - THICK));
}
