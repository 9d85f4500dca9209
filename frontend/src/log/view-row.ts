/** The element of one row. It is made once and shows one row after another: only what differs is touched. */

import type { Row } from "../core/row";
import { size } from "../core/words";
import { dressOf } from "./view-looks";
import type { Mark } from "./view-marks";
import { isPlain, type Piece, piecesOf, plain, type Slice } from "./view-pieces";

/** What a row shows besides its text. */
export interface RowView {
  index: number;
  /** undefined: not here yet */
  row: Row | undefined;
  /** null: not known */
  number: number | null;
  time: string;
  marks: readonly Mark[];
  /** the part of its text that is shown: of a very long line that which is in sight; null: all of it */
  slice: Slice | null;
  isInRange: boolean;
  hasCaret: boolean;
  /** it depends on a row that is not here yet */
  isWaiting: boolean;
  /** where a line goes on that is longer than what is here; null: nobody knows */
  rest: string | null;
  permalink: (line: number) => string;
}

const STREAMS = { stdout: "", stderr: "standard error", mixed: "both streams" } as const;

export class RowElement {
  readonly element = part("div", "log-row");
  readonly #gutter = part("div", "log-gutter");
  readonly #number = part("a", "log-number");
  readonly #time = part("span", "log-time");
  readonly #stream = part("span", "log-stream");
  readonly text = part("div", "log-text");
  #more: HTMLElement | null = null;
  index = -1;
  row: Row | undefined;
  /** which slice of its text it shows */
  slice = 0;
  /** at which version of everything else this was shown */
  version = -1;
  /** the column that its text begins with */
  from = 0;
  /** its height is to be measured */
  isNew = true;

  constructor() {
    this.#number.tabIndex = -1;
    this.#gutter.append(this.#number, this.#time, this.#stream);
    this.element.append(this.#gutter, this.text);
  }

  /** Show a row; return in how many pieces. `isBare` leaves the looks out, for there have been too many already. */
  show(view: RowView, { isBare }: { isBare: boolean }): number {
    const { row, index } = view;
    this.index = index;
    this.row = row;
    this.isNew = true;
    this.#showNumber(view);
    setText(this.#time, view.time);
    this.#showStream(row);
    this.element.className = classesOf(view);
    const pieces = this.#showText(view, isBare);
    this.#showMore(view);
    return pieces;
  }

  #showNumber({ number, permalink }: RowView): void {
    setText(this.#number, number === null ? "" : String(number));
    if (number === null) this.#number.removeAttribute("href");
    else this.#number.href = permalink(number);
  }

  #showStream(row: Row | undefined): void {
    const label = row === undefined || row.gap !== undefined ? "" : STREAMS[row.stream];
    if ((this.#stream.getAttribute("aria-label") ?? "") === label) return;
    if (label === "") {
      for (const name of ["aria-label", "title", "role"]) this.#stream.removeAttribute(name);
      return;
    }
    this.#stream.setAttribute("role", "img");
    this.#stream.setAttribute("aria-label", label);
    this.#stream.title = label;
  }

  #showText({ row, marks, slice }: RowView, isBare: boolean): number {
    this.#skip(row, slice);
    if (row === undefined || row.gap !== undefined) {
      setText(this.text, row?.gap === undefined ? "" : gapText(row.gap));
      return 0;
    }
    const part = slice ?? { from: 0, to: row.text.length };
    const pieces = isBare ? [plain(row.text.slice(part.from, part.to))] : piecesOf(row, marks, part);
    if (isPlain(pieces)) setText(this.text, pieces[0]?.text ?? "");
    else this.text.replaceChildren(...pieces.map(pieceNode));
    return pieces.length;
  }

  /** Leave room for what a slice leaves out: as much as its characters would take if all were of one width. */
  #skip(row: Row | undefined, slice: Slice | null): void {
    const isWhole = slice === null || row === undefined;
    if (isWhole && !this.text.classList.contains("is-slice")) return;
    this.from = isWhole ? 0 : slice.from;
    this.text.classList.toggle("is-slice", !isWhole);
    this.text.style.setProperty("--log-skip", String(this.from));
    this.text.style.setProperty("--log-length", String(isWhole ? 0 : row.text.length));
  }

  #showMore({ row, rest }: RowView): void {
    if (!row?.continued) {
      this.#more?.remove();
      this.#more = null;
      return;
    }
    const more = rest === null ? part("span", "log-more") : part("a", "log-more");
    more.textContent = "… line goes on";
    if (more instanceof HTMLAnchorElement && rest !== null) leadOut(more, rest);
    this.#more?.remove();
    this.#more = more;
    this.element.append(more);
  }
}

function classesOf({ row, index, isInRange, hasCaret }: RowView): string {
  let classes = "log-row";
  if (row === undefined) classes += ` is-absent is-absent-${index % 5}`;
  else if (row.gap !== undefined) classes += " is-gap";
  else if (row.stream !== "stdout") classes += ` is-${row.stream}`;
  if (isInRange) classes += " is-in-range";
  if (hasCaret) classes += " has-caret";
  return classes;
}

function pieceNode({ text, look, href, mark }: Piece): Node {
  const dress = dressOf(look);
  const isBare = dress.classes === "" && href === null && mark === "none";
  if (isBare) return document.createTextNode(text);
  const element = href !== null ? part("a", "log-link") : part(mark === "none" ? "span" : "mark", "log-piece");
  if (element instanceof HTMLAnchorElement && href !== null) leadOut(element, href);
  element.textContent = text;
  if (dress.classes !== "") element.className += ` ${dress.classes}`;
  if (dress.ink !== null) element.style.setProperty("--log-ink", dress.ink);
  if (dress.ground !== null) element.style.setProperty("--log-ink-ground", dress.ground);
  if (mark !== "none") element.className += mark === "current" ? " is-hit is-current" : " is-hit";
  return element;
}

/** The source gives http and https only; whoever is led there learns nothing of this page. */
function leadOut(link: HTMLAnchorElement, href: string): void {
  link.href = href;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
}

export function gapText(gap: { from: number; to: number; why: string }): string {
  return `${size(gap.to - gap.from)} ${gap.to - gap.from === 1 ? "is" : "are"} missing: ${gap.why}`;
}

/** Set an element's text, in the text node that it has if it has one. */
function setText(element: HTMLElement, text: string): void {
  const first = element.firstChild;
  if (first instanceof Text && first === element.lastChild) {
    if (first.data !== text) first.data = text;
  } else if (first !== null || text !== "") element.textContent = text;
}

export function part<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = className;
  return element;
}
