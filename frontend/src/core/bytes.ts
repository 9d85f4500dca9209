/** Characters and bytes: how many bytes of UTF-8 a text is, and where in it a byte lies. */

/** Return how many bytes of UTF-8 the characters [from, to) are. */
export function byteLength(text: string, from = 0, to = text.length): number {
  let bytes = 0;
  for (let at = from; at < to; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) bytes += 1;
    else if (code < 0x800) bytes += 2;
    else if (isHigh(code) && at + 1 < to && isLow(text.charCodeAt(at + 1))) {
      bytes += 4;
      at += 1;
    } else bytes += 3;
  }
  return bytes;
}

/** Return the index of the character that begins with this byte; null: none does. */
export function indexOfByte(text: string, byte: number): number | null {
  let bytes = 0;
  for (let at = 0; at <= text.length; at += 1) {
    if (bytes >= byte) return bytes === byte ? at : null;
    const code = text.charCodeAt(at);
    const isPair = isHigh(code) && at + 1 < text.length && isLow(text.charCodeAt(at + 1));
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : isPair ? 4 : 3;
    if (isPair) at += 1;
  }
  return null;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}
