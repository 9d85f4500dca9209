"""A websocket's session: a viewer of a run, and what its client asks to be done with that run. No waiting here.

What changes something is asked for by a message, so each message is asked about anew: may its sender do this at all,
may he view the run, may he do this to it. An error answers its message and ends nothing.
"""

import dataclasses
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec

from tailrace.core.access import Action
from tailrace.core.errors import InvalidInput
from tailrace.core.wires import asks
from tailrace.core.wires.asks import Ask, Envelope
from tailrace.core.wires.objects import tagged
from tailrace.engine.run import Run
from tailrace.host.messages import INPUT_BYTES
from tailrace.web.problems import problem
from tailrace.web.responses import Response
from tailrace.web.routes.call import Call, Instead, Refused, guarded
from tailrace.web.routes.permission import check, for_run
from tailrace.web.steps import Stream
from tailrace.web.viewer import Viewer

MESSAGE_BYTES: Final = 1 << 20
"""of one message from a client; a longer one ends the session"""
QUEUE_BYTES: Final = INPUT_BYTES
"""of input that waits for the command to read; more is refused"""
ACTIONS: Final[dict[type[Ask], Action]] = {
    asks.Input: "input",
    asks.CloseInput: "input",
    asks.Resize: "input",
    asks.Stop: "stop",
    asks.Signal: "stop",
    asks.Skip: "view",
}
"""what the sender of each message must be allowed"""

_DONE = Response(status=HTTPStatus.NO_CONTENT, headers=())


class Conversation(ABC):
    """What goes over one socket: what its client is sent, and what becomes of what the client sends.

    Attributes:
        viewer: what the client is to be sent, on the websocket wire.
    """

    viewer: Stream

    @property
    @abstractmethod
    def is_complete(self) -> bool:
        """Whether the client was sent everything, to the end."""

    @abstractmethod
    def send(self, envelope: Envelope, data: bytes) -> str:
        """Take input, and return the answer. This may wait for a command."""

    @abstractmethod
    def do(self, envelope: Envelope, ask: asks.Any) -> str:
        """Do what is asked, and return the answer. This may wait. `Input` goes by `send`."""

    def close(self) -> None:
        """Let go of everything; the run goes on. Safe to repeat."""
        self.viewer.close()


class Session(Conversation):
    """That of a run.

    Args:
        call: the handshake, whose caller may view the run.
        viewer: what the client is to be sent.
    """

    def __init__(self, call: Call, viewer: Viewer) -> None:
        self.viewer: Viewer = viewer
        self._call = call
        self._run_id = call.run.id
        self._has_typed = False

    @property
    def is_complete(self) -> bool:
        """See `Conversation.is_complete`."""
        return self.viewer.is_complete

    def send(self, envelope: Envelope, data: bytes) -> str:
        """Write to the command's standard input, and return the answer. This may wait for the command."""
        return self._answered(envelope, "input", lambda run: run.send(data))

    def do(self, envelope: Envelope, ask: asks.Any) -> str:
        """Do what is asked, and return the answer. This may wait for a keeper, and for what the application decides.

        `Skip` is allowed to whoever may view the run: do it with `Viewer.skip`. `Input` goes by `send`.
        """
        return self._answered(envelope, ACTIONS[type(ask)], lambda run: self._act(run, ask))

    def _answered(self, envelope: Envelope, action: Action, act: Callable[[Run], None]) -> str:
        call = self._accounted(action)

        def work() -> Response:
            check(call, action, None)
            named = for_run(call, action, self._run_id)
            if call.account is not None:
                call.account.ask(call)
            act(named.run)
            return _DONE

        try:
            response = guarded(work, call.report)
        except Instead:
            refused = Refused(HTTPStatus.FORBIDDEN, f"you may not {action} now", "log in again, and open a new one")
            response = refused.response
        if call.account is not None:
            call.account.close(call, response)
            self._has_typed |= action == "input" and response is _DONE
        return reply(envelope) if response is _DONE else error(envelope, response)

    def _accounted(self, action: Action) -> Call:
        """Return the call, with an account for one message; of input, the audit is told once a session."""
        account = self._call.account
        if account is None:
            return self._call
        is_repeated = action == "input" and self._has_typed
        return dataclasses.replace(self._call, account=account.again(action, is_repeated=is_repeated))

    def _act(self, run: Run, ask: asks.Any) -> None:
        match ask:
            case asks.CloseInput():
                run.close_input()
            case asks.Resize(rows=rows, columns=columns):
                run.resize(rows, columns)
            case asks.Stop(now=now):
                run.stop(by=self._call.request.by, now=now)
            case asks.Signal(signal=name):
                run.signal(_number_of(name))
            case asks.Input(text=text):
                run.send(text.encode())
            case asks.Skip():
                self.viewer.skip()


def reply(envelope: Envelope) -> str:
    """Return the answer that something was done."""
    return tagged(b"reply", msgspec.json.encode(_To(envelope.to, envelope.id))).decode()


def error(envelope: Envelope, refusal: Response) -> str:
    """Return the answer that something was not done, as its problem document says."""
    document = refusal.body if isinstance(refusal.body, bytes) else b"{}"
    head = msgspec.json.encode(_To(envelope.to, envelope.id))
    return tagged(b"error", head[:-1] + b"," + document[1:]).decode()


def unusable(found: asks.Unusable) -> str:
    """Return the answer to a message that cannot be done as it stands."""
    known = ", ".join(map(asks.name_of, asks.KINDS))
    refusal = problem(HTTPStatus.BAD_REQUEST, f"this message cannot be used: {found}", f"types are {known}")
    return error(found.envelope, refusal)


def refusal_of(envelope: Envelope, size: int) -> str | None:
    """Return the answer to input that is too long for one message; None if it is not."""
    if size <= INPUT_BYTES:
        return None
    return error(envelope, problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"this is {size} bytes of input, and {INPUT_BYTES} are taken in one message",
        "send it in several, each when the one before has been answered",
    ))  # fmt: skip


def full(envelope: Envelope) -> str:
    """Return the answer to input for which there is no room."""
    return error(envelope, problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "the command is not reading its input, and as much as is kept for it waits already",
        "send it again when the input before has been answered; stop still works",
    ))  # fmt: skip


class _To(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer says of what it answers."""

    to: str
    id: str | int | None = None


def _number_of(name: str) -> int:
    """Return a signal's number.

    Raises:
        InvalidInput: there is none of this name.
    """
    try:
        return signal.Signals[f"SIG{name.upper().removeprefix('SIG')}"].value
    except KeyError:
        raise InvalidInput(
            f"there is no signal {name[:20]!r}", op="signal", subject="signal", hint="INT, TERM, HUP, USR1 and so on"
        ) from None
