"""An answer, as an ASGI application of its own, and for frameworks that stream what they iterate over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import cast

from tailrace.core.errors import TailraceError
from tailrace.web.loop.delivery import Delivery
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.pieces import pieces
from tailrace.web.loop.sinks import LENDER, Gone, Lender, LentSink, Receive, Scope, Send, SendSink
from tailrace.web.responses import Response
from tailrace.web.steps import Leaving, Stream

Report = Callable[[Exception], None]


class Answer:
    """A response: call it as an ASGI application, or hand its parts to a framework's own streaming response.

    Attributes:
        status: the HTTP status.
        headers: names and values.
    """

    def __init__(self, response: Response, report: Report) -> None:
        self.status = response.status
        self.headers = list(response.headers)
        self._body = response.body
        self._report = report
        if isinstance(self._body, bytes):
            self.headers.append(("Content-Length", str(len(self._body))))

    def __del__(self) -> None:
        """Let go of what nobody asked for."""
        if isinstance(self._body, Stream):
            self._body.close()

    @property
    def body(self) -> AsyncIterator[bytes]:
        """The bytes as they come; iterate over it, or call the answer, but not both.

        Close it (`aclose`) to stop early; the run goes on.

        Raises:
            ConnectionResetError: the stream stops before the recorded end, and must not look complete.
        """
        return self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        """Yield them; as long as this is held, so is the answer, which would let go of the run otherwise."""
        async with aclosing(pieces(self._body, self._report)) as found:
            async for piece in found:
                yield piece

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        body, self._body = self._body, None
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": self._raw_headers()})
            if not isinstance(body, Stream):
                data = b"" if scope.get("method") == "HEAD" else body or b""
                await send({"type": "http.response.body", "body": data, "more_body": False})
                return
            aborts, delivery = body.aborts, Delivery(hall_of(asyncio.get_running_loop()), body)
            lender = _lender(scope)
            sink = delivery.sink = _lent(lender, delivery) or SendSink(receive, send, delivery.lapse)
            del self.headers, scope, receive  # a viewer may stay for days
            is_complete = False
            try:
                if sink.lent is None:  # granian keeps the headers back until there is a body
                    await send({"type": "http.response.body", "body": b"", "more_body": True})
                await delivery.run()
                is_complete = True
            except Gone:
                aborts = False
            except (TailraceError, OSError) as error:
                if not isinstance(error, Leaving):
                    self._report(error)
                is_complete = not aborts
            finally:
                sink.close(is_cut=not is_complete)
            if is_complete:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            elif sink.lent is None and lender is not None:
                lender.cut()
            elif aborts and sink.lent is None:
                raise ConnectionResetError("a stream is cut before its recorded end")  # then no server ends it properly
        finally:
            if isinstance(body, Stream):
                body.close()

    def _raw_headers(self) -> list[tuple[bytes, bytes]]:
        return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]


def _lender(scope: Scope) -> Lender | None:
    return cast("dict[str, Lender]", scope.get("extensions") or {}).get(LENDER)


def _lent(lender: Lender | None, delivery: Delivery) -> LentSink | None:
    """Return a sink with the server's transport; None if it lends none."""
    if lender is None:
        return None
    sink = LentSink(delivery.clogged, delivery.gone)
    sink.lent = lender.lend(sink)
    return sink if sink.lent is not None else None
