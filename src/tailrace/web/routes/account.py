"""What the audit is told of a call. The door has an account of each, and closes it, so that no route can leave it out.

What changes something has two lines: one before it is done, without which it is not done (`asked`), one with what
became of it (`answered`). So nothing is done of which there is no record, whatever dies or fills up meanwhile. A
refusal has one line, and so has a look at a run, where those are recorded. Everything else has none.
"""

import secrets
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Literal, Protocol

import msgspec

from tailrace.core import audit
from tailrace.core.audit import Entry
from tailrace.core.errors import NotRecorded
from tailrace.web.problems import CONTENT_TYPE, Problem
from tailrace.web.requests import Request
from tailrace.web.responses import Response

if TYPE_CHECKING:
    from tailrace.web.routes.call import Call

HEADER: Final = "X-Request-Id"
REFUSALS: Final = (
    HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.MISDIRECTED_REQUEST, HTTPStatus.TOO_MANY_REQUESTS,
)  # fmt: skip
HIDDEN: Final = "this caller may not view the run"
UNKNOWN: Final = "nobody knows who asks, and he was led to the login"
HIDDEN_COMMAND: Final = "this caller may not see the command"
ELSEWHERE: Final = "the application answered itself"
MOST_CHARS: Final = 500
"""of a path, or of what is said of an error"""
LOOKS: Final = ("list", "view")
"""actions that change nothing"""
_PROBLEM = msgspec.json.Decoder(Problem)


class Auditor(Protocol):
    """Where the audit goes."""

    @property
    def views(self) -> bool:
        """Whether looks at runs are recorded."""

    @property
    def is_strict(self) -> bool:
        """Whether what cannot be recorded is not done."""

    def write(self, entry: Entry) -> None:
        """Record it.

        Raises:
            NotRecorded: it is not there.
        """

    def finish(self) -> None:
        """Record what is still to follow; for when a process ends.

        Raises:
            NotRecorded: it cannot be.
        """


class Unrecorded(Exception):
    """The call is answered by `UNRECORDED`, and nothing was done."""


@dataclass
class Account:
    """What is known of one call so far, from all times that it was begun.

    Args:
        auditor: where it goes.
        report: told when nothing could be written.
        action: what is asked for; empty as long as that is not known.
        is_repeated: it has been recorded that this is being done, and only a refusal would be news.
    """

    auditor: Auditor
    report: Callable[[Exception], None]
    action: str = ""
    is_repeated: bool = False
    request: str = field(default_factory=lambda: secrets.token_hex(8))
    run: str | None = None
    command: str | None = None
    parameters: Mapping[str, object] | None = None
    why: str = ""
    is_asked: bool = False
    declared: Container[str] = ()
    """the names of all commands, those that this caller is not to know of included"""
    is_unknown: bool = False
    """nobody knows who asks, and he was told so, or led to the login"""

    def again(self, action: str, *, is_repeated: bool) -> "Account":
        """Return one for the next message of a websocket."""
        return Account(self.auditor, self.report, action, is_repeated, run=self.run)

    def ask(self, call: "Call") -> None:
        """Record that something is about to be done; nothing, if it changes nothing.

        Raises:
            Unrecorded: it cannot be recorded, and so must not be done.
        """
        if self.action in LOOKS or self.is_asked or self.is_repeated:
            return
        if not self._write(self._entry(call, "asked", is_allowed=True)) and self.auditor.is_strict:
            raise Unrecorded
        self.is_asked = True

    def close(self, call: "Call", response: Response) -> Response:
        """Record what became of it, and return the response with its id."""
        is_refused = self.is_unknown or bool(self.why) or response.status in REFUSALS
        if is_refused or self.is_asked or self._is_worth_a_line(call):
            self.why = self.why or detail_of(response) or (UNKNOWN if self.is_unknown else "")
            entry = self._entry(call, "answered", is_allowed=not is_refused)
            self._write(msgspec.structs.replace(entry, status=int(response.status)))
        return replace(response, headers=(*response.headers, (HEADER, self.request)))

    def leave(self, call: "Call") -> None:
        """Record that the application answers itself, most often with the way to its login."""
        self.why = ELSEWHERE
        self._write(self._entry(call, "answered", is_allowed=False))

    def _is_worth_a_line(self, call: "Call") -> bool:
        if self.is_repeated:
            return False
        if self.action == "view":
            return self.auditor.views and self.run is not None
        return self.action not in LOOKS and (self.action != "" or call.request.method not in ("GET", "HEAD"))

    def _entry(self, call: "Call", phase: Literal["asked", "answered"], *, is_allowed: bool) -> Entry:
        return Entry(
            time=datetime.now(UTC),
            request=self.request,
            phase=phase,
            who=call.request.user if call.who is None else call.who.name,
            via="" if call.who is None else call.who.via,
            address=call.request.client,
            action=self.action,
            method=call.request.method[:20],
            path=call.request.path[:MOST_CHARS],
            run=self.run,
            command=self.command,
            parameters=self.parameters or {},
            allowed=is_allowed,
            why=self.why[:MOST_CHARS],
        )

    def _write(self, entry: Entry) -> bool:
        """Record it, and tell whether that could be done."""
        try:
            self.auditor.write(entry)
        except NotRecorded as error:
            self.report(error)
            return False
        return True


