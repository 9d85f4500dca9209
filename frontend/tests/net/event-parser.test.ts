import { describe, expect, it } from "vitest";
import { EventParser, MOST_CHARS, type ServerEvent } from "../../src/net/event-parser";

function parsed(parts: readonly string[]): { events: ServerEvent[]; ids: string[]; parser: EventParser } {
  const events: ServerEvent[] = [];
  const ids: string[] = [];
  const parser = new EventParser(
    (event) => events.push(event),
    (id) => ids.push(id),
  );
  for (const part of parts) parser.add(part);
  return { events, ids, parser };
}

const STREAM =
  'id: 1\n\n: beat\n\nevent: output\nid: 2\ndata: {"a":\ndata: 1}\n\ndata:x\ndata\n\nid\ndata: no id\n\nretry: 70\n\n';
const EVENTS = [
  { name: "output", data: '{"a":\n1}', id: "2" },
  { name: "message", data: "x\n", id: "2" },
  { name: "message", data: "no id", id: "" },
];

describe("an event stream", () => {
  it.each(["\n", "\r", "\r\n"])(
    "is taken apart the same, lines ending with %j, byte by byte and cut anywhere",
    (end) => {
      const text = STREAM.replaceAll("\n", end);
      expect(parsed([text])).toMatchObject({ events: EVENTS, ids: ["1", "2", ""] });
      expect(parsed([...text])).toMatchObject({ events: EVENTS, ids: ["1", "2", ""] });
      for (let at = 0; at <= text.length; at += 1) {
        const { events, parser } = parsed([text.slice(0, at), "", text.slice(at)]);
        expect(events).toEqual(EVENTS);
        expect(parser.retryMs).toBe(70);
      }
    },
  );

  it("mixes line ends", () => {
    expect(parsed(["data: a\r\ndata: b\rdata: c\n\r\n"]).events).toEqual([
      { name: "message", data: "a\nb\nc", id: "" },
    ]);
  });

  it("keeps what has not ended to itself", () => {
    expect(parsed(["data: a\n"]).events).toEqual([]);
    expect(parsed(["id: 7\ndata: a\n"]).parser.id).toBe("");
  });

  it("takes no id with a NUL, and passes over names it does not know", () => {
    expect(parsed(["id: a\0b\nfoo: bar\n:x\ndata: y\n\n"]).events).toEqual([{ name: "message", data: "y", id: "" }]);
  });

  it("does not fill the memory with a line or an event that has no end", () => {
    const part = "x".repeat(MOST_CHARS / 4);
    expect(() => parsed([part, part, part, part, part])).toThrow(RangeError);
    const line = `data: ${part}\n`;
    expect(() => parsed([line, line, line, line, line])).toThrow(RangeError);
  });
});
