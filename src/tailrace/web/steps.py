"""What a viewer's driver takes: steps, one after the other.

A driver is a thread or a greenlet (`tailrace.web.stream`), or an event loop (`tailrace.web.loop.delivery`). What it is
driving may be a viewer of one run, or of many, or something else that comes in steps; it knows only the face of all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from tailrace.engine.base import Passage
from tailrace.web.ear import Ear

if TYPE_CHECKING:
    from tailrace.web.broadcast import Member


class Rest(NamedTuple):
    """Nothing is to be sent now: wait for the bells that are listened to, but not longer than this."""

    timeout_s: float


class Errand(NamedTuple):
    """Something that may block: have it done where that holds up nobody else. What it raises ends the stream."""

    work: Callable[[], None]


Step: TypeAlias = bytes | Rest | Errand
Steps: TypeAlias = Generator[Step, bool | None, None]
"""what a driver takes, one after the other; after a rest it sends whether a bell rang"""


class Leaving(ConnectionResetError):
    """The server is stopping, and this stream with it; the viewer may resume at the next one."""


class Stream(ABC):
    """What is to be sent to one client. Take its `steps` once; `close` it in any case."""

    __slots__ = ()

    @abstractmethod
    def steps(self, ear: Ear) -> Steps:
        """Yield what is to be sent, as it comes, and rests in between.

        Raises:
            Leaving: the server is, on a wire that must not look complete before its end.
            StreamBroken: what comes next cannot be had.
            EngineError, OSError: the output cannot be read.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of everything; runs go on. Safe to repeat."""

    @property
    @abstractmethod
    def aborts(self) -> bool:
        """Whether a stop before the end must abort the connection."""

    @property
    @abstractmethod
    def wire(self) -> str:
        """The wire's name."""

    @property
    def run_ids(self) -> tuple[str, ...]:
        """The runs that are shown; none by default."""
        return ()

    @property
    def commands(self) -> Collection[str]:
        """The declared commands of which those runs are."""
        return ()

    @property
    def head(self) -> "Member | None":
        """Its place in a broadcast, if it wants nothing but what that sends: it may be sent that by others."""
        return None

    @property
    def is_reading(self) -> bool:
        """Whether it reads output by itself, which others should not have to wait for."""
        return False

    @property
    @abstractmethod
    def heartbeat_s(self) -> float:
        """After how long a silence a heartbeat is due."""

    @abstractmethod
    def heartbeat(self) -> bytes:
        """Return a heartbeat."""

    def lag_bytes(self) -> int:
        """Return how much there is that has not been framed for this viewer yet. From any thread.

        Raises:
            EngineError, UnknownRun: a run cannot be looked at.
        """
        return 0

    def count_behind(self) -> None:
        """Have the lines of what is shown counted, as `Cursor.count_behind` says."""
        return

    def passage(self) -> Passage | None:
        """Return what may go to the viewer as it is, next; None: only the next step gives it. Tell `pass_on` of it."""
        return None

    def pass_on(self, count: int) -> None:
        """Note that so many bytes of the passage have gone to the viewer."""
        raise NotImplementedError(count)
