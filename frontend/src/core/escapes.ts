/** Control sequences in a line (ECMA-48, 5.4; xterm's control sequences): where each ends, and what it is.
 *
 * A sequence lies within its line. One that does not end there is none: its ESC is shown, and what follows it is text,
 * so that nothing can hide the rest of an output by leaving a sequence open.
 */

export type Escape =
  /** `CSI parameters final`; intermediates, and parameters that begin with `<=>?`, make it another, unknown here */
  | { kind: "csi"; parameters: string; final: string; end: number }
  /** `OSC text`: a title, a link, progress */
  | { kind: "osc"; text: string; end: number }
  /** any other that is whole: it is passed over */
  | { kind: "other"; end: number };

const CSI = /\x1b\[([0-?]*)([ -/]*)([@-~])/y;
/** ended by BEL or ST */
const OSC = /\x1b\]([^\x07\x1b]*)(?:\x07|\x1b\\)/y;
/** DCS, SOS, PM, APC: ended by ST */
const STRING = /\x1b[PX^_][^\x1b]*\x1b\\/y;
const SHORT = /\x1b[ -/]*[0-OQ-WYZ\\`-~]/y;

/** Return the sequence that begins at this ESC, or null if there is none. */
export function escapeAt(text: string, at: number): Escape | null {
  const csi = match(CSI, text, at);
  if (csi) {
    const [whole, parameters = "", intermediates, final = ""] = csi;
    const end = at + whole.length;
    return intermediates || /^[<-?]/.test(parameters)
      ? { kind: "other", end }
      : { kind: "csi", parameters, final, end };
  }
  const osc = match(OSC, text, at);
  if (osc) return { kind: "osc", text: osc[1] ?? "", end: at + osc[0].length };
  const other = match(STRING, text, at) ?? match(SHORT, text, at);
  return other ? { kind: "other", end: at + other[0].length } : null;
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
