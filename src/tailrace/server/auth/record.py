"""What the audit is told of those who come in and go out, and of links that are opened: none of it passes the door."""

from typing import Final, Literal, TypeAlias

from tailrace._asgi.asking import client_of
from tailrace.core.errors import NotRecorded
from tailrace.server.logs import report
from tailrace.web.loop.sinks import Scope
from tailrace.web.requests import Request
from tailrace.web.routes.account import Auditor, event

Happening: TypeAlias = Literal["login", "logout", "open", "metrics"]
"""somebody comes in, goes out, opens a link to a run, asks for the figures"""
NAME_CHARS: Final = 256


class Record:
    """One server's.

    Args:
        auditor: where it goes; None: nothing is recorded.
    """

    def __init__(self, auditor: Auditor | None) -> None:
        self._auditor = auditor

    def before(self, scope: Scope, what: Happening, *, who: str, via: str) -> None:
        """Record what is about to be done.

        Raises:
            NotRecorded: it is not on record, and must not be done.
        """
        try:
            event(self._auditor, _request(scope), what, allowed=True, who=who[:NAME_CHARS], via=via)
        except NotRecorded as error:
            report(error)
            if self._auditor is not None and self._auditor.is_strict:
                raise

    def done(  # noqa: PLR0913  what a line has
        self,
        scope: Scope,
        what: Happening,
        *,
        who: str | None = None,
        via: str = "",
        run: str | None = None,
        why: str = "",
        status: int | None = None,
    ) -> None:
        """Record what was done, or with `why`, what was refused; a record that cannot be written undoes neither."""
        name = None if who is None else who[:NAME_CHARS]
        request = _request(scope)
        try:
            event(
                self._auditor, request, what, allowed=not why, who=name, via=via, run=run, why=why, status=status
            )  # fmt: skip
        except NotRecorded as error:
            report(error)


def _request(scope: Scope) -> Request:
    return Request(method=str(scope.get("method", ""))[:20], path=str(scope["path"]), client=client_of(scope))
