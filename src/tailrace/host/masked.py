"""The mover of a run that has secrets: what it stores has `***` in their place.

It reads, masks and writes, so a kill may lose what it has read and not written yet, and what is held back because a
secret might begin there (see `core.masking`). Never is that stored instead: a secret is not on disk, not even for an
instant. What is held back of a stream is stored when that ends, or when the run does.

Offsets, records of the timeline and the output limit are all of what is stored. A record's time is that of the storing:
a piece that was held back has the time at which it was known to be none of a secret.
"""

import errno
import os
import time
from collections.abc import Sequence

from tailrace.core.masking import Masker
from tailrace.core.timeline import Stream
from tailrace.host.mover import PIECE_BYTES, Moved, Mover


class MaskedMover(Mover):
    """A mover that masks. Holds, for each stream, at most the longest form of a secret."""

    def __init__(
        self, output: int, timeline: int, *, limit: int | None, begun_ns: int, secrets: Sequence[bytes]
    ) -> None:
        """Take over the open files; `secrets` must not be stored, and times count from the instant `begun_ns`."""
        super().__init__(output, timeline, limit=limit, way="copy", begun_ns=begun_ns)
        self._secrets = secrets
        self._maskers: dict[Stream, Masker] = {}
        self._label: Stream | None = None
        """of what is pending, as long as it has no record"""

    def move(self, source: int, stream: Stream) -> Moved:
        """See `Mover.move`."""
        try:
            if not self._pending:
                if self.failed is not None or self._room() == 0:
                    self._forget(stream)
                    return self._drop(source)
                if not self._take(source, stream):
                    return Moved.END
            self._store(source)
        except BlockingIOError:
            return Moved.NONE
        except OSError as error:
            return self._trouble(error, source)
        return Moved.SOME

    def flush(self) -> Moved:
        """See `Mover.flush`."""
        try:
            self._store_all()
            for stream, masker in self._maskers.items():
                self._keep(masker.flush(), stream)
                self._store_all()
        except OSError as error:
            if self._trouble(error, self._output) is Moved.FULL:
                return Moved.FULL
        for stream in self._maskers:
            self._forget(stream)  # the disk failed
        return Moved.END

    def _take(self, source: int, stream: Stream) -> bool:
        """Read a piece; False at the end of the stream, when nothing of it is held back any more."""
        data = self._read(source)
        if stream not in self._maskers:
            self._maskers[stream] = Masker(self._secrets)
        masker = self._maskers[stream]
        if data:
            self.last_ns = time.monotonic_ns()
        shown = masker.add(data) if data else masker.flush()
        self._keep(shown, stream)
        return bool(data or shown)

    def _read(self, source: int) -> bytes:
        try:
            return os.read(source, PIECE_BYTES)
        except OSError as error:
            if error.errno == errno.EIO and os.isatty(source):
                return b""  # nobody has the terminal open any more
            raise

    def _keep(self, shown: bytes, stream: Stream) -> None:
        """Have it stored next, as far as the limit allows."""
        room = self._room()
        self._pending = shown if room is None else shown[:room]
        self._label = stream if self._pending else None
        self.dropped += len(shown) - len(self._pending)

    def _store(self, source: int) -> None:
        """Write what is pending, behind its record."""
        if self._label is not None:
            self._announce(source, self._label)
            self._label = None
        if self._pending:
            self.size += self._copy(source, 0)

    def _store_all(self) -> None:
        while self._pending:
            self._store(self._output)

    def _forget(self, stream: Stream) -> None:
        """Count what is held back as dropped."""
        if stream in self._maskers:
            self.dropped += len(self._maskers[stream].flush())

    def _room(self) -> int | None:
        return None if self._limit is None else max(0, self._limit - self.size)
