"""State directories that are odd, damaged from the start, or somebody else's."""

import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tailrace.core.errors import EngineError, TailraceError, UnknownRun, WrongVersion
from tailrace.core.outcome import Exited, Stopped
from tailrace.engine.base import Query, Retention
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run
from tests.support.cleanup import end_everything


def refusal(path: Path) -> EngineError:
    """Return why the directory cannot be used; the error has something to say to a user."""
    with pytest.raises(EngineError) as caught:
        DiskEngine(path)
    assert caught.value.subject == str(path)
    assert "TAILRACE_STATE" in caught.value.hint
    return caught.value


@pytest.mark.parametrize("length", [150, 600])
def test_a_long_path_works(state_dir: Path, length: int) -> None:
    """Longer than a socket's name may be, and than SQLite's paths: starting, input, stopping, listing, pruning."""
    deep = state_dir
    while len(str(deep)) < length:
        deep /= "d" * 100
    engine = DiskEngine(deep)
    run = engine.start(["cat"], stdin=True, ladder=[("KILL", 0)])
    run.send(b"hello\n")
    assert next(run.follow()).data == b"hello\n"
    run.stop()
    assert run.wait(timeout=60).outcome == Stopped(None)
    assert [info.id for info in engine.list(Query(state="stopped")).runs] == [run.id]
    assert engine.prune(Retention(count=0)).runs == 1
    assert engine.list(Query()).runs == ()
    engine.close()


def test_a_directory_is_made_with_its_parents(state_dir: Path) -> None:
    """Private, whatever the umask; and used again as it is."""
    path = state_dir / "a" / "b"
    DiskEngine(path).close()
    assert path.stat().st_mode & 0o777 == 0o700
    DiskEngine(path).close()
    assert (path / "version").read_text() == "1\n"


def test_many_may_make_it_at_once(state_dir: Path) -> None:
    """Whoever comes first, all get the same one."""
    path, errors = state_dir / "new", []
    barrier = threading.Barrier(8)

    def connect() -> None:
        barrier.wait()
        try:
            DiskEngine(path).close()
        except TailraceError as error:
            errors.append(error)

    threads = [threading.Thread(target=connect) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(entry.name for entry in path.iterdir()) == ["active", "runs", "version"]


def test_below_a_file_there_is_no_directory(state_dir: Path) -> None:
    """Neither there nor in place of a file."""
    (state_dir / "file").touch()
    for path in (state_dir / "file" / "x", state_dir / "file"):
        assert "cannot be used" in refusal(path).message


@pytest.mark.parametrize(
    ("version", "hint"), [("2\n", "upgrade"), ("0\n", ""), ("", ""), ("x" * 100, ""), ("\xff", "")]
)
def test_another_layout_is_refused(state_dir: Path, version: str, hint: str) -> None:
    """A newer one, an older one, or none at all: nothing is touched."""
    DiskEngine(state_dir).close()
    (state_dir / "version").write_text(version, encoding="latin-1")
    error = refusal(state_dir)
    assert isinstance(error, WrongVersion)
    assert hint in error.hint
    assert (state_dir / "version").read_text(encoding="latin-1") == version


def test_a_directory_of_something_else_is_refused(state_dir: Path) -> None:
    """And stays as it was."""
    (state_dir / "thesis.txt").write_text("x")
    state_dir.chmod(0o755)
    assert "thesis.txt" in refusal(state_dir).message
    assert [path.name for path in state_dir.iterdir()] == ["thesis.txt"]
    assert state_dir.stat().st_mode & 0o777 == 0o755


def test_a_directory_that_was_begun_is_completed(state_dir: Path) -> None:
    """Its maker died in the middle."""
    (state_dir / "runs").mkdir()
    (state_dir / ".version-1-abcd").touch()
    engine = DiskEngine(state_dir)
    assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)
    engine.close()


def test_a_directory_without_its_parts_is_refused(state_dir: Path) -> None:
    """A version alone is no state directory."""
    DiskEngine(state_dir).close()
    (state_dir / "runs").rmdir()
    assert "not complete" in refusal(state_dir).message


def test_another_users_directory_is_refused(state_dir: Path) -> None:
    """Commands would run as its owner, and its owner could read what they print."""
    DiskEngine(state_dir).close()
    os.chown(state_dir, 65534, -1)
    try:
        assert "another user" in refusal(state_dir).message
    finally:
        os.chown(state_dir, os.geteuid(), -1)


