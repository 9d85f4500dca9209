"""What has happened to runs since it was last looked: which have started, which have ended.

What is known is kept in `STATE/hooks/known.json`: from when on runs are looked at, which of them had not ended, and
which were done with. It is written after what was found has been put into the outbox, so that a crash in between finds
it again, and never loses it. The runs themselves are the queue: what could not be looked at yet is there later. A
hook for which too much waits holds up no other: what happens then is not told to it.
"""

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from tailrace.core import ids
from tailrace.core.errors import UnknownRun
from tailrace.core.hook import Event, Hook
from tailrace.core.run import RunInfo
from tailrace.engine.base import Query
from tailrace.engine.disk import DiskEngine
from tailrace.hooks.outbox import MOST, Delivery, Outbox, delivery_id, sync
from tailrace.host.statedir import read_file, write_file

log = logging.getLogger("tailrace")

KNOWN: Final = "known.json"
MARGIN_S: Final = 60.0
"""between the instant in a run's id and the one in which it can be seen, at most"""
RARELY_S: Final = 15.0
"""after which everything is looked at, even if nothing seems to have changed: a keeper may have died"""
FRESH_NS: Final = 1_000_000_000
"""a directory that was changed so recently may have been changed again at what its clock calls the same instant"""
PAGE: Final = 500
BODY_BYTES: Final = 48 << 10
"""of a body, beyond which arguments are left out: it must fit into a pipe whose reader does not read"""
FEW_ARGUMENTS: Final = 16
FEW_CHARS: Final = 200


class Known(msgspec.Struct):
    """What is known."""

    since_us: int
    """runs that were created before are not new"""
    going: dict[str, bool] = {}
    """runs that had not ended, and whether it was told that they have started"""
    done: set[str] = set()
    """runs created since then with which nothing more will happen"""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a hook is sent."""

    id: str
    event: Event
    time: datetime | None
    """when it happened"""
    run: RunInfo


_KNOWN = msgspec.json.Decoder(Known)


class Observer:
    """Looks at the runs of a state directory.

    Args:
        engine: has the runs.
        hooks: what they are told.
        outbox: takes what is to be told.
        dir_fd: the directory in which `KNOWN` is.
    """

    def __init__(self, engine: DiskEngine, hooks: Sequence[Hook], outbox: Outbox, dir_fd: int) -> None:
        self._engine = engine
        self._hooks = hooks
        self._outbox = outbox
        self._dir_fd = dir_fd
        self._dropped: Counter[str] = Counter()
        """what found no room since the log was told, by hook"""
        self._looked = 0.0
        self._changed_ns = -1
        self._known = self._load() or self._begin()

    def look(self) -> None:
        """Put into the outbox what has happened; at once if there is nothing to see.

        Raises:
            EngineError: the runs cannot be looked at.
            OSError: nothing can be written; the same will be found again.
        """
        changed_ns = os.fstat(self._engine.state.active_fd).st_mtime_ns
        is_quiet = changed_ns == self._changed_ns and changed_ns < time.time_ns() - FRESH_NS
        is_recent = time.monotonic() - self._looked < RARELY_S
        if is_quiet and is_recent and all(self._known.going.values()):
            return
        self._look()
        self._changed_ns, self._looked = changed_ns, time.monotonic()

    def _look(self) -> None:
        now_us = time.time_ns() // 1000
        before = msgspec.json.encode(self._known)
        for run_id in (*sorted(self._known.going), *self._new()):
            self._look_at(run_id)
        self._tell_dropped()
        self._known.since_us = now_us - round(MARGIN_S * 1e6)
        self._known.done = {each for each in self._known.done if ids.created_us(each) >= self._known.since_us}
        if msgspec.json.encode(self._known) != before:
            self._save()

    def _new(self) -> list[str]:
        """Return the runs that were not known, the oldest first."""
        since = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=self._known.since_us)
        query = Query(since=since, limit=PAGE)
        found: list[str] = []
        while True:
            page = self._engine.list(query)
            found += [info.id for info in page.runs]
            if page.next is None:
                break
            query = msgspec.structs.replace(query, cursor=page.next)
        known = self._known
        return sorted(each for each in {*found} if each not in known.going and each not in known.done)

    def _look_at(self, run_id: str) -> None:
        known = self._known
        try:
            info = self._engine.get(run_id)
        except UnknownRun:  # pruned
            known.going.pop(run_id, None)
            return
        hooks = [hook for hook in self._hooks if hook.is_about(info)]
        if not known.going.get(run_id, False) and info.started is not None:
            for hook in hooks:
                if "started" in hook.on:
                    self._put(hook, "started", info)
        if not info.is_finished:
            known.going[run_id] = info.started is not None
            return
        for hook in hooks:
            if (event := hook.event_of(info)) is not None:
                self._put(hook, event, info)
        known.going.pop(run_id, None)
        known.done.add(run_id)

    def _put(self, hook: Hook, event: Event, info: RunInfo) -> None:
        name = delivery_id(info.id, event, hook.name)
        at = info.started if event == "started" else info.ended
        body = _body(Told(id=name, event=event, time=at, run=info))
        delivery = Delivery(
            id=name, hook=hook.name, event=event, run=info.id, since=time.time(), body=body.decode()
        )  # fmt: skip
        if self._outbox.is_full(delivery):
            self._dropped[hook.name] += 1
        else:
            self._outbox.put(delivery)

    def _tell_dropped(self) -> None:
        """Tell the log of each hook that something is not told to."""
        for name, count in self._dropped.items():
            log.error("hook %s: %d more are not told to it: %d wait for it already", name, count, MOST)
        self._dropped.clear()

    def _begin(self) -> Known:
        """Return what is known when hooks are used for the first time: they are told what happens from now on."""
        known = Known(time.time_ns() // 1000)
        for info in self._active():
            if not info.is_finished:  # what has just ended is there for a moment longer
                known.going[info.id] = info.started is not None
        self._known = known
        self._save()
        return known

    def _active(self) -> Iterator[RunInfo]:
        for run_id in self._engine.state.active():
            try:
                yield self._engine.get(run_id)
            except UnknownRun:
                continue

    def _load(self) -> Known | None:
        """Return what was known; None, if that cannot be said any more, or there is nothing yet.

        Raises:
            OSError: it cannot be read at the moment.
        """
        try:
            return _KNOWN.decode(read_file(KNOWN, dir_fd=self._dir_fd))
        except FileNotFoundError:
            return None
        except msgspec.MsgspecError as error:
            why = "ends of runs that were not told yet are not told to hooks"
            log.error("%s of the hooks cannot be read, and is begun anew: %s (%s)", KNOWN, why, error)  # noqa: TRY400  no traceback for damage
            return None

    def _save(self) -> None:
        temporary = f".{KNOWN}"
        write_file(temporary, msgspec.json.encode(self._known), dir_fd=self._dir_fd, flags=os.O_TRUNC)
        sync(temporary, self._dir_fd)
        os.rename(temporary, KNOWN, src_dir_fd=self._dir_fd, dst_dir_fd=self._dir_fd)
        os.fsync(self._dir_fd)


def _body(told: Told) -> bytes:
    body = msgspec.json.encode(told)
    if len(body) <= BODY_BYTES:
        return body
    argv = tuple(each[:FEW_CHARS] for each in told.run.argv[:FEW_ARGUMENTS])
    return msgspec.json.encode(msgspec.structs.replace(told, run=msgspec.structs.replace(told.run, argv=argv)))
