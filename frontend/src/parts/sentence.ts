/** The server's words as a sentence: they begin small and end without a full stop. */

export function sentence(words: string): string {
  if (words === "") return "";
  return words.charAt(0).toUpperCase() + words.slice(1) + (/[.!?…]$/.test(words) ? "" : ".");
}