def test_it_may_be_reached_by_a_link(state_dir: Path) -> None:
    """Whoever names the directory may name a link to it; inside, links are not followed."""
    (state_dir / "real").mkdir()
    (state_dir / "link").symlink_to("real")
    engine = DiskEngine(state_dir / "link")
    assert engine.start(["true"]).wait(timeout=60).outcome == Exited(0)
    engine.close()
    shutil.move(state_dir / "real" / "runs", state_dir / "elsewhere")
    (state_dir / "real" / "runs").symlink_to(state_dir / "elsewhere")
    refusal(state_dir / "real")


def test_a_run_that_is_a_link_is_none(engine: DiskEngine, state_dir: Path) -> None:
    """A directory elsewhere does not become a run by a link to it."""
    run = engine.start(["true"])
    run.wait(timeout=60)
    shutil.move(state_dir / "runs" / run.id, state_dir / "elsewhere")
    (state_dir / "runs" / run.id).symlink_to(state_dir / "elsewhere")
    with pytest.raises(UnknownRun):
        engine.get(run.id)
    assert engine.list(Query()).runs == ()


@pytest.fixture
def read_only(state_dir: Path) -> Iterator[Path]:
    """Give a directory with one finished run, on a file system that takes no changes."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "tailrace", str(state_dir)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr}")
    engine = DiskEngine(state_dir / "state")
    engine.start(["echo", "kept"]).wait(timeout=60)
    engine.list(Query())
    engine.close()
    end_everything(state_dir)
    subprocess.run(["mount", "-o", "remount,ro", str(state_dir)], check=True)
    yield state_dir
    subprocess.run(["umount", "--lazy", str(state_dir)], check=True)


def test_what_was_kept_can_be_read_from_a_read_only_disk(read_only: Path) -> None:
    """Nothing new can be made there; what is there can be looked at and followed."""
    assert "read-only" in refusal(read_only / "new").message
    engine = DiskEngine(read_only / "state")
    (run_id,) = (path.name for path in (read_only / "state" / "runs").iterdir())
    assert engine.get(run_id).outcome == Exited(0)
    assert b"".join(chunk.data for chunk in Run(engine, run_id).follow()) == b"kept\n"
    with pytest.raises(EngineError, match="read-only") as caught:
        engine.start(["true"])
    assert caught.value.hint
    with pytest.raises(EngineError):
        engine.prune(Retention(count=0))
    engine.close()


def test_a_directory_that_went_away(engine: DiskEngine, state_dir: Path) -> None:
    """Its user is told, by an error of ours, whatever is asked."""
    engine.start(["true"]).wait(timeout=60)
    end_everything(state_dir)
    shutil.rmtree(state_dir)
    for ask in (lambda: engine.start(["true"]), lambda: engine.list(Query())):
        with pytest.raises(EngineError) as caught:
            ask()
        assert caught.value.hint


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + b"\xff" * 5000, b"nonsense" * 1000])
def test_a_broken_catalog_is_made_anew(engine: DiskEngine, state_dir: Path, content: bytes) -> None:
    """The truth is in the directories."""
    run = engine.start(["true"], labels={"a": "b"})
    run.wait(timeout=60)
    assert len(engine.list(Query()).runs) == 1
    for suffix in ("-wal", "-shm"):
        (state_dir / f"catalog.db{suffix}").unlink(missing_ok=True)
    (state_dir / "catalog.db").write_bytes(content)
    assert [info.id for info in engine.list(Query(labels={"a": "b"})).runs] == [run.id]


def test_a_catalog_may_be_deleted_at_any_time(engine: DiskEngine, state_dir: Path) -> None:
    """It is made anew from the directories."""
    runs = [engine.start(["true"]) for _ in range(3)]
    for run in runs:
        run.wait(timeout=60)
        engine.list(Query())
        for path in state_dir.glob("catalog.db*"):
            path.unlink()
    assert [info.id for info in engine.list(Query()).runs] == [run.id for run in reversed(runs)]


def test_a_catalog_of_another_version_is_made_anew(engine: DiskEngine, state_dir: Path) -> None:
    """Its tables are replaced by today's, with all runs in them."""
    run = engine.start(["true"], labels={"a": "b"}, by="ann")
    run.wait(timeout=60)
    with closing(sqlite3.connect(state_dir / "catalog.db")) as old:
        old.executescript(
            "CREATE TABLE runs (id TEXT PRIMARY KEY, info BLOB) WITHOUT ROWID; INSERT INTO runs VALUES ('x', '{}');"
            "CREATE TABLE labels (name TEXT, value TEXT, id TEXT); CREATE TABLE complete (version INTEGER PRIMARY KEY);"
            "INSERT INTO complete VALUES (1);"
        )
    page = engine.list(Query(by="ann", labels={"a": "b"}, q="TRUE", total=True))
    assert ([info.id for info in page.runs], page.total) == ([run.id], 1)