def note_values(call: "Call", values: Mapping[str, object]) -> None:
    """Note what the path's command is started with."""
    if call.account is not None:
        call.account.parameters = audit.told(call.declared, values)


def note_command(call: "Call", name: str) -> None:
    """Note which command it is about."""
    if call.account is not None:
        call.account.command = name


def note_no_command(call: "Call", name: str) -> None:
    """Note that a command was asked for which is not there, or not for this caller, who is told the former."""
    if call.account is not None and name in call.account.declared:
        call.account.command, call.account.why = name, HIDDEN_COMMAND


def note_unknown(call: "Call") -> None:
    """Note that nobody knows who asks."""
    if call.account is not None:
        call.account.is_unknown = True


def note_run(call: "Call", run_id: str) -> None:
    """Note which run it is about."""
    if call.account is not None:
        call.account.run = run_id


def note_hidden(call: "Call", run_id: str) -> None:
    """Note that a run was asked for which this caller may not view; he is told that it is not there."""
    if call.account is not None:
        call.account.run, call.account.why = run_id, HIDDEN


def event(  # noqa: PLR0913  what a line has
    auditor: Auditor | None,
    request: Request,
    action: str,
    *,
    allowed: bool,
    who: str | None = None,
    via: str = "",
    run: str | None = None,
    why: str = "",
    status: int | None = None,
) -> None:
    """Record what does not go through the door: a login, a logout, a share link made or used, a reload.

    Args:
        auditor: where it goes; None: nothing is recorded.
        request: what was asked; for what nobody asked for over HTTP, an empty one.
        action: a word for it.
        allowed: whether it was done.
        who: the user, if it is not the request's.
        via: how he came in.
        run: the run that it is about.
        why: why not.
        status: that it was answered with.

    Raises:
        NotRecorded: it is not on record; with `is_strict`, it must not be done.
    """
    if auditor is None:
        return
    auditor.write(
        Entry(
            time=datetime.now(UTC),
            request=secrets.token_hex(8),
            who=who or request.user,
            via=via,
            address=request.client,
            action=action,
            method=request.method,
            path=request.path[:MOST_CHARS],
            run=run,
            allowed=allowed,
            why=why[:MOST_CHARS],
            status=status,
        )
    )


def detail_of(response: Response) -> str:
    """Return what a problem document says; empty for any other response."""
    if dict(response.headers).get("Content-Type") != CONTENT_TYPE or not isinstance(response.body, bytes):
        return ""
    return _PROBLEM.decode(response.body).detail
