"""The wires without escape sequences, `?ansi=strip`: text that a program or a person reads who has no terminal.

Offsets stay those of the output as it was written, so whoever takes a plain wire resumes on any other. A plain wire is
no copy of the output: it has no ranges, and no length that is known before. Who resumes within a sequence, at an offset
that no plain wire has given out, gets the rest of it as text.
"""

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType

from tailrace.core.escapes import Stripper
from tailrace.core.piece import Chunk
from tailrace.core.wires.base import Framer
from tailrace.core.wires.lines import LinesFramer
from tailrace.core.wires.ndjson import NdjsonFramer
from tailrace.core.wires.sse import SseFramer
from tailrace.core.wires.text import TextFramer


class _Plain(Framer):
    """Strips chunks before they are framed."""

    passes = False

    def __init__(self, run_id: str, offset: int) -> None:
        super().__init__(run_id, offset)
        self._stripper = Stripper()

    def output(self, chunk: Chunk) -> bytes:
        """Return what can be sent of what is left of the chunk."""
        return b"".join([self._frame(stretch) for stretch in self._stripper.strip(chunk)])

    @abstractmethod
    def _frame(self, stretch: Chunk) -> bytes:
        """Return what the wire makes of it."""


class _PlainText(_Plain, TextFramer):
    def _frame(self, stretch: Chunk) -> bytes:
        return TextFramer.output(self, stretch)


class _PlainLines(_Plain, LinesFramer):
    def _frame(self, stretch: Chunk) -> bytes:
        return LinesFramer.output(self, stretch)


class _PlainSse(_Plain, SseFramer):
    def _frame(self, stretch: Chunk) -> bytes:
        return SseFramer.output(self, stretch)


class _PlainNdjson(_Plain, NdjsonFramer):
    def _frame(self, stretch: Chunk) -> bytes:
        return NdjsonFramer.output(self, stretch)


PLAIN: Mapping[str, type[Framer]] = MappingProxyType(
    {wire.name: wire for wire in (_PlainText, _PlainLines, _PlainSse, _PlainNdjson)}
)
"""framers by their wire's name; `cast` and `websocket` are for terminals, and have none"""
