"""Answers that a framework takes for its own: a view returns what `stream` gives it, and that is all.

Nothing is imported that is not there already: who gives a framework's request has that framework. Litestar takes any
ASGI application for an answer.
"""

import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Final, cast

from tailrace._asgi.answers import Answer, Report
from tailrace.web.responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.background import BackgroundTask

    from tailrace.web.loop.sinks import Receive, Scope, Send


def answer_to(asked: object, response: Response, report: Report) -> Answer:
    """Return an answer, as the framework whose request was given wants it."""
    answer = Answer(response, report)
    for (module, name), make in _MAKERS.items():
        known = getattr(sys.modules.get(module), name, None)
        if isinstance(known, type) and isinstance(asked, known):
            return cast("Answer", make(answer))
    return answer


def _starlette(answer: Answer) -> object:
    return _starlette_class()(answer)


def _quart(answer: Answer) -> object:
    from quart import Response as QuartResponse

    made = QuartResponse(answer.body, status=answer.status)
    made.headers.clear()
    made.headers.extend(answer.headers)
    made.timeout = None  # else Quart ends each response after a minute
    return made


def _django(answer: Answer) -> object:
    from django.http import StreamingHttpResponse

    return StreamingHttpResponse(answer.body, status=answer.status, headers=dict(answer.headers))


_MAKERS: Final[Mapping[tuple[str, str], Callable[[Answer], object]]] = {
    ("starlette.requests", "Request"): _starlette,  # and FastAPI's
    ("quart.wrappers", "Request"): _quart,
    ("django.core.handlers.asgi", "ASGIRequest"): _django,
}


@cache
def _starlette_class() -> Callable[[Answer], object]:
    from starlette.responses import Response as StarletteResponse

    class StarletteAnswer(StarletteResponse):
        """FastAPI makes JSON of what is no response of its own. Headers and cookies may be set, as on any other."""

        def __init__(self, answer: Answer) -> None:
            self.answer = answer
            self.status_code = self.status = answer.status
            self.background: BackgroundTask | None = None
            self.raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]

        @property
        def body(self) -> "AsyncIterator[bytes]":  # type: ignore[override]  # theirs has it all at once
            """See `Answer.body`."""
            return self.answer.body

        async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
            """Send it, and do what is to be done after it."""
            self.answer.headers = [(name.decode(), value.decode("latin-1")) for name, value in self.raw_headers]
            await self.answer(scope, receive, send)
            if self.background is not None:
                await self.background()

    return cast("Callable[[Answer], object]", StarletteAnswer)
