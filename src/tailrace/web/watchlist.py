"""The list of runs, watched: one look at the engine for all viewers of a process, twice a second while there are any.

A thread of the operating system looks: at the newest runs, and at those that have not ended. What has changed is noted
with a number that only grows, and whoever watches is rung. So a viewer knows by the last number it has had what is new
to it, and asks the application, where that may block, which of it this caller may see.
"""

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from tailrace.core.errors import EngineError, UnknownRun
from tailrace.core.run import RunInfo
from tailrace.core.states import State
from tailrace.engine.base import Engine, Query
from tailrace.host import real
from tailrace.web.broadcast import NEVER, told
from tailrace.web.ear import Bell, Ear
from tailrace.web.steps import Errand, Rest, Steps

NEWEST: Final = 50
"""runs that are told at the beginning, besides those that have not ended"""
LOOK_S: Final = 0.5
MOST_PAGES: Final = 20
"""that one look reads, where many runs were created since the last"""
MOST_NEWS: Final = 2000
"""that are kept for viewers that are slow to ask; who is slower misses what has come and gone meanwhile"""
GOING: Final = tuple(state for state in State if state is not State.FINISHED)


class News(NamedTuple):
    """A run as it was last seen; None: it is there no more."""

    number: int
    info: RunInfo | None


