"""What every wire's framer can do.

A framer turns what happens to a run into the bytes of one wire. It does no IO: each call returns bytes that are ready
to be sent, `b""` when there is nothing to send yet. One framer serves one viewer, or one broadcast to many.

Some wires hold bytes back: half a character, a line without its end. What is held back is not yet *returned*, so
`resume_offset` stays before it: a client that comes back there gets it again, whole. Therefore two framers of one wire
with the same `resume_offset` go on with the same output, whatever each holds back: a viewer may change from its own
framer to a broadcast's at any moment when the two offsets are equal.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo

LIMIT_BYTES = 64 * 1024
"""at most this much output stands in one event"""


class Framer(ABC):
    """The framing of one wire from one offset on.

    Args:
        run_id: the run whose output it is.
        offset: where the viewer begins; the first chunk may begin later, where bytes of another stream are left out.
    """

    name: ClassVar[str]
    """the wire's name, as in `?format=`"""
    content_type: ClassVar[str]
    """the header's value"""
    aborts: ClassVar[bool]
    """whether a stop before the recorded end must abort the connection, so that half is never taken for whole"""
    tells_states: ClassVar[bool] = True
    """whether `state` ever says anything"""
    shows_labels: ClassVar[bool] = True
    """whether it says which stream wrote, or when"""
    passes: ClassVar[bool] = False
    """whether it gives each byte as it is, and so may be told afterwards of bytes that went past it: `skip`"""
    tells_lag: ClassVar[bool] = False
    """whether `lagging` ever says anything"""
    tells_end: ClassVar[bool] = True
    """whether `end` says how the run ended; if not, an end without whole output must abort the connection too"""

    def __init__(self, run_id: str, offset: int) -> None:
        self._run_id = run_id
        self._taken = offset
        self._returned = offset

    def skip(self, count: int) -> None:
        """Note that so many bytes went past; only for a wire that `passes`."""
        self._take(self._taken, self._taken + count)
        self._returned = self._taken

    def at(self, offset: int) -> "Framer":
        """Return another framer, which goes on with the same stream from a `resume_offset` of it on."""
        return type(self)(self._run_id, offset)

    @property
    def resume_offset(self) -> int:
        """Where a client that got everything returned so far may go on; what is held back comes again from there."""
        return self._returned

    @abstractmethod
    def begin(self, info: RunInfo) -> bytes:
        """Return what comes before everything else."""

    @abstractmethod
    def output(self, chunk: Chunk) -> bytes:
        """Return what can be sent now that these bytes are here.

        Raises:
            StreamBroken: the chunk begins before the end of the last one: bytes would come twice.
        """

    @abstractmethod
    def flush(self) -> bytes:
        """Return what was held back only to gather it; to be called after 50 ms without output."""

    @abstractmethod
    def state(self, info: RunInfo) -> bytes:
        """Return the news that the run's state, or what holds it up, has changed."""

    @abstractmethod
    def gap(self, gap: Gap) -> bytes:
        """Return everything held back, then the news that these bytes are missing; output goes on at the gap's end.

        Raises:
            StreamBroken: the wire adds nothing to the bytes, so it cannot say it; or the gap lies before the offset.
        """

    @abstractmethod
    def end(self, info: RunInfo) -> bytes:
        """Return everything held back, then how the run ended. Nothing may be called after it."""

    @abstractmethod
    def heartbeat(self) -> bytes:
        """Return something that clients ignore, to be sent when all has been silent for 15 s."""

    @abstractmethod
    def interval(self, text: str) -> bytes:
        """Return a message for people: the command has been silent for a while. `text` is one line."""

    def lagging(self, behind_bytes: int) -> bytes:  # noqa: ARG002  few wires have a word for it
        """Return the news that the viewer is so far behind the end of what there is."""
        return b""

    def _take(self, begin: int, end: int) -> None:
        """Note that [`begin`, `end`) has come in."""
        if begin < self._taken:
            raise StreamBroken(
                f"output from offset {begin} on comes after offset {self._taken}",
                op="frame",
                subject=self._run_id,
                hint="read again from the last offset that arrived",
            )
        self._taken = end
