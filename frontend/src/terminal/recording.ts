/** A run's output with its times, read piece by piece as fast as it is wanted, and no faster.
 *
 * It comes on the ndjson wire; the response's body is read only when the next piece is asked for, so what is not wanted
 * yet stays at the server.
 */

import type { Piece } from "../core/shapes";

/** Yield the pieces from an offset on, up to what there is now.
 *
 * @throws Error, if the connection is lost or the server refuses.
 */
export async function* recording(address: string, offset: number, signal: AbortSignal): AsyncGenerator<Piece> {
  const response = await fetch(`${address}/output?format=ndjson&follow=0&from=${offset}`, { signal });
  if (!response.ok || !response.body) throw new Error(`the recording cannot be read: ${response.statusText}`);
  for await (const text of linesOf(response.body)) {
    const message: unknown = JSON.parse(text);
    if (isPiece(message)) yield message;
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let held = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const lines = (held + value).split("\n");
      held = lines.pop() ?? "";
      yield* lines;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function isPiece(message: unknown): message is Piece {
  return typeof message === "object" && message !== null && "text" in message && "offset" in message;
}
