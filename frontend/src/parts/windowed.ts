/** Which rows of a long list are seen, where all have one height, and the page itself scrolls or an element around. */

import { useEffect, useState } from "preact/hooks";

/** rows that are made beyond those that are seen, on each side */
const AROUND = 8;

export interface Span {
  first: number;
  last: number;
}

interface Holder {
  readonly current: HTMLElement | null;
}

/** Return the rows [first, last) that are seen in a list of `count` rows of `height` pixels; `scroller` is the element
 * that scrolls it, where that is not the page. */
export function useWindowed(ref: Holder, count: number, height: number, scroller?: Holder): Span {
  const [span, setSpan] = useState<Span>({ first: 0, last: Math.min(count, 2 * AROUND) });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const around = scroller?.current?.getBoundingClientRect();
      const top = (ref.current?.getBoundingClientRect().top ?? 0) - (around?.top ?? 0);
      const seen = spanOf(-top, around?.height ?? window.innerHeight, count, height);
      setSpan((before) => (before.first === seen.first && before.last === seen.last ? before : seen));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    const scrolls = scroller?.current ?? window;
    scrolls.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      scrolls.removeEventListener("scroll", soon);
      window.removeEventListener("resize", soon);
    };
  }, [ref, count, height, scroller]);
  return { first: Math.min(span.first, count), last: Math.min(span.last, count) };
}

/** Return the rows that lie in `seen` pixels behind the `above` first ones, with some around them. */
export function spanOf(above: number, seen: number, count: number, height: number): Span {
  const first = Math.max(0, Math.floor(above / height) - AROUND);
  const last = Math.min(count, Math.max(0, Math.ceil((above + seen) / height)) + AROUND);
  return { first: Math.min(first, last), last };
}
