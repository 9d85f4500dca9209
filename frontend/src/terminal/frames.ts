/** Messages of the websocket wire, `tailrace.v1`: a header of 18 bytes, big-endian, then output. */

import type { StreamName } from "../core/shapes";

export const SUBPROTOCOL = "tailrace.v1";

const HEADER_BYTES = 18;
const OUTPUT = 1;
const STREAMS: Readonly<Record<number, StreamName>> = { 1: "stdout", 2: "stderr" };

export interface Frame {
  offset: number;
  stream: StreamName;
  /** in seconds since the start; null: not known */
  time: number | null;
  data: Uint8Array;
}

/** Return the output that a binary message holds; null: it is of another kind, and is to be left out. */
export function frameOf(message: ArrayBuffer): Frame | null {
  if (message.byteLength < HEADER_BYTES) return null;
  const view = new DataView(message);
  if (view.getUint8(0) !== OUTPUT) return null;
  const time = view.getBigInt64(10);
  return {
    offset: Number(view.getBigUint64(2)),
    stream: STREAMS[view.getUint8(1)] ?? "mixed",
    time: time < 0n ? null : Number(time) / 1e6,
    data: new Uint8Array(message, HEADER_BYTES),
  };
}
