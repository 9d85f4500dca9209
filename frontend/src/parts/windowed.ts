/** Which rows of a long list are seen, where all have one height and the page itself scrolls. */

import { useEffect, useState } from "preact/hooks";

/** rows that are made beyond those that are seen, on each side */
const AROUND = 8;

export interface Span {
  first: number;
  last: number;
}

/** Return the rows [first, last) that are seen in a list of `count` rows of `height` pixels. */
export function useWindowed(ref: { readonly current: HTMLElement | null }, count: number, height: number): Span {
  const [span, setSpan] = useState<Span>({ first: 0, last: Math.min(count, 2 * AROUND) });
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const top = ref.current?.getBoundingClientRect().top ?? 0;
      const seen = spanOf(-top, window.innerHeight, count, height);
      setSpan((before) => (before.first === seen.first && before.last === seen.last ? before : seen));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      window.removeEventListener("scroll", soon);
      window.removeEventListener("resize", soon);
    };
  }, [ref, count, height]);
  return { first: Math.min(span.first, count), last: Math.min(span.last, count) };
}

/** Return the rows that lie in `seen` pixels behind the `above` first ones, with some around them. */
export function spanOf(above: number, seen: number, count: number, height: number): Span {
  const first = Math.max(0, Math.floor(above / height) - AROUND);
  const last = Math.min(count, Math.max(0, Math.ceil((above + seen) / height)) + AROUND);
  return { first: Math.min(first, last), last };
}
