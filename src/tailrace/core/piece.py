"""What a follower gets: pieces of output, and the few other things that can happen to a stream."""

from typing import NamedTuple

from tailrace.core.timeline import Stream, TerminalSize


class Chunk(NamedTuple):
    """Some bytes of the output, all of one stream. `end` is the offset to resume from after it."""

    offset: int
    data: bytes
    stream: Stream
    time_s: float | None
    """seconds after the command's start; None where it is not known"""
    terminal: TerminalSize | None = None
    """the size that the terminal had; None: there is none, or it is not known"""

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.offset + len(self.data)


class Gap(NamedTuple):
    """Bytes that the command wrote and that nobody can have: [`begin`, `end`)."""

    begin: int
    end: int
    why: str


class Spot(NamedTuple):
    """Line `line`, counted from 1, begins at `offset`."""

    line: int
    offset: int


class Reach(NamedTuple):
    """So many lines lie one behind another from `offset` on, found by reading backwards; 0: no beginning was found."""

    lines: int
    offset: int


class Counted(NamedTuple):
    """So many lines begin in the first `end` of the `size` bytes that there are; the last one may lack its LF."""

    lines: int
    end: int
    size: int

    @property
    def is_all(self) -> bool:
        """Whether all bytes were counted."""
        return self.end == self.size
