"""Several commands at once, and their output as one stream of labelled lines.

    with Group() as group:
        group.start(["make", "api"], label="api")
        group.start(["make", "page"], label="page")
        for line in group:
            print(f"{line.label}: {line.text}", end="")
    print(group.codes())

What `shelljob.proc.Group` did, for runs: nothing is lost that is not read in time, and what is left unread stays on
disk. Waiting is cooperative under gevent and eventlet. A group is for one thread at a time.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self, Unpack

from tailrace.api import connect
from tailrace.core.errors import InvalidInput
from tailrace.core.outcome import Outcome, exit_code
from tailrace.core.piece import Chunk, Gap
from tailrace.core.timeline import Stream
from tailrace.core.wires.held import whole_characters
from tailrace.engine.base import Cursor, End, Engine, StartOptions
from tailrace.engine.run import Run, check_gap
from tailrace.follow.bell import Bell
from tailrace.host.wait import readable

LINE_BYTES = 64 << 10
"""a longer line comes in pieces, each of this size or more"""
WAIT_S = 2.0


class Line(NamedTuple):
    """A line of one run, with its line end if it has one."""

    label: str
    run: Run
    stream: str
    """`stdout`, `stderr`, or `mixed` where they cannot be told apart"""
    data: bytes

    @property
    def text(self) -> str:
        """The line as text; what is not UTF-8 becomes U+FFFD."""
        return self.data.decode("utf-8", "replace")


class _Source:
    """One run of the group: where we are in it, and the beginnings of lines that wait for their ends."""

    def __init__(self, run: Run, cursor: Cursor) -> None:
        self.run = run
        self.cursor = cursor
        self._held: dict[Stream, bytearray] = {}

    def take(self, chunk: Chunk) -> list[tuple[Stream, bytes]]:
        """Return the lines that the chunk completes."""
        held = self._held.setdefault(chunk.stream, bytearray())
        held += chunk.data
        size = held.rfind(b"\n") + 1
        if not size and len(held) >= LINE_BYTES:
            size = whole_characters(held, len(held))
        whole = bytes(held[:size])
        del held[:size]
        return [(chunk.stream, line) for line in _lines(whole)]

    def release(self) -> list[tuple[Stream, bytes]]:
        """Return what waits for an end that will not come."""
        rest = [(stream, bytes(held)) for stream, held in self._held.items() if held]
        self._held.clear()
        return rest


class Group:
    """Runs that are watched together. Closing it, or leaving it unread, ends none of them."""

    def __init__(self, engine: Engine | None = None) -> None:
        """Make an empty group.

        Args:
            engine: where its commands are started; by default that of `tailrace.connect()`.
        """
        self._engine = engine
        self._runs: dict[str, Run] = {}
        self._open: dict[str, _Source] = {}
        self._ready: list[Line] = []
        self._bell = Bell()

    def __enter__(self) -> Self:
        """Return this group; leaving closes it."""
        return self

    def __exit__(self, *_exc: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Read no more; the runs go on. Safe to repeat."""
        for source in self._open.values():
            source.cursor.close()
        self._open.clear()
        self._bell.close()

    def start(self, argv: Sequence[str], *, label: str | None = None, **options: Unpack[StartOptions]) -> Run:
        """Start a command, as `Engine.start` does, and watch it.

        Args:
            argv: the command, as a list.
            label: its name in the group; by default the program's own, with a number if that is taken.
            **options: see `StartOptions`.

        Raises:
            InvalidInput: the label is taken; or as `Engine.start`. Nothing was started.
        """
        if label is not None:
            self._check_label(label)
        if self._engine is None:
            self._engine = connect()
        run = self._engine.start(argv, **options)
        self.add(run, label=label or self._free_label(Path(argv[0]).name))
        return run

    def add(self, run: Run, *, label: str, offset: int = 0) -> None:
        """Watch a run that is there already, from the offset on.

        Raises:
            InvalidInput: the label is taken.
            UnknownRun, OffsetBeyondEnd: see there.
        """
        self._check_label(label)
        source = _Source(run, run.engine.cursor(run.id, offset))
        source.cursor.on_change(self._bell.ring)
        self._runs[label] = run
        self._open[label] = source
        self._bell.ring()

    def is_pending(self) -> bool:
        """Tell whether more lines may come."""
        return bool(self._open or self._ready)

    def readlines(self, timeout: float = WAIT_S, *, most: int = 1000) -> list[Line]:
        """Return lines as soon as there are any, at most so many; none after `timeout` seconds without one.

        Raises:
            StreamBroken: bytes are missing before the recorded end of a run, which is then watched no more.
        """
        deadline = time.monotonic() + timeout
        while not self._ready and self._open:
            self._bell.clear()
            self._look()
            left = deadline - time.monotonic()
            if self._ready or left <= 0:
                break
            if self._open:
                readable([self._bell.fd], left)
        lines, self._ready = self._ready[:most], self._ready[most:]
        return lines

    def __iter__(self) -> Iterator[Line]:
        """Yield all lines, until every run has ended."""
        while self.is_pending():
            yield from self.readlines()

    def outcomes(self) -> dict[str, Outcome | None]:
        """Return how each run ended, by label; None: it has not."""
        return {label: run.info().outcome for label, run in self._runs.items()}

    def codes(self) -> dict[str, int | None]:
        """Return the exit code of each run, as `tailrace run` would give it; None: it has not ended."""
        return {label: None if outcome is None else exit_code(outcome) for label, outcome in self.outcomes().items()}

    def stop(self, *, by: str | None = None) -> None:
        """Begin the stop ladder of each run that has not ended."""
        for run in self._runs.values():
            run.stop(by=by)

    def _look(self) -> None:
        """Take one look at each run, so that none waits for another that prints without end."""
        for label, source in list(self._open.items()):
            seen = source.cursor.look()
            if isinstance(seen, list):
                for chunk in seen:
                    self._put(label, source, source.take(chunk))
            elif seen is not None:
                self._put(label, source, source.release())
                self._pass(label, source, seen)
            if seen is not None:
                self._bell.ring()

    def _pass(self, label: str, source: _Source, seen: Gap | End) -> None:
        """Go on behind a gap that an output limit made; at the end, or where bytes are lost, let go of the run."""
        try:
            if isinstance(seen, Gap):
                check_gap(source.run.id, seen)
                return
        except BaseException:
            source.cursor.close()
            del self._open[label]
            raise
        source.cursor.close()
        del self._open[label]

    def _put(self, label: str, source: _Source, lines: list[tuple[Stream, bytes]]) -> None:
        self._ready += [Line(label, source.run, stream.label, data) for stream, data in lines]

    def _check_label(self, label: str) -> None:
        if label in self._runs:
            raise InvalidInput(
                f"the label {label!r} is taken", op="start", subject="label", hint="each run of a group needs its own"
            )

    def _free_label(self, name: str) -> str:
        label, number = name, 1
        while label in self._runs:
            number += 1
            label = f"{name} {number}"
        return label


def _lines(data: bytes) -> list[bytes]:
    """Return the lines, each with its LF; a piece without one comes last."""
    *lines, rest = data.split(b"\n")
    whole = [line + b"\n" for line in lines]
    return [*whole, rest] if rest else whole
