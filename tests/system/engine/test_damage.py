"""Damaged files of a run: nothing crashes, the bytes stay readable, and no byte gets a label that is wrong."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.errors import EngineError, OffsetBeyondEnd, StreamBroken
from tailrace.core.outcome import Exited, Lost
from tailrace.core.piece import Chunk, Gap
from tailrace.core.run import Live, ProcessId
from tailrace.core.states import State
from tailrace.core.timeline import RECORD_BYTES, Stream
from tailrace.engine import catalog, preparation
from tailrace.engine.base import End, Query
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tailrace.host import linux, lock, rundir
from tailrace.host.rundir import RunDir
from tests.support.wait import wait_for

WRITER = """
import os, random
source = random.Random(9)
for n in range(300):
    os.write(1 + source.randrange(2), b"%d\\n" % n * source.randrange(1, 9))
    if source.randrange(3) == 0:
        os.sched_yield()
"""
NAMES = ("spec.json", "result.json", "timeline")


class Sound:
    """A finished run, how it was before any damage, and what must hold of it afterwards."""

    def __init__(self, engine: DiskEngine, run: Run, state_dir: Path) -> None:
        run.wait(timeout=60)
        self.engine = engine
        self.run = run
        self.directory = state_dir / "runs" / run.id
        wait_for(lambda: not self._is_kept())
        self.files = {name: (self.directory / name).read_bytes() for name in (*NAMES, "output")}
        self.data = self.files["output"]
        self.labels = b"".join(bytes([chunk.stream]) * len(chunk.data) for chunk in run.follow())
        assert set(self.labels) == {1, 2}

    def _is_kept(self) -> bool:
        with RunDir(self.engine.state, self.run.id) as directory:
            return directory.is_kept()

    def damage(self, name: str, content: bytes) -> None:
        """Put something else into a file."""
        (self.directory / name).write_bytes(content)

    def heal(self) -> None:
        """Make it as it was."""
        for name, content in self.files.items():
            self.damage(name, content)

    def check(self) -> None:
        """Look at the run in every way."""
        info = self.engine.get(self.run.id)
        assert info.id == self.run.id
        assert info.size == len(self.data)
        assert info.is_finished
        self.check_output(0)
        self.check_output(len(self.data) // 2)
        with closing(self.engine.cursor(self.run.id, tail=3)) as cursor:
            assert cursor.offset == len(b"".join(self.data.splitlines(keepends=True)[:-3]))
        assert self.spec_or_hint() in (self.run.id, "its output can still be followed")

    def spec_or_hint(self) -> str:
        """Return the id that the spec has, or what to do without one."""
        try:
            return self.engine.spec(self.run.id).id
        except EngineError as error:
            return error.hint

    def check_output(self, offset: int) -> None:
        """Follow it: the bytes are exact, each label is the true one or says that it is not known."""
        chunks = list(self.run.follow(offset))
        assert b"".join(chunk.data for chunk in chunks) == self.data[offset:]
        for chunk in chunks:
            true = set(self.labels[chunk.offset : chunk.end])
            assert chunk.stream is Stream.MIXED or true == {int(chunk.stream)}, (chunk, true)

    def check_list(self) -> None:
        """Make the catalog anew and list the run."""
        catalog.reindex(self.engine.state)
        assert [info.id for info in self.engine.list(Query()).runs] == [self.run.id]


@pytest.fixture
def sound(engine: DiskEngine, state_dir: Path) -> Sound:
    """Give a finished run of two streams."""
    run = engine.start([sys.executable, "-I", "-S", "-c", WRITER], inherit_env=False, labels={"a": "b"})
    return Sound(engine, run, state_dir)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_ends_early(sound: Sound, name: str) -> None:
    """Cut off at every length, from nothing to one byte too few."""
    whole = sound.files[name]
    lengths = range(len(whole)) if len(whole) < 2000 else sorted({*range(200), *range(0, len(whole), 37)})
    for length in lengths:
        sound.damage(name, whole[:length])
        sound.check()
    for length in (0, 1, len(whole) // 2):
        sound.damage(name, whole[:length])
        sound.check_list()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_a_file_with_noise_in_it(sound: Sound, name: str, seed: int) -> None:
    """Bytes overwritten, blocks of zeros, and noise alone."""
    source = random.Random(seed)
    whole = sound.files[name]
    for _ in range(60):
        begin = source.randrange(len(whole))
        length = min(source.choice((1, 2, 24, 100, 5000)), len(whole) - begin)
        noise = source.choice((source.randbytes(length), bytes(length), b"\xff" * length, b"9" * length))
        sound.damage(name, whole[:begin] + noise + whole[begin + length :])
        try:
            sound.check()
        except (AssertionError, StreamBroken):
            if name == "timeline" or not _says_otherwise(sound, name):
                raise
    sound.damage(name, source.randbytes(5000))
    sound.check()
    sound.check_list()


def _says_otherwise(sound: Sound, name: str) -> bool:
    """Tell whether the damaged JSON still makes sense, and so says something else: there is no way to know."""
    with RunDir(sound.engine.state, sound.run.id) as run:
        try:
            run.spec() if name == "spec.json" else run.result()
        except rundir.Damaged:
            return False
    return True


def test_records_that_are_gone_are_not_made_up(sound: Sound) -> None:
    """Whole records are missing at the end: the bytes they described are nobody's."""
    whole = sound.files["timeline"]
    for count in range(len(whole) // RECORD_BYTES):
        sound.damage("timeline", whole[: count * RECORD_BYTES])
        sound.check_output(0)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_gone(sound: Sound, name: str, state_dir: Path) -> None:
    """Only without its result is a run not finished; whoever looks then ends it as lost, with all its bytes."""
    (sound.directory / name).unlink()
    if name == "result.json":
        (sound.directory / "live.json").write_text("{}")
        (state_dir / "active" / sound.run.id).touch()
        assert isinstance(sound.engine.get(sound.run.id).outcome, Lost)
    sound.check()
    sound.check_list()


@pytest.mark.parametrize("name", [*NAMES, "output", "late", "lock"])
@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("/etc/passwd")], ids=["directory", "link"])
def test_a_file_that_is_no_file(sound: Sound, name: str, make: Callable[[Path], None]) -> None:
    """A directory or a link in its place is an error of ours at most, and never followed."""
    (sound.directory / name).unlink(missing_ok=True)
    make(sound.directory / name)
    assert sound.engine.get(sound.run.id).id == sound.run.id
    assert [info.id for info in sound.engine.list(Query()).runs] == [sound.run.id]
    if name == "output":
        with pytest.raises(EngineError):
            list(sound.run.follow())
    else:
        sound.check_output(0)


