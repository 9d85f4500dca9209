"""The engine of this machine: runs as directories, a runner that launches them, viewers that read their files."""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from typing import Unpack

from tailrace.core.activity import BUCKETS, Activity
from tailrace.core.errors import (
    EngineError,
    EngineUnavailable,
    InvalidInput,
    KeyBusy,
    OffsetBeyondEnd,
    StreamBroken,
    UnknownRun,
    WrongState,
)  # fmt: skip
from tailrace.core.outcome import Lost
from tailrace.core.piece import Chunk, Gap
from tailrace.core.result import Result
from tailrace.core.run import RunInfo
from tailrace.core.spec import Spec, WhenBusy
from tailrace.core.states import State
from tailrace.core.timeline import Stream
from tailrace.engine import catalog, preparation
from tailrace.engine.activity import activity_of
from tailrace.engine.base import End, Page, Passage, Pin, Pruned, Query, Request, Retention, Ring, StartOptions
from tailrace.engine.glance import glance, with_usage
from tailrace.engine.run import LIMIT_GAP, Run
from tailrace.follow import counting
from tailrace.follow.arrivals import Arrivals
from tailrace.follow.lines import Lines
from tailrace.follow.reader import Reader, open_files
from tailrace.follow.tail import last_lines
from tailrace.follow.watch import Subscription, subscribe
from tailrace.host import messages, rundir, runner_link, settle, unix
from tailrace.host.admission import Admission
from tailrace.host.clock import Clock, anchor
from tailrace.host.messages import Stop
from tailrace.host.rundir import Damaged, RunDir
from tailrace.host.space import check_space
from tailrace.host.statedir import StateDir, default_path
from tailrace.host.wait import readable

ASK_S = 30.0
NOT_COUNTED = -1


@contextmanager
def _within_limits(op: str) -> Iterator[None]:
    """Have what a process can run out of told as such, and never taken for something about a run."""
    try:
        yield
    except OSError as error:
        if error.errno not in rundir.OUT_OF:
            raise
        raise EngineError(
            f"this process has run out: {(error.strerror or str(error)).lower()}",
            op=op,
            subject="this process",
            hint="raise the limit of open files (`ulimit -n`)",
        ) from None