class Watchlist:
    """Of one engine in one process."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._guard = real.make_lock()
        self._news: dict[str, News] = {}
        """by run, in the order of their numbers"""
        self._number = 0
        self._bells: list[Bell] = []
        self._shown: dict[str, RunInfo] = {}
        """the newest, and those that have not ended"""
        self._is_looked = self._is_looking = False
        self.failure: Exception | None = None
        """why the last look failed"""

    def add(self, bell: Bell) -> None:
        """Ring this when there is news, and look from now on, if nobody did.

        Raises:
            OSError: no thread is to be had.
        """
        with self._guard:
            self._bells.append(bell)
            is_first, self._is_looking = not self._is_looking, True
        if is_first:
            try:
                real.start_thread(self._serve)
            except RuntimeError as error:
                self._is_looking = False
                raise OSError(errno.EAGAIN, str(error)) from None

    def remove(self, bell: Bell) -> None:
        """Ring it no more; after this call it is certainly not used. Safe to repeat."""
        with self._guard, suppress(ValueError):
            self._bells.remove(bell)

    def since(self, number: int) -> list[tuple[str, News]] | None:
        """Return what is new since this number, in order; None: nobody has looked yet."""
        with self._guard:
            if not self._is_looked:
                return None
            found = []
            for run_id, news in reversed(self._news.items()):
                if news.number <= number:
                    break
                found.append((run_id, news))
        return found[::-1]

    def _serve(self) -> None:
        """Look while somebody watches."""
        while True:
            self._look()
            _sleep(LOOK_S)
            with self._guard:
                if not self._bells:  # what is known grows old from here on
                    self._is_looking = self._is_looked = False
                    self._news.clear()
                    self._shown.clear()
                    _made.pop(id(self.engine), None)
                    return

    def _look(self) -> None:
        found: dict[str, RunInfo] | None = None
        failure: Exception | None = None
        try:
            found = self._found()
        except Exception as error:  # noqa: BLE001  the thread serves all who watch: each raises it where it is reported
            failure = error
        with self._guard:
            is_new = self._take(found) if found is not None else failure is not None
            self.failure = failure
            for bell in self._bells if is_new else ():
                bell.ring()

    def _found(self) -> dict[str, RunInfo]:
        """Return the newest runs, those that are new, and of the others that were shown those that are still there."""
        found = {info.id: info for info in self._newest()}
        if not self._is_looked:
            for state in GOING:
                found |= {info.id: info for info in self.engine.list(Query(state=state.value, limit=1000)).runs}
        for run_id in self._shown:
            if run_id not in found:
                with suppress(UnknownRun):
                    found[run_id] = self.engine.get(run_id)
        return found

    def _newest(self) -> Iterator[RunInfo]:
        latest, cursor = max(self._shown, default=None), None
        for _page in range(MOST_PAGES):
            page = self.engine.list(Query(limit=NEWEST, cursor=cursor))
            yield from page.runs
            cursor = page.next
            if cursor is None or latest is None or cursor <= latest:
                return

    def _take(self, found: dict[str, RunInfo]) -> bool:
        """Note what has changed; return whether anything has, or this is the first look."""
        before, is_first = self._number, not self._is_looked
        for run_id in self._shown.keys() - found.keys():
            self._note(run_id, None)
        for run_id, info in sorted(found.items()):
            known = self._shown.get(run_id)
            if known is None or _told(known) != _told(info):
                self._note(run_id, info)
        newest = set(islice(sorted(found, reverse=True), NEWEST))
        self._shown = {key: info for key, info in found.items() if key in newest or not info.is_finished}
        for run_id in list(islice(self._news, max(0, len(self._news) - MOST_NEWS))):
            if run_id not in self._shown:
                del self._news[run_id]
        self._is_looked = True
        return is_first or self._number > before

    def _note(self, run_id: str, info: RunInfo | None) -> None:
        self._number += 1
        self._news.pop(run_id, None)
        self._news[run_id] = News(self._number, info)


class _Removed(msgspec.Struct, frozen=True):
    id: str


class ListViewer:
    """One viewer of the list of runs: `run` events, and `removed` ones.

    Args:
        engine: whose runs.
        may_view: whether this caller may see a run; may block.
    """

    def __init__(self, engine: Engine, may_view: Callable[[RunInfo], bool]) -> None:
        self._list = watchlist_of(engine)
        self._may_view = may_view
        self._number = 0
        self._seen: set[str] = set()
        """the runs that were told"""
        self._waiting: Sequence[tuple[str, News]] = ()
        self._ready = b""
        self._ear: Ear | None = None
        self._bell: Bell | None = None

    def steps(self, ear: Ear) -> Steps:
        """Yield what is to be sent, as it comes, and rests and errands in between, without end.

        Raises:
            EngineError: runs cannot be listed, or the application fails to say who may see them.
        """
        self._ear, self._bell = ear, ear.make_bell()
        ear.listen(self._bell)
        self._list.add(self._bell)
        while True:
            news = self._list.since(self._number)
            if self._list.failure is not None:
                raise EngineError(
                    "runs cannot be listed", op="list", subject="runs", hint="the engine's own error says why"
                ) from self._list.failure
            if not news:
                yield Rest(NEVER)
                continue
            self._waiting, self._number = news, news[-1][1].number
            yield Errand(self._frame)
            yield self._ready

    def close(self) -> None:
        """Let go of everything. Safe to repeat."""
        if self._bell is not None and self._ear is not None:
            self._list.remove(self._bell)
            self._ear.deafen(self._bell)
            self._bell.close()
        self._bell = self._ear = None

    def _frame(self) -> None:
        """Frame of what is new what this caller may see."""
        self._ready = b"".join([self._event(run_id, news.info) for run_id, news in self._waiting])
        self._waiting = ()

    def _event(self, run_id: str, info: RunInfo | None) -> bytes:
        if info is None:
            if run_id not in self._seen:
                return b""
            self._seen.discard(run_id)
            return _framed(b"removed", msgspec.json.encode(_Removed(run_id)))
        if not self._sees(info):
            return b""
        self._seen.add(run_id)
        return _framed(b"run", msgspec.json.encode(info))

    def _sees(self, info: RunInfo) -> bool:
        try:
            return self._may_view(info)
        except Exception as error:  # whatever it is: nobody but the application knows what it may raise
            raise EngineError(
                "the application does not say who may view a run", op="list", subject=info.id, hint="see its own log"
            ) from error


def _told(info: RunInfo) -> tuple[object, ...]:
    return (*told(info), info.pinned, info.outcome)


def _framed(name: bytes, data: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name, data)


def _sleep(seconds: float) -> None:
    """Sleep in this thread of the operating system, whatever `time.sleep` has become."""
    real.make_poll().poll(seconds * 1000)


_made: Final[dict[int, Watchlist]] = {}


def watchlist_of(engine: Engine) -> Watchlist:
    """Return the engine's; made on first use in each process."""
    found = _made.get(id(engine))
    if found is None or found.engine is not engine:
        found = _made.setdefault(id(engine), Watchlist(engine))
    return found


os.register_at_fork(after_in_child=_made.clear)  # the parent's thread is not here
