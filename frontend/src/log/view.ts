/** The log view: shows any `Source`, however long, and holds only what is seen.
 *
 * Whatever happens (events of the source, scrolling, keys, resizing) only asks for a frame; `#frame` does all the work,
 * once per frame of the browser, however much has happened since the last. It needs `view.css`, which who makes the view
 * brings along: a page as a style sheet, a custom element in its shadow root.
 */

import { Listeners, type Unsubscribe } from "../core/listeners";
import { columnsIn } from "../core/rows";
import type { Hit } from "../core/shapes";
import type { Source, SourceEvent } from "./source";
import { Chosen } from "./view-chosen";
import { Clipboard } from "./view-clipboard";
import { Decor, type LineRange } from "./view-decor";
import { fateOf, firstMoved } from "./view-fate";
import { RowHeights } from "./view-heights";
import { Hits } from "./view-hits";
import { type Action, actionOf, type Key } from "./view-keys";
import { Marks } from "./view-marks";
import { News } from "./view-news";
import { Notice } from "./view-notice";
import { indexOf, type LogEvent, type LogOptions, type Target, USUAL } from "./view-options";
import { Pane } from "./view-pane";
import { type Parts, partsOf, showFollow, widenNumbers } from "./view-parts";
import { Rows } from "./view-rows";
import { Scroller } from "./view-scroller";
import { Selected } from "./view-selection";
import { Sizes } from "./view-sizes";

export type { Times } from "../core/clock";
export type { LineRange } from "./view-decor";
export type { LogEvent, LogOptions, Target } from "./view-options";

/** Rows that stay in sight when one goes on by a page. */
const KEPT = 2;

export class LogView {
  readonly #source: Source;
  readonly #listeners = new Listeners<LogEvent>();
  readonly #parts: Parts;
  readonly #marks = new Marks(columnsIn);
  readonly #decor: Decor;
  readonly #heights: RowHeights;
  readonly #rows: Rows;
  readonly #scroller: Scroller;
  readonly #pane: Pane;
  readonly #selected: Selected;
  readonly #notice = new Notice();
  readonly #news = new News(this.#notice, (offset) => void this.goTo({ offset }));
  readonly #clipboard: Clipboard;
  readonly #chosen: Chosen;
  readonly #hits: Hits;
  readonly #sizes: Sizes;
  readonly #gone = new AbortController();
  readonly #ends: Unsubscribe[] = [];
  #options: LogOptions;
  #frameId: number | null = null;
  /** rows there were when the end was left */
  #left: number | null = null;
  #wasComplete = false;
  /** times that somebody wanted to go somewhere */
  #goings = 0;
  /** the pointer is down in the text: until it is up, nothing moves away under it */
  #isPressed = false;
  /** the current mark may lie beyond the edge at the side */
  #isToReveal = false;
  #told = { isFollowing: false, newLines: 0, first: -1, last: -1, wantedFirst: -1, wantedLast: -1 };

