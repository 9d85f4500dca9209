"""One call of a route: the request, what came with it, and what the route's function may use to answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol, TypeAlias, TypeVar

import msgspec

from tailrace.core.access import Action
from tailrace.core.command import Command, Commands
from tailrace.core.errors import CallerError, InvalidInput, TailraceError
from tailrace.core.identity import Identity
from tailrace.core.run import RunInfo
from tailrace.core.share import Link
from tailrace.engine.base import Engine
from tailrace.engine.run import Run
from tailrace.web.problems import UNRECORDED, problem, response_to
from tailrace.web.requests import Request
from tailrace.web.responses import Response, Visitor
from tailrace.web.routes.account import Account, Unrecorded

May: TypeAlias = Callable[[Action, RunInfo | None], bool]
"""tells whether the caller may do this: to any run at all (None), or to this one"""

FIELDS_BYTES = 16 << 10
"""of a JSON body"""
JSON = "application/json"
BYTES = "application/octet-stream"

Fields = TypeVar("Fields", bound=msgspec.Struct)


class Sharing(Protocol):
    """Where links to runs are made and ended; see `tailrace.server.auth.shares`."""

    def make(self, run_id: str, lasts_s: float, by: str | None) -> tuple[str, Link]:
        """Return what opens the run to whoever has it, for so many seconds, and what is kept of it."""

    def of(self, run_id: str | None) -> Sequence[Link]:
        """Return the links to the run that are good."""

    def end(self, run_id: str | None, link_id: str | None) -> int:
        """End a link to the run, or all (None); return how many."""


class Refused(Exception):
    """The call is answered by this response, and nothing was done."""

    def __init__(self, status: HTTPStatus, detail: str, hint: str) -> None:
        super().__init__(detail)
        self.response = problem(status, detail, hint)


class Instead(Exception):
    """The application answers the caller itself; its adapter, which raises this, knows how."""

    is_answer = True
    """whether that is all; if not, the call is to be answered anew"""


def guarded(work: Callable[[], Response], report: Callable[[Exception], None]) -> Response:
    """Return what the work returns; of whatever goes wrong, a problem document.

    Args:
        work: answers a call.
        report: told of every error that is not the caller's.

    Raises:
        Instead: the application answers itself.
    """
    try:
        return work()
    except Instead:
        raise
    except Refused as refused:
        return refused.response
    except Unrecorded:
        return UNRECORDED
    except TailraceError as error:
        if not isinstance(error, CallerError):
            report(error)
        return response_to(error)
    except Exception as error:  # noqa: BLE001  the boundary: whatever it is, the client gets a document, the log the rest
        report(error)
        return problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "something went wrong here", "try again later; the server's log says more"
        )


@dataclass(frozen=True, kw_only=True)
class Call:
    """What an adapter knows of a request, and how it is allowed to be answered."""

    request: Request
    engine: Callable[[], Engine]
    """where runs live; not asked for before the caller is known to be allowed"""
    may: May
    """raises `Instead` where the application answers itself"""
    sees_all: bool = False
    """whether nobody decides, and the caller may view every run"""
    hosts: frozenset[str] | None = None
    """the names by which this may be asked, besides addresses and those of this machine; None: any"""
    query: Sequence[tuple[str, str]] = ()
    """the whole of it, in order"""
    content_type: str = ""
    read: Callable[[int], bytes] = lambda _limit: b""
    """returns the body, at most so many bytes of it"""
    info: RunInfo | None = None
    """the run that the path names"""
    commands: Commands = field(default_factory=Commands)
    """what may be started"""
    command: Command | None = None
    """which of them the path names"""
    file: str = ""
    """the name of a file that the path names"""
    notice: str = ""
    """what whoever looks after the server is to know"""
    protocols: Sequence[str] | None = None
    """of a websocket's handshake, the subprotocols that the client offers; None: this is no such handshake"""
    is_leaving: Callable[[], bool] = lambda: False
    """whether the server is stopping, and nothing is to be waited for"""
    has_sockets: bool = False
    """whether the adapter can open websockets"""
    report: Callable[[Exception], None] = lambda _error: None
    """told of errors, not the caller's, that come after the call has been answered"""
    refusal: Callable[[Visitor], Response | None] = lambda _visitor: None
    """returns the answer to one viewer too many; to be asked before a run is started for him"""
    lasting: Callable[[May], May] = lambda may: may
    """returns a `may` that can be asked after the call has been answered, while its stream goes on"""
    account: Account | None = None
    """what the audit is told of it; None: there is none"""
    who: Identity | None = None
    """the caller, where the server itself knows him"""
    may_command: Callable[[Action, Command], bool] = lambda _action, _command: True
    """tells whether the caller may do this to the command; behind the door, `commands` has those that he may list, or
    start"""
    has_login: bool = False
    """whether a login comes before the rest, so that the pages' files are for everybody"""
    session_cookie: str = ""
    """the name of the cookie by which browsers are known then; empty: they are known otherwise"""
    sharing: Sharing | None = None
    """None: links to a run cannot be made here"""

    @property
    def run(self) -> Run:
        """The run that the path names.

        Raises:
            LookupError: it names none; the route's mistake.
        """
        return Run(self.engine(), self.shown.id)

    @property
    def shown(self) -> RunInfo:
        """The run that the path names, as it was when the caller was let in.

        Raises:
            LookupError: it names none; the route's mistake.
        """
        if self.info is None:
            raise LookupError("this route names no run")
        return self.info

    @property
    def declared(self) -> Command:
        """The command that the path names.

        Raises:
            LookupError: it names none; the route's mistake.
        """
        if self.command is None:
            raise LookupError("this route names no command")
        return self.command


