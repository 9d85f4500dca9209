/** Combining characters, bounded: xterm.js keeps all that come behind a character in its cell, and draws them each time.
 *
 * A million of them in one cell stop the page for minutes. More than a few are no writing system's.
 */

/** that stay behind one character; a text that is cut among them may bring so many again */
const MOST = 8;
const MANY = new RegExp(`(\\p{M}{${MOST}})\\p{M}+`, "gu");

/** Return the text with a few of such characters, where there are many. */
export function bounded(text: string): string {
  return text.replace(MANY, "$1");
}
