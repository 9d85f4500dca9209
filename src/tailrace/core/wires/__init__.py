"""The wires: forms in which output goes to its viewers.

What lives here: a framer per wire, pure from chunks to bytes, so that Flask, ASGI and a broadcast send the same; the
ids of event streams; the choice of a wire.
What may be imported: the rest of the core.
What never: a server, a request, a clock: who sends, when, and what a closed connection means is decided outside.

| wire | content type | stops early by |
|---|---|---|
| text | text/plain; charset=utf-8 | aborting |
| lines | text/event-stream | closing; the client resumes |
| sse | text/event-stream | closing; the client resumes |
| ndjson | application/x-ndjson | aborting |
| cast | application/x-asciicast | aborting |
| websocket | binary and text messages | closing; the client resumes |
"""

from tailrace.core.wires.base import LIMIT_BYTES, Framer
from tailrace.core.wires.eventstream import EventId, parse_event_id
from tailrace.core.wires.plain import PLAIN
from tailrace.core.wires.table import WIRES, choose, framer, kind, prefer

__all__ = ["LIMIT_BYTES", "PLAIN", "WIRES", "EventId", "Framer", "choose", "framer", "kind", "parse_event_id", "prefer"]
