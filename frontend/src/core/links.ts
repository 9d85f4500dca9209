/** Addresses in text. Only http and https lead anywhere; whatever else looks like an address is text. */

export interface Link {
  begin: number;
  end: number;
  href: string;
}

/** of a line; further addresses are text. To read thousands of them for each row takes long, and a row shows no more. */
export const MOST_LINKS = 1000;

const ADDRESS = /\bhttps?:\/\/[^\s<>"'`{}|\\^\u2400-\u2426\u27e6\u27e7]+/giu;
/** that an address hardly ever ends with, but a sentence does */
const TRAILING = ".,;:!?*_~";
const OPENING: Readonly<Record<string, string>> = { ")": "(", "]": "[" };

/** Return the addresses in a text, in order. */
export function linksIn(text: string): Link[] {
  if (!text.includes("://")) return [];
  const links: Link[] = [];
  for (const match of text.matchAll(ADDRESS)) {
    if (links.length >= MOST_LINKS) break;
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

/** Each character is looked at once: a line of nothing but brackets must not take long. */
function trimmed(address: string): string {
  const counts = { "(": 0, ")": 0, "[": 0, "]": 0 } as Record<string, number>;
  for (const character of address) if (character in counts) counts[character] = (counts[character] ?? 0) + 1;
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    const opening = OPENING[last];
    const isUnpaired = opening !== undefined && (counts[last] ?? 0) > (counts[opening] ?? 0);
    if (!isUnpaired && !TRAILING.includes(last)) break;
    if (isUnpaired) counts[last] = (counts[last] ?? 0) - 1;
  }
  return address.slice(0, end);
}
