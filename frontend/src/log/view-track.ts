/** How the scroll bar's way stands for the whole output.
 *
 * Browsers end an element somewhere at 16 to 33 million pixels; a hundred million rows are two thousand million. So the
 * way of the scroll bar has a longest length. At both ends a stretch of it is as long as the rows that it stands for, so
 * that there scrolling and the bar agree to the pixel; between them it stands for the rest in proportion.
 */

/** Longest way, in pixels. Short enough for every browser, and for positions in it to be exact. */
export const LONGEST = 4_000_000;

/** What is true to the pixel at either end of a way that is not. */
export const EDGE = 100_000;

export interface Track {
  /** of the element that is scrolled */
  readonly height: number;
  /** Return where the scroller is when so many pixels of rows are above what is seen. */
  toScroll(pixels: number): number;
  /** Return how many pixels of rows are above what is seen when the scroller is there. */
  toPixels(scroll: number): number;
}

/** The way for so many pixels of rows, seen through so many. */
export function trackOf(total: number, viewport: number): Track {
  if (total <= LONGEST) {
    const end = Math.max(0, total - viewport);
    return { height: Math.max(total, viewport), toScroll: (p) => within(p, end), toPixels: (s) => within(s, end) };
  }
  const end = total - viewport;
  const scrollEnd = LONGEST - viewport;
  const ratio = (end - 2 * EDGE) / (scrollEnd - 2 * EDGE);
  return {
    height: LONGEST,
    toScroll(pixels) {
      if (pixels <= EDGE) return Math.max(0, pixels);
      if (pixels >= end - EDGE) return Math.min(scrollEnd, scrollEnd - (end - pixels));
      return EDGE + (pixels - EDGE) / ratio;
    },
    toPixels(scroll) {
      if (scroll <= EDGE) return Math.max(0, scroll);
      if (scroll >= scrollEnd - EDGE) return Math.min(end, end - (scrollEnd - scroll));
      return EDGE + (scroll - EDGE) * ratio;
    },
  };
}

function within(value: number, most: number): number {
  return Math.min(Math.max(0, value), most);
}
