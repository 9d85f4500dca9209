/** Copying what is selected: at once if all of it is here, or else as soon as it has been fetched. */

import type { Source } from "./source";
import { type Copied, Copying, TooMuch } from "./view-copy";
import type { Choice, Notice } from "./view-notice";
import type { Point, Selected } from "./view-selection";

export interface ClipboardOptions {
  /** the address from which output can be downloaded; null: there is none */
  download: () => string | null;
}

export class Clipboard {
  readonly #source: Source;
  readonly #selected: Selected;
  readonly #notice: Notice;
  readonly #done: () => void;
  readonly #gone = new AbortController();
  #stop: AbortController | null = null;
  options: ClipboardOptions;

  /** @param done told when rows are no longer fetched for copying */
  constructor(source: Source, selected: Selected, notice: Notice, options: ClipboardOptions, done: () => void) {
    this.#source = source;
    this.#selected = selected;
    this.#notice = notice;
    this.options = options;
    this.#done = done;
    document.addEventListener("copy", (event) => this.#asked(event), { signal: this.#gone.signal });
  }

  /** Whether rows are being fetched: what is seen must ask for none meanwhile. */
  get isBusy(): boolean {
    return this.#stop !== null;
  }

  /** Copy what is selected; without a selection, nothing. */
  async copy({ colours }: { colours: boolean }): Promise<void> {
    const range = this.#range();
    if (range !== null) await this.#copy(range, colours);
  }

  dispose(): void {
    this.#gone.abort();
    this.#stop?.abort();
  }

  #range(): { from: Point; to: Point } | null {
    const range = this.#selected.range;
    const last = this.#source.count - 1;
    if (range === null || last < 0) return null;
    return range.to.index > last ? { from: range.from, to: { index: last, column: Number.MAX_SAFE_INTEGER } } : range;
  }

  #asked(event: ClipboardEvent): void {
    const range = this.#range();
    if (range === null || event.clipboardData === null || isField(event)) return;
    event.preventDefault();
    try {
      const copied = new Copying(this.#source, range.from, range.to, { colours: false }).now();
      if (copied === null) void this.#copy(range, false);
      else {
        event.clipboardData.setData("text/plain", copied.text);
        this.#tell(copied, range);
      }
    } catch (error) {
      this.#tellWhy(error);
    }
  }

  async #copy({ from, to }: { from: Point; to: Point }, colours: boolean): Promise<void> {
    this.#stop?.abort();
    const stop = new AbortController();
    this.#stop = stop;
    try {
      const copying = new Copying(this.#source, from, to, { colours });
      const here = copying.now();
      if (here === null) this.#tellBusy(to.index - from.index + 1, stop);
      const copied = here === null ? copying.all(stop.signal) : Promise.resolve(here);
      const isWritten = written(copied.then(({ text }) => text));
      this.#finish(await copied, await isWritten, { from, to });
    } catch (error) {
      if (!stop.signal.aborted) this.#tellWhy(error);
    } finally {
      if (this.#stop === stop) this.#stop = null;
      this.#done();
    }
  }

  #finish(copied: Copied, isWritten: boolean, range: { from: Point; to: Point }): void {
    // The browser may want a key or a click for it, and the last one is too long ago (or this is no secure context).
    const chosen = () => this.#tell(writeNow(copied.text) ? copied : null, range);
    if (isWritten) this.#tell(copied, range);
    else this.#notice.say(`Ready to copy ${linesIn(range)}.`, [{ text: "Copy", chosen }]);
  }

  #tell(copied: Copied | null, range: { from: Point; to: Point }): void {
    if (copied === null) this.#notice.say("The browser does not allow copying here.");
    else if (copied.cut > 0) {
      const cut = `${copied.cut} of them are longer than what is shown, and end early.`;
      this.#notice.say(`Copied ${linesIn(range)}. ${cut}`, this.#download());
    } else if (range.from.index === range.to.index) this.#notice.clear();
    else this.#notice.say(`Copied ${linesIn(range)}.`);
  }

  #tellBusy(lines: number, stop: AbortController): void {
    const chosen = () => stop.abort();
    this.#notice.say(`Fetching ${lines.toLocaleString("en")} lines to copy…`, [{ text: "Stop", chosen }], {
      canDismiss: false,
    });
  }

  #tellWhy(error: unknown): void {
    if (error instanceof TooMuch) {
      this.#notice.say("This is more than can be copied (5 MB).", this.#download());
    } else this.#notice.say(`Nothing was copied: ${error instanceof Error ? error.message : String(error)}.`);
  }

  #download(): Choice[] {
    const href = this.options.download();
    return href === null ? [] : [{ text: "Download", href }];
  }
}

function linesIn({ from, to }: { from: Point; to: Point }): string {
  const lines = to.index - from.index + 1;
  return lines === 1 ? "1 line" : `${lines.toLocaleString("en")} lines`;
}

function isField(event: Event): boolean {
  const [target] = event.composedPath();
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}

/** Write to the clipboard; the text may come later, the permission is asked for now. Return whether it was written. */
async function written(text: Promise<string>): Promise<boolean> {
  try {
    const blob = text.then((some) => new Blob([some], { type: "text/plain" }));
    blob.catch(() => undefined); // whoever waits for the text tells why
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    return true;
  } catch {
    return false; // not allowed, or no secure context: the caller offers another way
  }
}

/** Write to the clipboard as browsers could always do it, in answer to a click. */
function writeNow(text: string): boolean {
  const give = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    event.clipboardData?.setData("text/plain", text);
  };
  document.addEventListener("copy", give, { capture: true });
  const isWritten = document.execCommand("copy");
  document.removeEventListener("copy", give, { capture: true });
  return isWritten;
}
