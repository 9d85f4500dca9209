"""Answers that a framework takes for its own."""

import sys
from functools import cache
from typing import TYPE_CHECKING, cast

from tailrace._asgi.answers import Answer, Report
from tailrace.web.responses import Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from tailrace.web.loop.sinks import Receive, Scope, Send


def answer_to(asked: object, response: Response, report: Report) -> Answer:
    """Return an answer; to a request of Starlette's, and so FastAPI's, as a response of theirs."""
    answer = Answer(response, report)
    starlette = sys.modules.get("starlette.requests")
    if starlette is not None and isinstance(asked, starlette.Request):
        return _starlette_class()(answer)
    return answer


@cache
def _starlette_class() -> "Callable[[Answer], Answer]":
    from starlette.responses import Response as StarletteResponse

    class StarletteAnswer(StarletteResponse):
        """FastAPI makes JSON of what is no response of its own. Headers and cookies may be set, as on any other."""

        def __init__(self, answer: Answer) -> None:
            self.answer = answer
            self.status_code = self.status = answer.status
            self.background = None
            self.raw_headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]

        async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
            """Send it."""
            self.answer.headers = [(name.decode(), value.decode("latin-1")) for name, value in self.raw_headers]
            await self.answer(scope, receive, send)

    return cast("Callable[[Answer], Answer]", StarletteAnswer)
