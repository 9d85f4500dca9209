"""What a server's refusal means here: the same error as if the runs lived on this machine.

The other way round, from an error to a status and a problem document, is `tailrace.web.problems`; a test holds the two
together.
"""

from http import HTTPStatus
from typing import TypeVar

import msgspec

from tailrace.core.errors import (
    EngineError,
    EngineUnavailable,
    InvalidInput,
    KeyBusy,
    LimitReached,
    NoSpace,
    NotAllowed,
    NotEnforceable,
    OffsetBeyondEnd,
    TailraceError,
    UnknownCommand,
    UnknownRun,
    UnknownWire,
    WrongState,
)  # fmt: skip

T = TypeVar("T")

PROBLEM = "application/problem+json"
TEXT_CHARS = 1000
"""of a server's words, so many are told"""
_HINT = "see that this is the address of a Tailrace server, with the prefix where it is mounted"
_TOKEN = "ask whoever looks after the server; TAILRACE_TOKEN holds the token that is sent to it"  # noqa: S105  (a name)

_BASIC = "put them into TAILRACE_HEADERS or --header, as 'Authorization: Basic ' and the Base64 of NAME:PASSWORD"

ERRORS: dict[int, type[TailraceError]] = {
    HTTPStatus.UNAUTHORIZED: NotAllowed,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.NOT_ACCEPTABLE: UnknownWire,
    HTTPStatus.REQUEST_TIMEOUT: EngineUnavailable,
    HTTPStatus.CONFLICT: WrongState,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE: OffsetBeyondEnd,
    HTTPStatus.TOO_MANY_REQUESTS: EngineUnavailable,
    HTTPStatus.BAD_GATEWAY: EngineUnavailable,
    HTTPStatus.SERVICE_UNAVAILABLE: EngineUnavailable,
    HTTPStatus.GATEWAY_TIMEOUT: EngineUnavailable,
    HTTPStatus.INSUFFICIENT_STORAGE: NoSpace,
}
"""any other of the 400s is the caller's mistake, anything else the engine's"""


class Reply(msgspec.Struct, frozen=True):
    """An answer of a server: its status, its headers by their lower-case names, and its body."""

    status: int
    headers: dict[str, str]
    body: bytes


def read(reply: Reply, decoder: msgspec.json.Decoder[T], subject: str) -> T:
    """Return what a server's answer of 200 says.

    Args:
        reply: the answer.
        decoder: of what is expected.
        subject: what was asked about.

    Raises:
        TailraceError: it is a refusal; or, as an `EngineError`, it is not what such a server answers.
    """
    if reply.status != HTTPStatus.OK:
        raise error_of(reply, op="read", subject=subject)
    return decoded(reply, decoder, subject)


def decoded(reply: Reply, decoder: msgspec.json.Decoder[T], subject: str) -> T:
    """Return what the body of an answer says.

    Raises:
        EngineError: it is not what such a server answers.
    """
    try:
        return decoder.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise EngineError(
            f"the server's answer cannot be read: {error}",
            op="read",
            subject=subject,
            hint="see that this is the address of a Tailrace server, of this client's version, and what stands between",
        ) from None


class _Problem(msgspec.Struct, frozen=True):
    detail: str = ""
    hint: str = ""
    limit: str = ""
    retry_after: int = 0


_PROBLEMS = msgspec.json.Decoder(_Problem)


def error_of(reply: Reply, *, op: str, subject: str) -> TailraceError:
    """Return the error that a reply other than the wanted one tells of.

    Args:
        reply: the server's.
        op: what was asked for: `start`, `list`; of a run anything else.
        subject: the run's id, the command's name, or the server's URL.
    """
    problem = _problem_of(reply)
    kind = _kind(reply.status, op, is_told=problem is not None)
    if problem is not None and problem.retry_after:
        return _limit_in(problem, op, subject)
    if problem is not None:
        return kind(_clean(problem.detail), op=op, subject=subject, hint=_clean(problem.hint) or _HINT)
    if 300 <= reply.status < 400:
        to = _clean(reply.headers.get("location", "nowhere"))
        return NotAllowed(
            f"the server sends on to {to}", op=op, subject=subject, hint=f"give that address, or {_TOKEN}"
        )
    message = f"the server answers {reply.status} {_phrase(reply.status)}".rstrip()
    if reply.headers.get("www-authenticate", "").lower().startswith("basic"):
        return kind(f"{message}: it wants a name and a password", op=op, subject=subject, hint=_BASIC)
    hint = _TOKEN if kind is NotAllowed else "try again later" if kind is EngineUnavailable else _HINT
    return kind(message, op=op, subject=subject, hint=hint)


def _limit_in(problem: _Problem, op: str, subject: str) -> LimitReached:
    what = _clean(problem.limit) or subject
    error = LimitReached(_clean(problem.detail), op=op, subject=what, hint=_clean(problem.hint) or "try again later")
    error.retry_s = problem.retry_after
    return error


def is_problem(reply: Reply) -> bool:
    """Tell whether a reply is in a server's own words, and so was meant."""
    return _problem_of(reply) is not None


def _kind(status: int, op: str, *, is_told: bool) -> type[TailraceError]:
    """Return the class of the error; a 404 speaks of the run only where a run was named, and in our own words."""
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE) and is_told and op not in ("start", "list"):
        return UnknownRun
    if status == HTTPStatus.NOT_FOUND and is_told and op == "start":
        return UnknownCommand
    if status == HTTPStatus.NOT_IMPLEMENTED and is_told:
        return NotEnforceable
    if status == HTTPStatus.CONFLICT and op == "start":
        return KeyBusy
    return ERRORS.get(status, InvalidInput if 400 <= status < 500 else EngineError)


def _problem_of(reply: Reply) -> _Problem | None:
    if reply.headers.get("content-type", "").partition(";")[0].strip().lower() != PROBLEM:
        return None
    try:
        problem = _PROBLEMS.decode(reply.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return problem if problem.detail else None


def _clean(text: str) -> str:
    return " ".join(text.split())[:TEXT_CHARS]


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
