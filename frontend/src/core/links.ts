/** Addresses in text. Only http and https lead anywhere; whatever else looks like an address is text. */

export interface Link {
  begin: number;
  end: number;
  href: string;
}

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`{}|\\^\u2400-\u2426\u27e6\u27e7]+/giu;
/** that an address hardly ever ends with, but a sentence does */
const TRAILING = /[.,;:!?*_~]$/;
const PAIRS: readonly (readonly [string, string])[] = [
  ["(", ")"],
  ["[", "]"],
];

/** Return the addresses in a text, in order. */
export function linksIn(text: string): Link[] {
  if (!text.includes("://")) return [];
  const links: Link[] = [];
  for (const match of text.matchAll(ADDRESS)) {
    const address = trimmed(match[0]);
    const href = safe(address);
    if (href !== null) links.push({ begin: match.index, end: match.index + address.length, href });
  }
  return links;
}

/** Return the address as one that may be followed, or null. */
export function safe(address: string): string | null {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return null;
  const url = new URL(address);
  return (url.protocol === "http:" || url.protocol === "https:") && url.hostname !== "" ? url.href : null;
}

function trimmed(address: string): string {
  let kept = address;
  for (;;) {
    const last = kept.slice(-1);
    const pair = PAIRS.find(([, close]) => close === last);
    if (TRAILING.test(kept) || (pair && count(kept, pair[1]) > count(kept, pair[0]))) kept = kept.slice(0, -1);
    else return kept;
  }
}

function count(text: string, character: string): number {
  return text.split(character).length - 1;
}
