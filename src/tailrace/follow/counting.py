"""Counting lines behind whoever asks, in one thread for each process.

Nobody should wait for 10 GB to be counted, so requests count little, and have the rest counted here, which makes line
indexes (`tailrace.host.lineindex`). Runs that are asked for take turns, one piece of output each. A run that is live
stays for a while after it was last asked for, so that its index follows the tail as long as somebody watches; the
thread ends when there is nothing left to count.

The thread is the operating system's own, also where threads are patched. It has no lower priority than others: it holds
the interpreter while it counts one stride (some 0.2 ms), and if the system let it wait then because others have
precedence, all threads would wait for as long. It gives way by resting a third of the time instead. (The keeper's child
is a process of its own, and does count at the lowest priority: `tailrace.host.indexing`.)

Counted is what is worth it: outputs of less than `WORTH_BYTES` are counted by each request within its own bounds.
"""

import os
import time
from typing import Final, NamedTuple, TypeAlias

from tailrace.core.lineindex import STRIDE_BYTES
from tailrace.host import real
from tailrace.host.indexing import WORTH_BYTES
from tailrace.host.lineindex import LineIndex
from tailrace.host.rundir import RunDir

PIECE_BYTES: Final = 64 << 20
"""that one run has counted before the next has its turn"""
WATCHED_S: Final = 60.0
"""a live run is counted on for so long after it was last asked for"""
LOOK_S: Final = 0.5
"""between two looks at live runs that have been counted to their ends"""
MOST_RUNS: Final = 64
"""at a time; more are refused, and asked for again by whoever watches them"""
WORK_S: Final = 0.002
"""of counting, until it rests"""
LONGEST_WORK_S: Final = 0.1
"""what took longer, waited for a disk"""
REST: Final = 0.5
"""of that time"""

_Key: TypeAlias = tuple[int, int]
"""device and inode of an output"""


class _Stuck(Exception):
    """What was counted could not be noted anywhere, so nothing comes of it."""


class _Work(NamedTuple):
    """An output to be counted; both descriptors are the thread's own."""

    run: RunDir
    output: int

    def close(self) -> None:
        """Let go of them."""
        os.close(self.output)
        self.run.close()

    def count_piece(self) -> bool:
        """Count one piece; tell whether there is more.

        Raises:
            _Stuck: it would be counted again and again.
        """
        index = LineIndex(self.run, self.output, _Rest().rest)
        try:
            places = os.fstat(self.output).st_size // STRIDE_BYTES
            known = index.last_known(places)[0]
            wanted = min(places, known + PIECE_BYTES // STRIDE_BYTES)
            if wanted == known:
                return False
            index.ends_before(wanted * STRIDE_BYTES)
            if index.last_known(wanted)[0] == known:
                raise _Stuck
            return wanted < places
        finally:
            index.close()

    def is_over(self, asked: float) -> bool:
        """Tell whether a run that has been counted to its end needs nothing more.

        Args:
            asked: when it was last asked for.
        """
        return self.run.is_removed() or self.run.has("result.json") or time.monotonic() - asked > WATCHED_S


_works: Final[dict[_Key, _Work]] = {}
_asked: Final[dict[_Key, float]] = {}
"""when each was last asked for"""
_guard = real.make_lock()
_is_counting = False


def attend(run: RunDir, output: int) -> None:
    """Have the run's lines counted in this process, and return at once.

    Args:
        run: the run; it may be closed afterwards, or removed.
        output: a descriptor of its output, which may be closed too; -1: it has none.
    """
    global _is_counting  # noqa: PLW0603
    if output < 0 or (found := os.fstat(output)).st_size < WORTH_BYTES:
        return
    key = found.st_dev, found.st_ino
    with _guard:
        _asked[key] = time.monotonic()
        if key in _works or not _admit(key, run, output):
            return
        is_first, _is_counting = not _is_counting, True
    if is_first:
        try:
            real.start_thread(_serve)
        except RuntimeError:  # no thread is to be had: whoever asks next may have more luck
            with _guard:
                _is_counting = False
                _drop(key)


def is_counting() -> bool:
    """Tell whether the thread is there."""
    return _is_counting


def _admit(key: _Key, run: RunDir, output: int) -> bool:
    """Take the run in; false if there are too many, or too many files open."""
    if len(_works) >= MOST_RUNS:
        del _asked[key]
        return False
    try:
        mine = run.again()
    except OSError:
        del _asked[key]
        return False
    try:
        _works[key] = _Work(mine, os.dup(output))
    except OSError:
        mine.close()
        del _asked[key]
        return False
    return True


def _drop(key: _Key) -> None:
    if (work := _works.pop(key, None)) is not None:
        work.close()
    _asked.pop(key, None)


def _serve() -> None:
    """Count in turns until nothing is left to count, or to wait for."""
    while True:
        is_busy = False
        for key, work in list(_works.items()):
            try:
                has_more = work.count_piece()
                is_over = not has_more and work.is_over(_asked.get(key, 0.0))
            except Exception:  # noqa: BLE001  it serves others too, and an index is never needed
                has_more, is_over = False, True
            is_busy |= has_more
            if is_over:
                with _guard:
                    _drop(key)
        if _is_done():
            return
        if not is_busy:
            _sleep(LOOK_S)


def _is_done() -> bool:
    """Tell whether nothing is left; then the next who asks starts another thread."""
    global _is_counting  # noqa: PLW0603
    with _guard:
        _is_counting = bool(_works)
        return not _is_counting


class _Rest:
    """Rests now and then, for a part of the time that was counted."""

    def __init__(self) -> None:
        self._at = time.monotonic()

    def rest(self) -> None:
        """Rest, if it is time to."""
        worked_s = time.monotonic() - self._at
        if worked_s >= WORK_S:
            _sleep(min(worked_s, LONGEST_WORK_S) * REST)
            self._at = time.monotonic()


def _sleep(seconds: float) -> None:
    """Sleep in this thread of the operating system, whatever `time.sleep` has become."""
    real.make_poll().poll(seconds * 1000)


def _forget_parents() -> None:
    """In a forked child: the parent's thread is not here, nor are its descriptors wanted."""
    global _guard, _is_counting  # noqa: PLW0603
    for work in _works.values():
        work.close()
    _works.clear()
    _asked.clear()
    _guard = real.make_lock()
    _is_counting = False


os.register_at_fork(after_in_child=_forget_parents)
