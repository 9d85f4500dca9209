/** Characters that would act on whoever reads, made visible: controls, and those that turn the direction of text around. */

/** C0, DEL and C1; embeddings, overrides and isolates of the direction (Unicode, UAX 9); line and paragraph separators. */
export const ACTING = /[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/;

const NAMES: Readonly<Record<number, string>> = {
  8232: "LS",
  8233: "PS",
  8234: "LRE",
  8235: "RLE",
  8236: "PDF",
  8237: "LRO",
  8238: "RLO",
  8294: "LRI",
  8295: "RLI",
  8296: "FSI",
  8297: "PDI",
};

/** Return what is shown for an acting character: `␀`, `⟦RLO⟧`, `⟦9B⟧`; nothing for a bell. */
export function shown(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 7) return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `\u27e6${NAMES[code] ?? code.toString(16).toUpperCase().padStart(2, "0")}\u27e7`;
}

/** of them, that one character is shown with; a million of them would be painted over the rows around */
export const MOST_COMBINING = 4;

export const COMBINING = /\p{M}/u;
/** More of them in a row than are shown. */
export const MANY_COMBINING = new RegExp(`\\p{M}{${MOST_COMBINING + 1}}`, "u");
