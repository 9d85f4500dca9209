/** How many there are in each part of an output, for a strip beside it: equal parts, which grow with the output. */

export const PORTIONS = 256;

export class Portions {
  /** how many bytes each portion has */
  bytesEach: number;
  readonly counts = new Uint32Array(PORTIONS);

  /** `size` is what is known of the output's size; there may be more. */
  constructor(size: number) {
    this.bytesEach = Math.max(1, Math.ceil(size / PORTIONS));
  }

  add(offset: number): void {
    while (offset >= this.bytesEach * PORTIONS) this.#halve();
    const at = Math.floor(offset / this.bytesEach);
    this.counts[at] = (this.counts[at] ?? 0) + 1;
  }

  /** Make two portions one. */
  #halve(): void {
    this.bytesEach *= 2;
    for (let at = 0; at < PORTIONS; at += 1) {
      const isLeft = at * 2 < PORTIONS;
      this.counts[at] = isLeft ? (this.counts[at * 2] ?? 0) + (this.counts[at * 2 + 1] ?? 0) : 0;
    }
  }
}