def test_an_output_that_ends_early_says_what_is_missing(sound: Sound) -> None:
    """What is there comes, then the gap; a stream that stops before its recorded end never looks complete."""
    size = len(sound.data)
    for length in (0, 1, size // 2, size - 1):
        sound.damage("output", sound.data[:length])
        events = list(sound.run.events())
        assert b"".join(event.data for event in events if isinstance(event, Chunk)) == sound.data[:length]
        assert [event[:2] for event in events if isinstance(event, Gap)] == [(length, size)]
        assert isinstance(events[-1], End)
        with pytest.raises(StreamBroken, match=f"{length} to {size}"):
            list(sound.run.follow())
    (sound.directory / "output").unlink()
    with pytest.raises(StreamBroken, match=f"0 to {size}"):
        list(sound.run.follow())
    sound.heal()
    sound.check()


def test_an_output_that_shrinks_under_a_viewer(sound: Sound) -> None:
    """The viewer is told."""
    with closing(sound.engine.cursor(sound.run.id, 10)) as cursor:
        os.truncate(sound.directory / "output", 5)
        assert isinstance(cursor.look(), Gap)
        assert isinstance(cursor.look(), End)


def test_an_output_longer_than_recorded_ends_where_it_was_recorded(sound: Sound) -> None:
    """What somebody else appended was not written by the command."""
    sound.damage("output", sound.data + b"forged")
    sound.check_output(0)
    with pytest.raises(OffsetBeyondEnd):
        sound.engine.cursor(sound.run.id, len(sound.data) + 1)


@pytest.fixture
def kept(engine: DiskEngine) -> Iterator[RunDir]:
    """Give a run that goes, with this test as its keeper."""
    spec, launch = preparation.prepare(["true"], {"inherit_env": False})
    rundir.create(engine.state, spec, launch)
    with RunDir(engine.state, spec.id) as run:
        held = run.open_lock()
        assert lock.try_lock(held)
        me = ProcessId(linux.boot_id(), 1, os.getpid())
        run.write_live(Live(state=State.RUNNING, keeper=me))
        with os.fdopen(run.open("output", os.O_WRONLY), "wb") as output:
            output.write(b"some\noutput\n")
        yield run
        os.close(held)


@pytest.mark.parametrize("name", ["live.json", "spec.json", "timeline"])
def test_a_live_run_with_a_damaged_file(engine: DiskEngine, kept: RunDir, name: str) -> None:
    """It goes on, can be listed and followed, and says what cannot be read."""
    path = Path(engine.state.path) / "runs" / kept.id / name
    whole = path.read_bytes()
    source = random.Random(2)
    contents = [whole.rstrip()[:length] for length in range(len(whole.rstrip()))]
    contents += [source.randbytes(len(whole)) for _ in range(20)]
    for content in contents:
        path.write_bytes(content)
        info = engine.get(kept.id)
        assert not info.is_finished
        assert name in (info.damage or "") or name == "timeline"
        assert [info.id for info in engine.list(Query()).runs] == [kept.id]
        with closing(engine.cursor(kept.id, tail=1)) as cursor:
            chunks = cursor.look()
            assert isinstance(chunks, list)
            assert [(chunk.data, chunk.stream) for chunk in chunks] == [(b"output\n", Stream.MIXED)]
            assert cursor.look() is None


@pytest.mark.parametrize("name", ["spec.json", "launch"])
@pytest.mark.parametrize("content", [b"", b"{", b"\xff" * 100, None])
def test_a_waiting_run_that_is_damaged_fails_to_start(
    engine: DiskEngine, state_dir: Path, name: str, content: bytes | None
) -> None:
    """It leaves the queue with an outcome, and those behind it are not held up."""
    first = engine.start(["cat"], stdin=True, key="k")
    second, third = (engine.start(["true"], key="k", when_busy="queue") for _ in range(2))
    path = state_dir / "runs" / second.id / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    first.close_input()
    info = second.wait(timeout=60)
    assert info.outcome is not None
    assert info.outcome.__struct_config__.tag == "failed_to_start"
    assert third.wait(timeout=60).outcome == Exited(0)


def test_settings_that_make_no_sense_are_the_defaults(engine: DiskEngine, state_dir: Path) -> None:
    """Runs are taken all the same."""
    for content in (b"", b"{", b"[]", b'{"max_running": "many"}', b"\xff"):
        (state_dir / "settings.json").write_bytes(content)
        assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)


def test_strange_files_in_the_directory_are_passed_over(engine: DiskEngine, state_dir: Path) -> None:
    """Names that are no ids, and entries without a run."""
    (state_dir / "runs" / "notes.txt").touch()
    (state_dir / "runs" / ".half").mkdir()
    (state_dir / "active" / "notes.txt").touch()
    (state_dir / "active" / ("0" * 27)).touch()
    (state_dir / "ended").write_text("0000\n\xff\n" + "0" * 27 + "\n", encoding="latin-1")
    run = engine.start(["true"])
    assert run.wait(timeout=60).outcome == Exited(0)
    assert [info.id for info in engine.list(Query()).runs] == [run.id]
