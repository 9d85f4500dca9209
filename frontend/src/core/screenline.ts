/** One line of a terminal: what is left of a text that returns, steps back, and writes over itself.
 *
 * A cell holds what is shown in one place: a character with its combining ones, or the name of one that would act. Where
 * each came from in the text is kept beside it, so that a place in the text can be found in what is shown. Wide
 * characters take one cell here: columns are counted in characters, which is wrong only for who writes over them.
 */

import { escapeAt } from "./escapes";
import { safe } from "./links";
import { after, PLAIN } from "./looks";
import type { Look } from "./row";
import { ACTING, COMBINING, MOST_COMBINING, shown } from "./safe";

export interface Cell {
  text: string;
  look: Look;
  href: string | undefined;
  /** where in the line's text it came from, in UTF-16 units */
  source: number;
  combining: number;
}

/** A line's own text has no more; a cursor that is sent further than this stays there. */
const MOST_COLUMNS = 1 << 16;
/** A cursor is not sent further than this behind the text: blanks up to there would have to be made. */
const MOST_BLANKS = 1 << 11;
/** cells that the sequences of one line may erase or move; those beyond that are passed over, so that none takes long */
const MOST_ERASED = 1 << 18;
const TAB = 8;
const BLANK: Cell = { text: " ", look: PLAIN, href: undefined, source: -1, combining: 0 };

export class ScreenLine {
  readonly cells: Cell[] = [];
  look: Look;
  #href: string | undefined;
  #column = 0;
  #erased = 0;

  constructor(look: Look) {
    this.look = look;
  }

  write(text: string): void {
    let at = 0;
    while (at < text.length) {
      if (text[at] === "\x1b") {
        const sequence = escapeAt(text, at);
        if (sequence) {
          if (sequence.kind === "csi") this.#csi(sequence.parameters, sequence.final);
          else if (sequence.kind === "osc") this.#osc(sequence.text);
          at = sequence.end;
          continue;
        }
      }
      const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
      this.#put(character, at);
      at += character.length;
    }
  }

  #put(character: string, source: number): void {
    if (character === "\r") this.#column = 0;
    else if (character === "\b") this.#column = Math.max(0, this.#column - 1);
    else if (character === "\t") this.#tab(source);
    else if (COMBINING.test(character)) this.#combine(character, source);
    else if (ACTING.test(character)) {
      const name = shown(character);
      if (name) this.#set(name, source);
    } else this.#set(character, source);
  }

  #set(text: string, source: number): void {
    if (this.#column >= MOST_COLUMNS) return;
    while (this.cells.length < this.#column) this.cells.push(BLANK);
    this.cells[this.#column] = { text, look: this.look, href: this.#href, source, combining: 0 };
    this.#column += 1;
  }

  /** A tab moves to the next stop, and keeps what it passes over; behind the end it is a tab that can be copied. */
  #tab(source: number): void {
    if (this.#column >= this.cells.length) this.#set("\t", source);
    else this.#move((Math.floor(this.#column / TAB) + 1) * TAB);
  }

  #combine(character: string, source: number): void {
    const cell = this.cells[this.#column - 1];
    if (!cell || cell === BLANK) this.#set(`\u25cc${character}`, source);
    else if (cell.combining < MOST_COMBINING) {
      cell.text += character;
      cell.combining += 1;
    }
  }

  #csi(parameters: string, final: string): void {
    if (final === "m") {
      this.look = after(this.look, parameters);
      return;
    }
    const count = /^\d+$/.test(parameters) ? Math.min(MOST_COLUMNS, Math.max(1, Number(parameters))) : 1;
    if (final === "K") this.#erase(parameters);
    else if (final === "G" || final === "`") this.#move(count - 1);
    else if (final === "C") this.#move(this.#column + count);
    else if (final === "D") this.#move(this.#column - count);
    else if (final === "P") this.#delete(count);
    else if (final === "X") this.#blank(this.#column, this.#column + count);
  }

  #move(column: number): void {
    this.#column = Math.max(0, Math.min(column, MOST_COLUMNS, this.cells.length + MOST_BLANKS));
  }

  #delete(count: number): void {
    if (this.#mayErase(this.cells.length - this.#column)) this.cells.splice(this.#column, count);
  }

  #erase(parameters: string): void {
    if (parameters === "" || parameters === "0") this.#cut(this.#column);
    else if (parameters === "1") this.#blank(0, this.#column + 1);
    else if (parameters === "2") this.#cut(0);
  }

  /** What is cut off costs as much again: blanks are made in its place when something is written behind it. */
  #cut(end: number): void {
    const cells = this.cells.length - end;
    if (cells > 0 && this.#mayErase(cells)) this.cells.length = end;
  }

  #blank(begin: number, end: number): void {
    const until = Math.min(end, this.cells.length);
    if (this.#mayErase(until - begin)) this.cells.fill(BLANK, begin, until);
  }

  #mayErase(cells: number): boolean {
    this.#erased += Math.max(0, cells);
    return this.#erased <= MOST_ERASED;
  }

  /** `8 ; parameters ; address` opens a link, an empty address closes it. */
  #osc(text: string): void {
    const link = /^8;[^;]*;(.*)$/s.exec(text);
    if (link) this.#href = safe(link[1] ?? "") ?? undefined;
  }
}
