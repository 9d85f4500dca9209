/** The browser's scroller, taken as an input device: it tells how far it was moved, and is put where the rows say.
 *
 * Small motions (wheel, finger, keys) are so many pixels. The scroll bar's thumb says where in the whole one wants to be,
 * and so does whatever moves further at once than one can see. While the thumb or a finger holds the scroller it is
 * never moved by us: the browser would fight back.
 */

import { LONGEST } from "./view-track";

export type Motion = { kind: "none" } | { kind: "by"; pixels: number } | { kind: "to"; scroll: number };

export interface ScrollerNews {
  /** it has moved, or its size is another */
  moved(): void;
  /** it has not moved for a while, and nobody holds it */
  rested(): void;
  /** somebody wants to see what is before, or behind */
  wished(direction: -1 | 1): void;
}

/** When it counts as resting, in milliseconds after it last moved. */
const REST_MS = 150;

/** What is moved further at once than so many viewports is not scrolled but put somewhere. */
const FAR = 2;

export class Scroller {
  readonly element: HTMLElement;
  readonly #way: HTMLElement;
  readonly #news: ScrollerNews;
  readonly #gone = new AbortController();
  #resting: ReturnType<typeof setTimeout> | undefined;
  #seen = 0;
  #height = -1;
  #width = 0;
  #isDragged = false;
  #isTouched = false;

  /** What is seen of the way, in pixels. */
  viewport = 0;

  constructor(element: HTMLElement, way: HTMLElement, news: ScrollerNews) {
    this.element = element;
    this.#way = way;
    this.#news = news;
    this.#listen();
  }

  get isHeld(): boolean {
    return this.#isDragged || this.#isTouched;
  }

  get isDragged(): boolean {
    return this.#isDragged;
  }

  get position(): number {
    return this.#seen;
  }

  /** Return how it was moved since it was last asked, or placed. Where the page has given it another height, and that
   * has not been looked at yet, it was the browser that moved it. */
  read(): Motion {
    if (this.element.clientHeight !== this.viewport) {
      this.ignore();
      return { kind: "none" };
    }
    const scroll = this.element.scrollTop;
    const pixels = scroll - this.#seen;
    this.#seen = scroll;
    if (pixels === 0) return { kind: "none" };
    const isFar = Math.abs(pixels) > FAR * this.viewport || (this.#isDragged && this.#isByThumb(scroll, pixels));
    return isFar ? { kind: "to", scroll } : { kind: "by", pixels };
  }

  /** Where the way is shortened, a pixel of the thumb is more than a viewport; what is less comes from the bar's arrows. */
  #isByThumb(scroll: number, pixels: number): boolean {
    const isAtEdge = scroll <= 0 || scroll >= this.#height - this.viewport - 1;
    return isAtEdge || this.#height < LONGEST || Math.abs(pixels) >= this.viewport;
  }

  /** What it was moved by is not of anybody's doing. */
  ignore(): void {
    this.#seen = this.element.scrollTop;
  }

  /** All rows are elements, or not: then what is beside them is still to be made. */
  show({ isAllHere }: { isAllHere: boolean }): void {
    this.#way.classList.toggle("is-all-here", isAllHere);
  }

  /** Make the way so long, and put the scroller there; return where it is then: browsers round. */
  place(scroll: number, height: number): number {
    const isOther = height !== this.#height;
    if (isOther) {
      this.#height = height;
      this.#way.style.height = `${height}px`;
    }
    if (Math.abs(scroll - this.#seen) > 0.5) this.element.scrollTop = scroll;
    else if (!isOther) return this.#seen;
    this.#seen = this.element.scrollTop;
    return this.#seen;
  }

  /** Keep the way at least so wide: it would shrink whenever the longest row is gone, and take the scroller with it. */
  widen(width: number): void {
    if (width <= this.#width) return;
    this.#width = width;
    this.#way.style.minWidth = `${width}px`;
  }

  narrow(): void {
    this.#width = 0;
    this.#way.style.minWidth = "";
  }

  dispose(): void {
    clearTimeout(this.#resting);
    this.#gone.abort();
  }

  #listen(): void {
    const options = { signal: this.#gone.signal, passive: true };
    const on = (target: EventTarget, names: string, heard: (event: Event) => void) => {
      for (const name of names.split(" ")) target.addEventListener(name, heard, options);
    };
    on(this.element, "scroll", () => this.#scrolled());
    on(this.element, "pointerdown", (event) => this.#pressed(event));
    on(this.element, "wheel", (event) => this.#wheeled(event));
    on(this.element, "touchstart", (event) => this.#touchBegan(event));
    on(this.element, "keydown", () => this.#release());
    on(window, "pointerup pointercancel blur", () => this.#release());
    // Where the browser does not tell that the thumb was let go, the next motion of the pointer does.
    on(window, "pointermove", (event) => {
      if (this.#isDragged && event instanceof PointerEvent && event.buttons === 0) this.#release();
    });
  }

  #scrolled(): void {
    this.#rest();
    this.#news.moved();
  }

  /** A press beside the content but inside the scroller is on its bar. */
  #pressed(event: Event): void {
    if (!(event instanceof PointerEvent) || event.target !== this.element || event.pointerType === "touch") return;
    const box = this.element.getBoundingClientRect();
    const isOnBar = event.clientX - box.left - this.element.clientLeft >= this.element.clientWidth;
    if (isOnBar) this.#isDragged = true;
  }

  #wheeled(event: Event): void {
    this.#isDragged = false;
    if (event instanceof WheelEvent && event.deltaY !== 0 && !event.ctrlKey) {
      this.#news.wished(event.deltaY < 0 ? -1 : 1);
    }
  }

  /** The end of a touch is told to what was touched, which may be gone from the scroller by then. */
  #touchBegan({ target }: Event): void {
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      this.#touched(false);
    };
    for (const name of ["touchend", "touchcancel"]) {
      target?.addEventListener(name, end, { signal: ended.signal });
    }
    this.#touched(true);
  }

  #touched(isTouched: boolean): void {
    this.#isDragged = false;
    this.#isTouched = isTouched;
    this.#rest();
  }

  #release(): void {
    if (!this.#isDragged) return;
    this.#isDragged = false;
    this.#rest();
  }

  #rest(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (!this.isHeld) this.#news.rested();
    }, REST_MS);
  }
}
