"""Acting on runs. The door has seen to it that no page of another site asks."""

import threading
from http import HTTPStatus

import msgspec

from tailrace.core.errors import InvalidInput
from tailrace.host.messages import INPUT_BYTES
from tailrace.web.aside import aside
from tailrace.web.responses import Response
from tailrace.web.routes.call import BYTES, Call, body, check_type, fields, json_response

PATIENCE_S = 10.0
"""for a command to take its input; after that the caller is told that it lies ready"""
PATIENT, HASTE_S = 24, 1.0
"""so many wait so long in a process, each in a thread; who comes then waits only until it is surely handed on"""


class StopFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What can be said about a stop."""

    now: bool = False
    """go to the ladder's next rung at once"""


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing can be said."""


STOP = msgspec.json.Decoder(StopFields)
NOTHING = msgspec.json.Decoder(NoFields)


def stop(call: Call) -> Response:
    """Begin the stop ladder, and return the run: 202, or 200 if it was over already."""
    was_over = call.shown.is_finished
    stopped(call, now=fields(call, STOP).now)
    return json_response(call.run.info(), HTTPStatus.OK if was_over else HTTPStatus.ACCEPTED)


def stopped(call: Call, *, now: bool) -> None:
    """Begin the stop ladder of the path's run, in the name of the caller; `now`: go to its next rung at once.

    Raises:
        WrongState, EngineUnavailable: see `Run.stop`.
    """
    run = call.run
    aside(lambda: run.stop(by=call.request.by, now=now))


def send_input(call: Call) -> Response:
    """Write the body to the command's standard input; with `close=1` end the input behind it.

    204: the command's pipe has taken all of it. 202: the keeper has it, and the command has not read that far yet;
    or the server, which is stopping, does not wait for that.
    One body is one message: it is taken whole, or refused whole.

    Raises:
        InvalidInput: there is nothing to do, or the query makes no sense.
        WrongState: the run takes no input, or is still being sent some.
    """
    closes = _closes(call)
    data = body(call, INPUT_BYTES, "send it in several requests, each when the one before was answered with 204")
    if data or call.content_type:
        check_type(call, BYTES)
    if not data and not closes:
        raise InvalidInput(
            "there is no input in this request", op="send", subject="body", hint="send a body, or ?close=1"
        )

    is_taken = give(call, data, closes=closes)
    headers = (("Cache-Control", "no-store"),)
    if is_taken:
        return Response(status=HTTPStatus.NO_CONTENT, headers=headers)
    return Response(status=HTTPStatus.ACCEPTED, headers=headers, body=b"")


def give(call: Call, data: bytes, *, closes: bool) -> bool:
    """Send the input to the path's run, and tell whether its command has taken it; if not, it lies ready.

    Raises:
        WrongState: the run takes no input, or is still being sent some.
    """
    run = call.run

    def send() -> None:
        if data:
            run.send(data)
        if closes:
            run.close_input()

    with _Waiting() as patience_s:
        return aside(send, patience_s=patience_s, is_over=call.is_leaving)


class _Waiting:
    """One more who waits for a command to read; says for how long he may, which is less when many do."""

    _lock = threading.Lock()
    _count = 0

    def __enter__(self) -> float:
        with self._lock:
            _Waiting._count += 1
            return PATIENCE_S if _Waiting._count <= PATIENT else HASTE_S

    def __exit__(self, *_error: object) -> None:
        with self._lock:
            _Waiting._count -= 1


def pin(call: Call) -> Response:
    """Protect the run from retention, and return it."""
    return _pinned(call, on=True)


def unpin(call: Call) -> Response:
    """Protect it no longer, and return it."""
    return _pinned(call, on=False)


def _pinned(call: Call, *, on: bool) -> Response:
    fields(call, NOTHING)
    call.run.pin(on)
    return json_response(call.run.info())


def _closes(call: Call) -> bool:
    match list(call.query):
        case [] | [("close", "0")]:
            return False
        case [("close", "1")]:
            return True
        case _:
            raise InvalidInput(
                "this query means nothing here", op="send", subject="query", hint="?close=1 ends the input, or nothing"
            )