def body(call: Call, limit_bytes: int, hint: str) -> bytes:
    """Return the body.

    Raises:
        Refused: it is longer than the limit.
    """
    data = call.read(limit_bytes + 1)
    if len(data) > limit_bytes:
        raise Refused(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is longer than the {limit_bytes} bytes that are taken", hint
        )
    return data


def fields(call: Call, decoder: msgspec.json.Decoder[Fields]) -> Fields:
    """Return what a JSON body says; no body says nothing.

    Raises:
        Refused: it is something else, or too long.
        InvalidInput: it is not JSON, or has other fields than these.
    """
    if call.content_type:
        check_type(call, JSON)
    data = body(call, FIELDS_BYTES, "leave out what is not needed")
    if not data:
        return decoder.decode(b"{}")
    check_type(call, JSON)
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        known = ", ".join(decoder.type.__struct_fields__) or "none"
        raise InvalidInput(
            f"the body cannot be used: {_words(error)}",
            op="read",
            subject="body",
            hint=f"send a JSON object; its fields, all optional: {known}",
        ) from None


def _words(error: msgspec.MsgspecError | UnicodeDecodeError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    text = str(error).removeprefix("JSON is malformed: ")
    is_json = isinstance(error, msgspec.ValidationError)
    return f"{'' if is_json else 'it is not JSON: '}{text[:1].lower()}{text[1:]}"


def check_type(call: Call, wanted: str) -> None:
    """See that the body is of the type; a form of another site's page can be of neither that is taken here.

    Raises:
        Refused: it is not.
    """
    if media_type(call) != wanted:
        raise wrong_type(call, wanted)


def media_type(call: Call) -> str:
    """Return the type of the body, without its parameters; empty if it has none."""
    return call.content_type.partition(";")[0].strip().lower()


def wrong_type(call: Call, wanted: str) -> Refused:
    """Return what refuses a body of a type that is not wanted."""
    return Refused(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"a body of type {media_type(call)[:40] or 'unknown'} is not taken here",
        f"send Content-Type: {wanted}; without a body, no type: curl -X POST, and not curl -d ''",
    )


def json_response(value: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return a value as JSON, as the command line's `--json` prints it."""
    headers = (("Content-Type", JSON), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
    return Response(status=status, headers=headers, body=msgspec.json.encode(value))
