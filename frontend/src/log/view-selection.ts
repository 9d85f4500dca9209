/** What is selected, by rows and columns.
 *
 * The browser's own selection lives in elements, and ours come and go. So the selection is kept here, as two points in
 * the output, and after each frame the browser is told as much of it as is held: a point that is not held is put at the
 * edge of what is. When the browser tells of a change, the end of it that is where we put it has not moved.
 */

import type { Row } from "../core/row";
import type { Rows } from "./view-rows";

export interface Point {
  index: number;
  /** in UTF-16 units of the row's text */
  column: number;
}

export interface Stretch {
  anchor: Point;
  focus: Point;
}

interface Spot {
  node: Node;
  offset: number;
}

interface Ends {
  anchor: Spot;
  focus: Spot;
}

const START: Point = { index: 0, column: 0 };
const END: Point = { index: Number.MAX_SAFE_INTEGER, column: Number.MAX_SAFE_INTEGER };

export class Selected {
  readonly #rows: Rows;
  readonly #changed: () => void;
  readonly #gone = new AbortController();
  #stretch: Stretch | null = null;
  #told: Ends | null = null;
  /** everything is selected, also what is still to come */
  isAll = false;

  constructor(rows: Rows, changed: () => void) {
    this.#rows = rows;
    this.#changed = changed;
    document.addEventListener("selectionchange", () => this.take(), { signal: this.#gone.signal });
  }

  /** The first point and the last; null: nothing is selected. */
  get range(): { from: Point; to: Point } | null {
    if (this.#stretch === null) return null;
    const { anchor, focus } = this.#stretch;
    if (anchor.index === focus.index && anchor.column === focus.column) return null;
    return isBefore(focus, anchor) ? { from: focus, to: anchor } : { from: anchor, to: focus };
  }

  /** Select everything: also what is not held, or has not come yet. */
  selectAll(): void {
    this.isAll = true;
    this.#stretch = { anchor: START, focus: END };
    this.restore();
  }

  clear(): void {
    this.isAll = false;
    this.#stretch = null;
    this.#selection()?.removeAllRanges();
  }

  /** Rows at the end have other indexes: `where` says which a row has now. */
  move(where: (index: number) => number): void {
    if (this.#stretch === null || this.isAll) return;
    const { anchor, focus } = this.#stretch;
    this.#stretch = {
      anchor: { ...anchor, index: where(anchor.index) },
      focus: { ...focus, index: where(focus.index) },
    };
  }

  /** Tell the browser, after what is held has changed. */
  restore(): void {
    if (this.#stretch === null) return;
    const anchor = this.#spotOf(this.#stretch.anchor);
    const focus = this.#spotOf(this.#stretch.focus);
    const now = this.#read();
    if (now !== null && isSame(now.anchor, anchor) && isSame(now.focus, focus)) return;
    this.#told = { anchor, focus };
    this.#selection()?.setBaseAndExtent(anchor.node, anchor.offset, focus.node, focus.offset);
  }

  /** See what the browser has selected. Its event comes late, so this is also called before rows change. */
  take(): void {
    const now = this.#read();
    if (
      now !== null &&
      this.#told !== null &&
      isSame(now.anchor, this.#told.anchor) &&
      isSame(now.focus, this.#told.focus)
    )
      return;
    const stretch = now === null ? null : this.#stretchOf(now);
    if (stretch === null && this.#stretch === null) return;
    this.isAll = false;
    this.#stretch = stretch;
    this.#told = now;
    this.#changed();
  }

  dispose(): void {
    this.#gone.abort();
  }

  #stretchOf({ anchor, focus }: Ends): Stretch | null {
    if (isSame(anchor, focus)) {
      const point = this.#pointOf(anchor); // a click, perhaps just where an end of the selection was put
      return point && { anchor: point, focus: point };
    }
    const isKept = (spot: Spot, told: Spot | undefined) => told !== undefined && isSame(spot, told);
    const from = isKept(anchor, this.#told?.anchor) ? this.#stretch?.anchor : this.#pointOf(anchor);
    const to = isKept(focus, this.#told?.focus) ? this.#stretch?.focus : this.#pointOf(focus);
    return from && to ? { anchor: from, focus: to } : null;
  }

  #pointOf({ node, offset }: Spot): Point | null {
    if (node === this.#rows.element) {
      const index = this.#rows.first + offset;
      return index < this.#rows.last ? { index, column: 0 } : this.#endOf(this.#rows.last - 1);
    }
    const shown = this.#rows.holding(node);
    if (shown === undefined) return null;
    if (!shown.text.contains(node)) {
      const isBehind = (shown.text.compareDocumentPosition(node) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
      return isBehind ? this.#endOf(shown.index) : { index: shown.index, column: 0 };
    }
    const before = document.createRange();
    before.setStart(shown.text, 0);
    before.setEnd(node, offset);
    return { index: shown.index, column: shown.from + before.toString().length };
  }

  #endOf(index: number): Point {
    return { index, column: this.#rows.at(index)?.row?.text.length ?? 0 };
  }

  #spotOf({ index, column }: Point): Spot {
    const shown = this.#rows.at(index);
    if (shown !== undefined) return spotIn(shown.text, Math.max(0, column - shown.from));
    const edge = this.#rows.at(index < this.#rows.first ? this.#rows.first : this.#rows.last - 1);
    if (edge === undefined) return { node: this.#rows.element, offset: 0 };
    return spotIn(edge.text, index < this.#rows.first ? 0 : Number.MAX_SAFE_INTEGER);
  }

  #selection(): Selection | null {
    const root = this.#rows.element.getRootNode();
    if ("getSelection" in root && typeof root.getSelection === "function") {
      const found: unknown = root.getSelection(); // Chromium has one for each shadow root
      if (found instanceof Selection) return found;
    }
    return document.getSelection();
  }

  #read(): Ends | null {
    const selection = this.#selection();
    if (selection === null || selection.rangeCount === 0) return null;
    const root = this.#rows.element.getRootNode();
    if (root instanceof ShadowRoot && selection === document.getSelection()) return composed(selection, root);
    const { anchorNode, anchorOffset, focusNode, focusOffset } = selection;
    if (anchorNode === null || focusNode === null) return null;
    return { anchor: { node: anchorNode, offset: anchorOffset }, focus: { node: focusNode, offset: focusOffset } };
  }
}

/** What is selected inside a shadow root, where the root has no selection of its own. */
function composed(selection: Selection, root: ShadowRoot): Ends | null {
  const [range] = selection.getComposedRanges({ shadowRoots: [root] });
  if (range === undefined) return null;
  const start = { node: range.startContainer, offset: range.startOffset };
  const end = { node: range.endContainer, offset: range.endOffset };
  return selection.direction === "backward" ? { anchor: end, focus: start } : { anchor: start, focus: end };
}

/** Return the place in an element's text after so many UTF-16 units; at its end if it has fewer. */
function spotIn(element: HTMLElement, column: number): Spot {
  const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let left = column;
  let last: Spot = { node: element, offset: 0 };
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const length = node.nodeValue?.length ?? 0;
    if (left <= length) return { node, offset: left };
    left -= length;
    last = { node, offset: length };
  }
  return last;
}

function isSame(one: Spot, other: Spot): boolean {
  return one.node === other.node && one.offset === other.offset;
}

function isBefore(one: Point, other: Point): boolean {
  return one.index < other.index || (one.index === other.index && one.column < other.column);
}

/** Return the part of a row's text that lies between two points. */
export function selectedIn(row: Row, index: number, from: Point, to: Point): string {
  return row.text.slice(index === from.index ? from.column : 0, index === to.index ? to.column : undefined);
}