  constructor(host: HTMLElement, source: Source, options: Partial<LogOptions> = {}) {
    this.#source = source;
    this.#options = { ...USUAL, ...options };
    this.#parts = partsOf(this.#options.label);
    this.#decor = new Decor(source, this.#marks, this.#options);
    this.#heights = new RowHeights((index) => source.row(index));
    this.#rows = new Rows(this.#decor, this.#heights);
    const { scroller, way, box, follow } = this.#parts;
    way.append(this.#rows.element);
    this.#hits = new Hits(source, this.#marks, (chosen) =>
      this.#listeners.tell("hit" in chosen ? { kind: "mark", ...chosen } : { kind: "place", ...chosen }),
    );
    box.append(this.#hits.strip.element, this.#notice.element);
    const wake = () => this.#wake();
    this.#scroller = new Scroller(scroller, way, {
      moved: wake,
      rested: () => {
        this.#pane.settle();
        wake();
      },
      wished: (direction) => this.#wished(direction),
    });
    this.#pane = new Pane(this.#rows, this.#scroller, this.#heights, () => source.count);
    this.#chosen = new Chosen(source, this.#decor, this.#rows, this.#pane, (range) => this.#choose(range));
    this.#selected = new Selected(this.#rows, () => this.#selectionChanged());
    this.#clipboard = new Clipboard(source, this.#selected, this.#notice, this.#options, () => this.#copied());
    this.#sizes = new Sizes(this.#parts, this.#rows, this.#heights, this.#scroller, this.#pane, () => this.#resized());
    this.#pane.isAtEnd = this.#options.follow;
    this.#apply();
    host.append(box);
    this.#listen(scroller, follow);
    this.#resized();
  }

  get isFollowing(): boolean {
    return this.#pane.isAtEnd || this.#isPressed;
  }

  /** The indexes of the first row in sight, and of the last one. */
  get sight(): { first: number; last: number } {
    return { first: this.#pane.top.index, last: this.#pane.bottom };
  }

  /** The lines that are linked to. */
  get range(): LineRange | null {
    return this.#decor.range;
  }

  /** Lines that came since the end was left. */
  get newLines(): number {
    return this.#left === null ? 0 : Math.max(0, this.#source.count - this.#left);
  }

  /** Change some options; the row at the top edge stays there. */
  setOptions(options: Partial<LogOptions>): void {
    this.#options = { ...this.#options, ...options };
    this.#pane.hold();
    if (options.follow !== undefined) this.#follow(options.follow);
    this.#apply();
    this.#resized();
  }

  /** Go to a line and choose it (or the range that begins there), or to where a byte or an instant is. Lines that are
   * not counted yet are gone to as soon as they are. Resolves to the row's index. */
  async goTo(target: Target): Promise<number> {
    this.#goings += 1;
    const going = this.#goings;
    if ("line" in target)
      this.#decor.range = { from: target.line, to: Math.max(target.line, target.to ?? target.line) };
    const index = await indexOf(this.#source, target);
    if (going !== this.#goings) return index; // meanwhile somebody wanted to go elsewhere
    this.#pane.moveTo(index);
    if ("line" in target)
      this.#decor.range = { from: target.line, to: Math.max(target.line, target.to ?? target.line) };
    this.#wake();
    return index;
  }

  /** Mark what was found; `current` is the offset of the line of the hit that one is at, `others` where in the whole more
   * was found, between 0 and 1. Does not go to that line, but moves sideways to its mark when the line is in sight. */
  setMarks(hits: readonly Hit[], current: number | null = null, others: readonly number[] = []): void {
    this.#isToReveal ||= current !== null && current !== this.#marks.current;
    this.#marks.set(hits, current);
    this.#decor.change();
    this.#hits.change(others);
    this.#wake();
  }

  /** Choose lines, to be linked to; null: none. Nobody is told. */
  setRange(range: LineRange | null): void {
    this.#decor.range = range;
    this.#wake();
  }

  /** Copy what is selected. With colours, rows are copied whole, with their escape codes. */
  copy({ colours = false }: { colours?: boolean } = {}): Promise<void> {
    return this.#clipboard.copy({ colours });
  }

  selectAll(): void {
    this.#selected.selectAll();
  }

  /** Do what a key does here; return whether it does anything. For pages that take keys while nothing is focused. */
  key(event: Key): boolean {
    const action = actionOf(event);
    return action !== null && this.#act(action);
  }

  focus(): void {
    this.#parts.scroller.focus({ preventScroll: true });
  }

  on(listener: (event: LogEvent) => void): Unsubscribe {
    return this.#listeners.add(listener);
  }

  dispose(): void {
    this.#gone.abort();
    for (const end of this.#ends) end();
    if (this.#frameId !== null) cancelAnimationFrame(this.#frameId);
    this.#sizes.dispose();
    this.#scroller.dispose();
    this.#selected.dispose();
    this.#clipboard.dispose();
    this.#notice.clear();
    this.#parts.box.remove();
  }

  #listen(scroller: HTMLElement, follow: HTMLButtonElement): void {
    this.#ends.push(this.#source.on((event) => this.#happened(event)));
    scroller.addEventListener("keydown", (event) => this.#pressed(event));
    this.#rows.element.addEventListener("pointerdown", (event) => this.#hold(event));
    for (const name of ["pointerup", "pointercancel"]) {
      window.addEventListener(name, () => this.#release(), { signal: this.#gone.signal });
    }
    follow.addEventListener("click", () => {
      this.#follow(true);
      this.focus();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#hits.strip.paint(), {
      signal: this.#gone.signal,
    });
  }

  #wake(): void {
    this.#frameId ??= requestAnimationFrame(() => this.#frame());
  }

  #frame(): void {
    this.#frameId = null;
    if (this.#scroller.viewport === 0) return; // not in sight; it will be resized when it is
    if (this.#source.isComplete !== this.#wasComplete) {
      this.#wasComplete = this.#source.isComplete;
      this.#decor.change();
    }
    widenNumbers(this.#parts.box, this.#source.count);
    const hadFocus = this.#rows.hasFocus;
    this.#selected.take();
    this.#decor.column = this.#options.wrap
      ? null
      : Math.floor(this.#parts.scroller.scrollLeft / this.#sizes.character);
    this.#pane.render();
    if (this.#rows.isUnfinished) this.#wake();
    if (hadFocus && !this.#rows.hasFocus) this.focus(); // a link in a row that is gone
    this.#reveal();
    this.#want();
    this.#selected.restore();
    if (!this.#options.wrap) this.#scroller.widen(this.#rows.element.scrollWidth);
    this.#tell();
  }

  #reveal(): void {
    if (!this.#isToReveal || this.#options.wrap) return;
    const column = this.#marks.currentColumn(this.#rows.shown);
    if (column === null) return;
    this.#isToReveal = false;
    const { scroller } = this.#parts;
    const room = scroller.clientWidth / this.#sizes.character;
    const left = scroller.scrollLeft / this.#sizes.character;
    if (column >= left && column < left + room * 0.7) return;
    scroller.scrollLeft = Math.max(0, column - room / 3) * this.#sizes.character;
  }

  #want(): void {
    const { first, last } = this.#rows;
    if (this.#clipboard.isBusy || (first === this.#told.wantedFirst && last === this.#told.wantedLast)) return;
    this.#told.wantedFirst = first;
    this.#told.wantedLast = last;
    this.#source.want(first, last);
  }

  #tell(): void {
    const [told, isFollowing] = [this.#told, this.isFollowing];
    if (isFollowing) this.#left = null;
    else this.#left ??= this.#source.count;
    if (isFollowing !== told.isFollowing) {
      told.isFollowing = isFollowing;
      this.#listeners.tell({ kind: "following", isFollowing });
    }
    const count = this.newLines;
    if (count !== told.newLines) {
      told.newLines = count;
      this.#listeners.tell({ kind: "newlines", count });
    }
    showFollow(this.#parts.follow, count, !isFollowing && (count > 0 || !this.#source.isComplete));
    const [first, last] = [this.#pane.top.index, this.#pane.bottom];
    if (first !== told.first || last !== told.last) {
      [told.first, told.last] = [first, last];
      this.#listeners.tell({ kind: "position", first, last });
    }
    this.#hits.show();
  }

  #happened(event: SourceEvent): void {
    if (this.#news.take(event)) return;
    if (event.kind === "moved") this.#moved(event.by);
    if (this.#marks.size > 0) this.#hits.change();
    this.#wake();
  }

  /** The rows at the end have other indexes. Which of those that are held these are, their offsets tell. */
  #moved(by: number): void {
    const { top } = this.#pane;
    const end = firstMoved(this.#source, this.#rows, by);
    const row = this.#rows.at(top.index)?.row;
    if (row !== undefined && fateOf(this.#source, row, top.index, by) === "lost")
      void this.#find(row.offset, top.offset);
    if (top.index >= end) this.#pane.shift(by);
    this.#selected.move((index) => (index >= end ? Math.max(0, index + by) : index));
    if (this.#left !== null) this.#left += by;
    this.#rows.reset();
    this.#heights.forgetAll();
    this.#told.wantedFirst = -1;
  }

  /** Have the row with this byte where it was, wherever it turns out to be. */
  async #find(byte: number, offset: number): Promise<void> {
    const going = this.#goings;
    const index = await this.#source.indexOfOffset(byte);
    if (going !== this.#goings || this.isFollowing) return;
    this.#pane.moveToPlace({ index, offset });
    this.#wake();
  }

  #wished(direction: -1 | 1): void {
    if (direction < 0) this.#pane.letGo();
    else this.#pane.lean(); // at the end nothing moves, and yet it is meant
    this.#wake();
  }

  /** Whoever presses in the text may want to select some: it stands still until it is clear. */
  #hold(event: PointerEvent): void {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    if (this.#selected.isAll && !event.shiftKey) this.#selected.clear();
    if (!this.#pane.isAtEnd) return;
    this.#isPressed = true;
    this.#pane.isAtEnd = false;
  }

  #release(): void {
    if (!this.#isPressed) return;
    this.#isPressed = false;
    this.#selected.take();
    if (this.#selected.range === null || this.#selected.isAll) this.#pane.moveToEnd();
    this.#wake();
  }

  #selectionChanged(): void {
    const range = this.#selected.range;
    if (range !== null && !this.#selected.isAll) this.#pane.isAtEnd = false; // what is selected stays in sight
    this.#wake();
  }

  #copied(): void {
    this.#told.wantedFirst = -1;
    this.#wake();
  }

  #follow(isToFollow: boolean): void {
    if (isToFollow) this.#pane.moveToEnd();
    else this.#pane.isAtEnd = false;
    this.#wake();
  }

  #apply(): void {
    const { box, scroller } = this.#parts;
    box.classList.toggle("is-wrapped", this.#options.wrap);
    box.classList.toggle("has-numbers", this.#options.numbers);
    box.classList.toggle("has-times", this.#options.times !== "none");
    box.setAttribute("data-times", this.#options.times);
    scroller.setAttribute("aria-label", this.#options.label);
    this.#decor.options = this.#options;
    this.#clipboard.options = this.#options;
    this.#scroller.narrow();
  }

  #resized(): void {
    this.#sizes.take(this.#options.wrap);
    this.#hits.strip.paint();
    this.#wake();
  }

  #pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.target instanceof HTMLButtonElement) return;
    if (event.target instanceof HTMLAnchorElement && event.key === " ") return;
    if (this.key(event)) event.preventDefault();
  }

  #act(action: Action): boolean {
    const { line } = this.#heights;
    if (action.kind === "rows") this.#pane.moveBy(action.by * line);
    else if (action.kind === "pages")
      this.#pane.moveBy(action.by * Math.max(line, this.#scroller.viewport - KEPT * line));
    else if (action.kind === "start") this.#pane.moveTo(0, 0);
    else if (action.kind === "end") this.#pane.moveToEnd();
    else if (action.kind === "all") this.#selected.selectAll();
    else return this.#chosen.act(action);
    this.#wake();
    return true;
  }

  #choose(range: LineRange | null): void {
    this.#listeners.tell({ kind: "range", range });
    this.focus();
    this.#wake();
  }
}