def _names(files: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return for each text the name that its file has in the run, and where it is: by its number and its suffix."""
    return {text: (f"{index}{os.path.splitext(path)[1]}", path) for index, (text, path) in enumerate(files.items())}


class DiskEngine:
    """Runs under one state directory. Safe to use from several threads, and after a fork."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        """Open the state directory, making it if it is not there.

        Raises:
            EngineError: it cannot be used.
            WrongVersion: another version's layout.
        """
        self.state = StateDir(path if path is not None else default_path())
        self._admission = Admission(self.state)

    def __repr__(self) -> str:
        """Return how to connect to it again."""
        return f"tailrace.connect({'disk:' + self.state.path!r})"

    @_within_limits("start")
    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """See `Engine.start`."""
        spec, launch = preparation.prepare(argv, options, os.path.join(self.state.path, "runs"))
        check_space(self.state)
        files = _names(options.get("files") or {})
        if files:
            home = f"{self.state.path}/runs/{spec.id}/{rundir.FILES}"
            spec, launch = preparation.with_files(
                spec, launch, {text: f"{home}/{name}" for text, (name, _path) in files.items()}
            )
        extras = rundir.Extras(pinned=options.get("pin", False), files=dict(files.values()))
        with self._putting(), rundir.drafted(self.state, spec, launch, extras) as draft:  # copies while nobody waits
            if spec.key is None or spec.when_busy is WhenBusy.QUEUE:
                self._place(spec, draft)
            else:
                with self.state.exclusively("keys.lock"):
                    if (other := self._going(spec.key)) is not None:
                        return self._join(other, spec)
                    self._place(spec, draft)
        self._begin(spec.id)
        return Run(self, spec.id)

    @_within_limits("get")
    def get(self, run_id: str, *, usage: bool = False) -> RunInfo:
        """See `Engine.get`."""
        with RunDir(self.state, run_id) as run:
            info = self._info(run)
            return with_usage(info, run) if usage else info

    @_within_limits("spec")
    def spec(self, run_id: str) -> Spec:
        """See `Engine.spec`."""
        with RunDir(self.state, run_id) as run:
            try:
                return run.spec()
            except Damaged as error:
                raise EngineError(
                    f"run {run_id}: {error}", op="read", subject=run_id, hint="its output can still be followed"
                ) from None

    @_within_limits("list")
    def list(self, query: Query) -> Page:
        """See `Engine.list`."""
        return catalog.page(self.state, query, self._live_infos())

    @_within_limits("cursor")
    def cursor(  # noqa: PLR0913  as the protocol
        self,
        run_id: str,
        offset: int = 0,
        *,
        tail: int | None = None,
        line: int | None = None,
        stream: Stream | None = None,
        labelled: bool = True,
        counted: bool = True,
    ) -> "DiskCursor":
        """See `Engine.cursor`."""
        run = RunDir(self.state, run_id)
        with ExitStack() as opened:
            opened.callback(run.close)
            result, size = _result_of(run), run.size()
            if tail is not None:
                offset = last_lines(run, min(size, result.size) if result else size, tail)
            elif line is not None:
                offset = 0
            _check_offset(offset, result.total if result else size)
            files = open_files(run, labelled=labelled or stream is not None)
            cursor = DiskCursor(self, run, Reader(run.id, files, offset, stream=stream), result, counted=counted)
            opened.pop_all()
        if tail is not None or line is None:
            return cursor
        with closing(cursor):
            return cursor.at(cursor.lines().begin(line))

    @_within_limits("control")
    def control(self, run_id: str, request: Request) -> None:
        """See `Engine.control`."""
        with RunDir(self.state, run_id) as run:
            if isinstance(request, Pin):
                run.set_pinned(pinned=request.on)
            else:
                self._ask_keeper(run, request)

    @_within_limits("prune")
    def prune(self, retention: Retention) -> Pruned:
        """See `Engine.prune`."""
        return catalog.prune(self.state, retention)

    def close(self) -> None:
        """See `Engine.close`."""
        self.state.close()

    # Starting

    def _place(self, spec: Spec, draft: rundir.Draft) -> None:
        with self._admission.one_more(spec):
            draft.place()

    @contextmanager
    def _putting(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in rundir.OUT_OF:
                raise  # which says nothing of the directory
            raise EngineError(
                f"the run cannot be put into {self.state.path}: {(error.strerror or str(error)).lower()}",
                op="start",
                subject=self.state.path,
                hint="see that the directory is there, writable, and has room",
            ) from None

    def _begin(self, run_id: str) -> None:
        """Have a runner take the run; if none can be had, take it back, so that it does not happen later, unasked."""
        try:
            runner_link.begin(self.state, run_id)
        except EngineError as error:
            with RunDir(self.state, run_id) as run:
                if settle.cancel(run, f"an engine error: {error.message}"):
                    raise

    def _going(self, key: str) -> str | None:
        """Return the run of this key that is going, or is next, if there is one."""
        for run_id in self.state.active():
            if self.state.active_key(run_id) == key and not self.get(run_id).is_finished:
                return run_id
        return None

    def _join(self, other: str, spec: Spec) -> Run:
        if spec.when_busy is WhenBusy.JOIN:
            return Run(self, other)
        raise KeyBusy(
            f"run {other} with key {spec.key!r} is going",
            op="start",
            subject=spec.key or "",
            hint="wait for it or stop it; when_busy='queue' waits, 'join' watches that run",
        )

    # Looking

    def _live_infos(self) -> Sequence[RunInfo]:
        infos = []
        for run_id in self.state.active():
            try:
                infos.append(self.get(run_id))
            except (UnknownRun, OSError):
                continue
        return infos

    def _info(self, run: RunDir) -> RunInfo:
        """Return the run; a dead one is settled first, a waiting one is brought to a runner's attention."""
        info = glance(run)
        if not info.is_finished and not run.is_kept():
            self.revive(run)
            info = glance(run)
        return info

    def revive(self, run: RunDir) -> None:
        """A run without a keeper: settle it, or see that a runner takes it."""
        try:
            if not settle.settle(run) and not run.has("live.json") and not self.state.has_runner():
                runner_link.begin(self.state, run.id)
        except (OSError, EngineUnavailable):
            return  # a full disk, or no runner to be had: as it was, and the next look tries again

    # Requests

    def _ask_keeper(self, run: RunDir, request: messages.KeeperRequest) -> None:
        deadline = time.monotonic() + ASK_S
        while True:
            info = self._info(run)
            if info.is_finished or (isinstance(request, Stop) and self._cancel(run, info, request)):
                break
            if (reply := self._tell_keeper(run, request, deadline)) is not None:
                if reply.error:
                    raise WrongState(f"run {run.id}: {reply.error}", op="control", subject=run.id, hint=reply.hint)
                return
        if not isinstance(request, Stop):
            raise WrongState(
                f"run {run.id} is finished", op="control", subject=run.id, hint="nothing can be sent to it any more"
            )

    def _tell_keeper(self, run: RunDir, request: messages.KeeperRequest, deadline: float) -> messages.Reply | None:
        """Return the keeper's answer, or None if it is to be tried again: only what cannot have happened twice is."""
        is_sent = False
        try:
            with closing(unix.connect("control", dir_fd=run.fd, timeout_s=ASK_S)) as peer:
                if isinstance(request, messages.Input):
                    peer.settimeout(None)  # the command may take it whenever it likes
                is_sent = not isinstance(request, Stop)
                return messages.ask(peer, request)
        except OSError as error:
            if time.monotonic() > deadline or (is_sent and not self._info(run).is_finished):
                raise _no_answer(run, error) from None
        readable([], 0.01)
        return None

    def _cancel(self, run: RunDir, info: RunInfo, request: Stop) -> bool:
        return info.state is State.QUEUED and settle.cancel(run, request.by)


class DiskCursor:
    """See `Cursor`."""

    def __init__(
        self, engine: DiskEngine, run: RunDir, reader: Reader, result: Result | None, *, counted: bool
    ) -> None:
        """Take over the run's directory and the reader; if that fails, the reader is closed.

        Raises:
            OSError: this process has too many files open.
        """
        self._engine = engine
        self._run = run
        self._reader = reader
        self._result = result
        self._subscription: Subscription | None = None
        self._is_gap_told = False
        self._lines: Lines | None = None
        try:
            self._presence = run.join_viewers() if counted else NOT_COUNTED
        except OSError:
            reader.close()
            raise

    @property
    def offset(self) -> int:
        """See `Cursor.offset`."""
        return self._reader.offset

    def look(self, until: int | None = None) -> list[Chunk] | Gap | End | None:
        """See `Cursor.look`."""
        if until is not None:
            return self._reader.read(until) if self.offset < until else None
        size = self._reader.size()
        if self._result is None and self.offset >= size:
            self._result = _result_of(self._run)  # only now: nothing is written behind what a result records
            size = self._reader.size()
        result = self._result
        self._reader.recorded = result.records if result else None
        end = size if result is None else min(size, result.size)
        if self.offset < end:
            return self._reader.read(end)
        if result is None:
            if self._subscription is not None and self._subscription.is_orphaned:
                self._engine.revive(self._run)
                self._result = _result_of(self._run)
                if self._result is None and self._run.is_removed():
                    raise _removed(self._run)
                return self.look() if self._result is not None else None
            return None
        return self._finish(result)

    def _finish(self, result: Result) -> Gap | End:
        """Tell what is missing at the end, once, then the end."""
        total = result.size + result.dropped
        if self.offset < total and not self._is_gap_told:
            if self.offset < result.size:
                gap = Gap(self.offset, result.size, "the output file is shorter than recorded")
                self._reader.offset = result.size
                return gap
            self._is_gap_told = True
            return Gap(max(self.offset, result.size), total, self._why_dropped(result))
        return End(glance(self._run, result))

    def _why_dropped(self, result: Result) -> str:
        try:
            limit = self._run.spec().output_limit
        except Damaged:
            limit = None
        return LIMIT_GAP if limit is not None and result.size >= limit else "not kept: the disk failed"

    def more(self) -> list[Chunk] | None:
        """See `Cursor.more`."""
        if self.offset < (size := self._reader.size()) and self._result is None:
            return self._reader.read(size)
        is_orphaned = self._subscription is not None and self._subscription.is_orphaned
        return None if is_orphaned or self._result is not None or self._run.has("result.json") else []

    def passage(self) -> Passage | None:
        """See `Cursor.passage`."""
        end = self._reader.size()
        if self._result is not None:
            end = min(end, self._result.size)
        return Passage(self._reader.output, self.offset, end) if self._reader.is_whole and end > self.offset else None

    def skip(self, count: int) -> None:
        """See `Cursor.skip`."""
        self._reader.skip(count)

    def info(self) -> RunInfo:
        """See `Cursor.info`."""
        return glance(self._run)

    def activity(self, buckets: int = BUCKETS, begin_s: float = 0.0, until_s: float | None = None) -> Activity:
        """See `Cursor.activity`."""
        arrivals = Arrivals(self._reader.records, self._end())
        return activity_of(self._run, glance(self._run, self._result), arrivals, (buckets, begin_s, until_s))

    def lines(self) -> Lines:
        """See `Cursor.lines`."""
        if self._lines is None:
            self._lines = Lines(self._run, self._reader.output, self._end, self._reader.offset_at)
        return self._lines

    def count_behind(self) -> None:
        """See `Cursor.count_behind`."""
        counting.attend(self._run, self._reader.output)

    def _end(self) -> int:
        """Return how many bytes can be read now."""
        if self._result is None:
            self._result = _result_of(self._run)
        size = self._reader.size()
        return size if self._result is None else min(size, self._result.size)

    def at(self, offset: int) -> "DiskCursor":
        """See `Cursor.at`."""
        with ExitStack() as opened:
            try:
                run = self._run.again()
                opened.callback(run.close)
                counted = self._presence != NOT_COUNTED
                cursor = DiskCursor(self._engine, run, self._reader.at(offset), self._result, counted=counted)
            except OSError as error:
                raise _unreadable(self._run, error) from None
            opened.pop_all()
        return cursor

    def on_change(self, ring: Ring) -> None:
        """See `Cursor.on_change`."""
        if self._subscription is not None:
            self._subscription.close()
        try:
            self._subscription = subscribe(self._run, ring)
        except FileNotFoundError:
            raise _removed(self._run) from None

    def close(self) -> None:
        """See `Cursor.close`."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        self._reader.close()
        self._run.close()
        self._leave()

    def _leave(self) -> None:
        """Be counted as a viewer no more."""
        if self._presence >= 0:
            os.close(self._presence)
            self._presence = NOT_COUNTED


def _result_of(run: RunDir) -> Result | None:
    """Return the run's result; a damaged one says that the run was lost."""
    try:
        return run.result()
    except Damaged as error:
        return Result(outcome=Lost(str(error)), ended=Clock(anchor()).wall(), size=run.size())


def _check_offset(offset: int, end: int) -> None:
    if offset < 0:
        raise InvalidInput(
            "the offset is below 0", op="follow", subject=str(offset), hint="it counts bytes from the start"
        )
    if offset > end:
        raise OffsetBeyondEnd(
            f"offset {offset} is beyond the output, which has {end} bytes",
            op="follow",
            subject=str(offset),
            hint="resume from an offset that a stream of this run gave you",
        )


def _removed(run: RunDir) -> StreamBroken:
    return StreamBroken(
        f"run {run.id} has been removed, and how it ended with it",
        op="follow",
        subject=run.id,
        hint="what is watched for long can be pinned: `tailrace pin`",
    )


def _unreadable(run: RunDir, error: OSError) -> EngineError:
    return EngineError(
        f"run {run.id} cannot be read on: {(error.strerror or str(error)).lower()}",
        op="follow",
        subject=run.id,
        hint="raise the limit of open files (`ulimit -n`)",
    )


def _no_answer(run: RunDir, error: OSError) -> EngineUnavailable:
    return EngineUnavailable(
        f"the keeper of run {run.id} does not answer: {(error.strerror or str(error)).lower()}",
        op="control",
        subject=run.id,
        hint="`tailrace show` says what holds it; a full disk or a stopped keeper process may be the cause",
    )
