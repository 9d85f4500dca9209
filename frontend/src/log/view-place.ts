/** Where one is in the rows: the row at the top edge of what is seen, and how far it has gone above that edge.
 *
 * This, not the scroller's position, is the truth: it stays right when rows above it turn out to be higher or lower than
 * thought, and when the scroll bar's way is too short to have a pixel for every row.
 */

export interface Place {
  index: number;
  /** pixels of the row that are above the edge */
  offset: number;
}

/** How high rows are, in pixels: as measured, or else as estimated; never less than 1. */
export interface Heights {
  of(index: number): number;
}

export interface Span {
  first: number;
  /** the one behind the last */
  last: number;
}

/** Bring a place's offset into its row: by going over as many rows as it takes, but not beyond the first and the last. */
export function settle(place: Place, count: number, heights: Heights): Place {
  let index = Math.min(Math.max(0, place.index), Math.max(0, count - 1));
  let offset = index === place.index ? place.offset : 0;
  while (offset < 0 && index > 0) {
    index -= 1;
    offset += heights.of(index);
  }
  while (index < count - 1 && offset >= heights.of(index)) {
    offset -= heights.of(index);
    index += 1;
  }
  return { index, offset: Math.max(0, offset) };
}

/** Return the last place: where the last row ends at the bottom edge, or the first if all rows fit. */
export function endOf(count: number, viewport: number, heights: Heights): Place {
  let index = count;
  let left = viewport;
  while (index > 0 && left > 0) {
    index -= 1;
    left -= heights.of(index);
  }
  return left > 0 ? { index: 0, offset: 0 } : { index, offset: -left };
}

export function isBehind(one: Place, other: Place): boolean {
  return one.index > other.index || (one.index === other.index && one.offset > other.offset);
}

/** Settle a place so that nothing empty is seen below the last row. */
export function bounded(place: Place, count: number, viewport: number, heights: Heights): Place {
  const settled = settle(place, count, heights);
  const end = endOf(count, viewport, heights);
  return isBehind(settled, end) ? end : settled;
}

/** Return the rows to be held at a place: what is seen, and so many pixels before and after it. */
export function around(top: Place, count: number, viewport: number, margin: number, heights: Heights): Span {
  let first = top.index;
  for (let above = margin - top.offset; first > 0 && above > 0; ) {
    first -= 1;
    above -= heights.of(first);
  }
  let last = top.index;
  for (let below = viewport + margin + top.offset; last < count && below > 0; last += 1) below -= heights.of(last);
  return { first, last };
}

/** Add up rows [first, last). */
export function sum(first: number, last: number, heights: Heights): number {
  let all = 0;
  for (let index = first; index < last; index += 1) all += heights.of(index);
  return all;
}
