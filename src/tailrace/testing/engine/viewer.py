"""A viewer for tests: reads a cursor to its end, or until it has seen enough, and never sleeps."""

# ruff: noqa: S101  (it fails the test that uses it)

import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import TypeVar, Unpack

from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream
from tailrace.engine.base import Cursor, End, Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.host.messages import Input

T = TypeVar("T")

DEADLINE_S = 60.0
"""for hangs; no test waits so long for anything that works"""
TWO_STREAMS = "echo one; echo two >&2; echo three"


class Seen:
    """What a viewer was given."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self.gaps: list[Gap] = []
        self.end: RunInfo | None = None

    @property
    def data(self) -> bytes:
        """All bytes, joined."""
        return b"".join(chunk.data for chunk in self.chunks)

    def of(self, stream: Stream) -> bytes:
        """Return the bytes with this label."""
        return b"".join(chunk.data for chunk in self.chunks if chunk.stream is stream)


def watch(
    engine: Engine, run_id: str, offset: int = 0, *, tail: int | None = None, stream: Stream | None = None
) -> Seen:
    """Follow the run to its end; fail at the deadline."""
    with closing(engine.cursor(run_id, offset, tail=tail, stream=stream)) as cursor:
        return watch_cursor(cursor)


def watch_until(engine: Engine, run_id: str, text: bytes) -> Seen:
    """Follow the run from its start until these bytes have come, or to its end; fail at the deadline."""
    with closing(engine.cursor(run_id)) as cursor:
        return watch_cursor(cursor, until=text)


def left_alone(engine: Engine, run_id: str) -> RunInfo:
    """Return the run when it has ended, without watching it; fail at the deadline."""
    deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while not (info := engine.get(run_id)).is_finished:
        assert time.monotonic() < deadline, f"run {run_id} has not ended within {DEADLINE_S:g} s"
        pause.wait(0.02)
    return info


def wait_until(condition: Callable[[], T]) -> T:
    """Return the condition's first true value; fail at the deadline."""
    deadline, pause = time.monotonic() + DEADLINE_S, threading.Event()
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {DEADLINE_S:g} s, and at last it was {value!r}"
        pause.wait(0.005)
    return value


def watch_cursor(cursor: Cursor, *, until: bytes | None = None) -> Seen:
    """Read a cursor to the end, or until these bytes have come; fail at the deadline."""
    seen, changed = Seen(), threading.Event()
    cursor.on_change(changed.set)
    deadline = time.monotonic() + DEADLINE_S
    while seen.end is None and (until is None or until not in seen.data):
        changed.clear()
        match cursor.look():
            case None:
                left = deadline - time.monotonic()
                assert changed.wait(max(0.0, left)), f"nothing came for {DEADLINE_S:g} s after {seen.data[-200:]!r}"
            case Gap() as gap:
                seen.gaps.append(gap)
            case End(run=run):
                seen.end = run
            case chunks:
                seen.chunks += chunks
    return seen


def shell(engine: Engine, script: str, **options: Unpack[StartOptions]) -> Run:
    """Start a script of sh."""
    return engine.start(["sh", "-c", script], **options)


def python(engine: Engine, script: str, **options: Unpack[StartOptions]) -> Run:
    """Start a script of this interpreter, unbuffered; it imports nothing of ours."""
    return engine.start([sys.executable, "-I", "-S", "-u", "-c", script], **options)


def ended(run: Run) -> RunInfo:
    """Wait for the run's end."""
    return run.wait(timeout=DEADLINE_S)


def cat(engine: Engine, **options: Unpack[StartOptions]) -> Run:
    """Start a run that goes on until its input is closed or it is stopped, and prints what it is sent.

    It runs when this returns, unless it may have to wait for its key.
    """
    options.setdefault("stdin", True)
    options.setdefault("ladder", [("TERM", 30)])
    run = engine.start(["cat"], **options)
    if options["stdin"] and options.get("when_busy") != "queue":
        engine.control(run.id, Input(b""))
    return run


def in_threads(*bodies: Callable[[], Seen]) -> list[Seen]:
    """Run each in a thread of its own; return what each saw, in their order."""
    seen: dict[int, Seen] = {}

    def note(index: int, body: Callable[[], Seen]) -> None:
        seen[index] = body()

    threads = [threading.Thread(target=note, args=pair) for pair in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(2 * DEADLINE_S)
    return [seen[index] for index in range(len(bodies))]
