"""An answer, as an ASGI application of its own, and for frameworks that stream what they iterate over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import cast

from tailrace.core.errors import TailraceError
from tailrace.web.loop.delivery import Delivery
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.pieces import pieces
from tailrace.web.loop.sinks import LENDER, Gone, Lender, LentSink, Receive, Scope, Send, SendSink
from tailrace.web.responses import Response
from tailrace.web.viewer import Leaving, Viewer

Report = Callable[[Exception], None]


class Answer:
    """A response: call it as an ASGI application, or hand its parts to a framework's own streaming response.

    Attributes:
        status: the HTTP status.
        headers: names and values.
        body: an asynchronous iterator of bytes; iterate over it, or call the answer, but not both.
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
        if isinstance(self._body, Viewer):
            self._body.close()

    @property
    def body(self) -> AsyncIterator[bytes]:
        """The bytes as they come. Close it (`aclose`) to stop early; the run goes on.

        Raises:
            ConnectionResetError: the stream stops before the recorded end, and must not look complete.
        """
        return pieces(self._body, self._report)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in self.headers]
        try:
            await send({"type": "http.response.start", "status": self.status, "headers": headers})
            if isinstance(self._body, Viewer):
                await self._stream(self._body, scope, receive, send)
            else:
                await send({"type": "http.response.body", "body": self._body or b"", "more_body": False})
        except OSError as error:
            if isinstance(error, ConnectionResetError):
                raise
            return  # ASGI 2.4: so says a server that the viewer has left
        finally:
            if isinstance(self._body, Viewer):
                self._body.close()

    async def _stream(self, viewer: Viewer, scope: Scope, receive: Receive, send: Send) -> None:
        """Deliver it, and end the response, or cut it."""
        delivery = Delivery(hall_of(asyncio.get_running_loop()), viewer)
        sink = delivery.sink = _lent(scope, delivery) or SendSink(receive, send, delivery.lapse)
        aborts, is_cut, is_gone = viewer.framer.aborts, True, False
        del viewer, scope, receive
        try:
            await delivery.run()
            is_cut = False
        except Gone:
            is_gone = True
        except (TailraceError, OSError) as error:
            if not isinstance(error, Leaving):
                self._report(error)
            is_cut = aborts
        finally:
            sink.close(is_cut=is_cut)
        if not is_cut:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        elif not is_gone and sink.lent is None:
            raise ConnectionResetError("a stream is cut before its recorded end")  # no server ends the response then


def _lent(scope: Scope, delivery: Delivery) -> LentSink | None:
    """Return a sink with the server's transport; None if it lends none."""
    lender = cast("dict[str, Lender]", scope.get("extensions") or {}).get(LENDER)
    if lender is None:
        return None
    sink = LentSink(delivery.clogged, delivery.lapse)
    sink.lent = lender.lend(sink)
    return sink if sink.lent is not None else None
