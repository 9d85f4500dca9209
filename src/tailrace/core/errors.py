"""Every error Tailrace raises, branched by whose fault it is.

`CallerError` is cured by asking differently, `EngineError` by looking at the machine. What a command does wrong is
never an exception: it is an outcome. Each error carries three plain fields, so that a command line can print two
lines, and a web adapter a problem document, without parsing the message.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

TOLD = 10
"""faults that are told in one sentence"""


class TailraceError(Exception):
    """Base of all errors of Tailrace.

    Args:
        message: what happened, one sentence, without a full stop.
        op: the operation that failed, a verb ("start", "follow").
        subject: what it was done to: a run id, a path, a parameter's name.
        hint: what to do about it, one sentence; never empty in an error a user can meet.
    """

    def __init__(self, message: str, *, op: str = "", subject: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.op = op
        self.subject = subject
        self.hint = hint
        if hint:
            self.add_note(hint)


class CallerError(TailraceError):
    """The request itself is wrong; the same request will fail again."""


class InvalidInput(CallerError, ValueError):
    """A value is malformed, out of range, or does not fit another one."""


class Fault(NamedTuple):
    """One of several things that are wrong: what it is about, what is wrong with it, and the cure."""

    subject: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{self.subject} {self.message}"


class InvalidValues(InvalidInput):
    """One or several values are wrong; `faults` names each, so that all can be mended at once."""

    faults: tuple[Fault, ...] = ()

    @classmethod
    def of(cls, faults: Sequence[Fault], *, op: str) -> Self:
        """Return the error that tells of all of these; in its one sentence, of the first few.

        Args:
            faults: what is wrong; at least one.
            op: the operation that failed.
        """
        told, more = faults[:TOLD], len(faults) - TOLD
        message = "; ".join(map(str, told)) + (f"; and {more} more" if more > 0 else "")
        hints = [fault.hint if len(faults) == 1 else f"{fault.subject}: {fault.hint}" for fault in told]
        error = cls(message, op=op, subject=faults[0].subject, hint="; ".join(dict.fromkeys(hints)))
        error.faults = tuple(faults)
        return error


class UnknownCommand(CallerError, LookupError):
    """No command of this name is declared here."""


class UnknownRun(CallerError, LookupError):
    """No run has this id here (never had, or it was pruned)."""


class OffsetBeyondEnd(CallerError, ValueError):
    """An offset lies past the bytes that exist."""


class UnknownWire(CallerError, ValueError):
    """The client asked for a form of the output that does not exist."""


class NotAllowed(CallerError):
    """The run exists, and this caller may not have it."""


class KeyBusy(CallerError):
    """`when_busy="reject"`, and a run with the same key is going."""


class LimitReached(CallerError):
    """There are as many runs as there may be, or as many were started as may be; `subject` names the limit."""

    retry_s: int = 10
    """seconds after which it may be tried again"""


class WrongState(CallerError):
    """The run is in a state in which this cannot be done (input to a finished run)."""


class IllegalTransition(TailraceError):
    """An event that the state table does not have; nothing was changed."""


class EngineError(TailraceError):
    """The place where runs live cannot serve: a directory, a runner, a disk."""


class EngineUnavailable(EngineError):
    """The runner could not be reached or started in time."""


class NoSpace(EngineError):
    """Free space is below the floor; no new run is taken."""


class NotEnforceable(EngineError):
    """A limit was asked for that this host cannot enforce; nothing was started."""


class ProviderUnusable(EngineError):
    """The OpenID provider that is to say who somebody is cannot be asked, or what it says cannot be believed."""


class NotRecorded(EngineError):
    """The audit could not be written."""


class WrongVersion(EngineError):
    """The state directory or a running process speaks another version that cannot be served."""


class StreamEnded(EngineError):
    """The stream is complete; there is nothing after its end."""


class StreamClosed(EngineError):
    """This side closed the stream before."""


class StreamBroken(EngineError):
    """The stream stopped before its recorded end: bytes are missing, and it must not look complete."""


class StreamBusy(EngineError):
    """Somebody else is in the middle of the same operation on this stream."""
