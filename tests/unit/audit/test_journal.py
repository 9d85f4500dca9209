import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TextIO

import pytest

from tailrace.audit.journal import Journal, journal_of
from tailrace.audit.reading import entries, requests
from tailrace.core.audit import Audit, Entry
from tailrace.core.errors import InvalidInput, NotRecorded

WHEN = datetime(2026, 11, 27, 10, tzinfo=UTC)


def entry(request: str, *, phase: str = "answered") -> Entry:
    """Return one of some 150 bytes."""
    return Entry(
        time=WHEN, request=request, phase="asked" if phase == "asked" else "answered", who="ann", allowed=True,
        path="/" + "x" * 60,
    )  # fmt: skip


def journal(path: Path, *, max_bytes: int = 1 << 20, keep: int = 10) -> Journal:
    """Return one that writes there."""
    return Journal(Audit(file=str(path), max_bytes=max_bytes, keep=keep))


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Have writes beyond so many bytes fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_line_is_an_object(tmp_path: Path) -> None:
    """One line an entry, in a file for its owner alone, without what is not known."""
    journal(tmp_path / "audit.jsonl").write(entry("a"))
    (line,) = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert json.loads(line) == {
        "time": "2026-11-27T10:00:00Z", "request": "a", "who": "ann", "path": "/" + "x" * 60, "allowed": True,
    }  # fmt: skip
    assert (tmp_path / "audit.jsonl").stat().st_mode & 0o777 == 0o600


def test_it_is_rotated_without_loss_by_several_processes(tmp_path: Path) -> None:
    """Four processes write at once; each line is there once and whole, and no file is longer than it may be."""
    path, many = tmp_path / "audit.jsonl", 300
    shared = journal(path, max_bytes=8192, keep=100)
    shared.check()
    children = []
    for number in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                for index in range(many):
                    shared.write(entry(f"{number}-{index}"))
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    found = [each.request for each in entries(path)]
    assert Counter(found) == Counter(f"{number}-{index}" for number in range(4) for index in range(many))
    for number in range(4):
        own = [each for each in found if each.startswith(f"{number}-")]
        assert own == [f"{number}-{index}" for index in range(many)]
    files = list(tmp_path.glob("audit.jsonl*"))
    assert len(files) > 5
    assert max(file.stat().st_size for file in files) <= 8192


def test_writers_that_are_killed_take_nothing_with_them(tmp_path: Path) -> None:
    """What a writer was told is there is there once, wherever the others were killed, in a rotation too."""
    path = tmp_path / "audit.jsonl"
    shared = journal(path, max_bytes=4096, keep=1000)
    shared.check()
    told: list[str] = []
    for life in range(12):
        ends = [_writing(shared, f"{life}-{number}") for number in range(3)]
        for pid, reader in ends:
            told.append(reader.readline().rstrip())
            os.kill(pid, signal.SIGKILL)
        for pid, reader in ends:
            told += [line.rstrip() for line in reader if line.endswith("\n")]
            os.waitpid(pid, 0)
            reader.close()
    found = Counter(each.request for each in entries(path))
    assert set(told) <= set(found)
    assert set(found.values()) == {1}
    assert len(list(tmp_path.glob("audit.jsonl.*"))) > 5


def _writing(shared: Journal, name: str) -> tuple[int, TextIO]:
    """Begin a process that writes for ever, and says which entries are there."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        for index in count():
            shared.write(entry(f"{name}-{index}"))
            os.write(theirs, f"{name}-{index}\n".encode())
    os.close(theirs)
    return pid, os.fdopen(ours)


def test_a_rotation_goes_on_where_another_was_killed(tmp_path: Path) -> None:
    """A name that is free takes the next file: none that is kept goes for it."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path, max_bytes=4096, keep=4)
    for index in range(200):
        writer.write(entry(str(index)))
    (tmp_path / "audit.jsonl.2").unlink()
    oldest = (tmp_path / "audit.jsonl.4").read_bytes()
    third = (tmp_path / "audit.jsonl.3").read_bytes()
    first = (tmp_path / "audit.jsonl.1").read_bytes()
    size = path.stat().st_size
    while path.stat().st_size >= size:
        size = path.stat().st_size
        writer.write(entry("more"))
    assert [(tmp_path / f"audit.jsonl.{number}").read_bytes() for number in (2, 3, 4)] == [first, third, oldest]


def test_the_oldest_goes(tmp_path: Path) -> None:
    """As many renamed files are kept as was said."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path, max_bytes=4096, keep=2)
    for index in range(200):
        writer.write(entry(str(index)))
    assert {file.name for file in tmp_path.iterdir()} == {
        "audit.jsonl", "audit.jsonl.1", "audit.jsonl.2", "audit.jsonl.lock"
    }  # fmt: skip
    found = [int(each.request) for each in entries(path)]
    assert found == list(range(found[0], 200))


def test_another_program_may_rename_it(tmp_path: Path) -> None:
    """Whoever writes next begins a new file."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path)
    writer.write(entry("a"))
    path.rename(tmp_path / "elsewhere")
    writer.write(entry("b"))
    assert [each.request for each in entries(path)] == ["b"]


def test_what_does_not_fit_is_not_there_at_all(tmp_path: Path) -> None:
    """A disk that is full in the middle of a line is an error, and leaves no part of it; later it goes on."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path)
    writer.write(entry("a"))
    with files_of_at_most(path.stat().st_size + 10), pytest.raises(NotRecorded, match="cannot be written"):
        writer.write(entry("b"))
    writer.write(entry("c"))
    assert [json.loads(line)["request"] for line in path.read_text().splitlines()] == ["a", "c"]


def test_half_a_line_of_a_dead_writer_spoils_no_other(tmp_path: Path) -> None:
    """The next one begins behind it; who reads passes over it."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path)
    writer.write(entry("a"))
    with path.open("a") as file:
        file.write('{"time": "2026')
    writer.write(entry("b"))
    assert [each.request for each in entries(path)] == ["a", "b"]


def test_many_strangers_take_few_lines(tmp_path: Path) -> None:
    """What is left out is counted in a line that is there when the process ends; what users do is there as it was."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path, max_bytes=20_000, keep=1)
    writer.write(entry("ours"))
    for index in range(5000):
        writer.write(Entry(time=WHEN, request=f"{index}", address="192.0.2.1", allowed=False, status=401))
    writer.finish()
    found = list(entries(path))
    assert found[0].request == "ours"
    assert sum(each.count for each in found) == 5001
    assert len(found) < 20


def test_nobody_waits_for_threads_that_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits behind another thread of the process gives up like one who waits for another process."""
    monkeypatch.setattr("tailrace.audit.journal.PATIENCE_S", 0.2)
    writer = journal(tmp_path / "audit.jsonl")
    with writer._held():  # what a thread has that waits for another process
        failed = []

        def write() -> None:
            try:
                writer.write(entry("a"))
            except NotRecorded as error:
                failed.append(error.message)

        threads = [threading.Thread(target=write) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(failed) == 8
    assert "another process holds it" in failed[0]
    writer.write(entry("b"))


def test_requests_are_shown_once(tmp_path: Path) -> None:
    """By their answer; what has none comes last."""
    path = tmp_path / "audit.jsonl"
    writer = journal(path)
    for request, phase in (("a", "asked"), ("b", "asked"), ("a", "answered"), ("c", "answered")):
        writer.write(entry(request, phase=phase))
    found = [(each.request, each.phase) for each in requests(entries(path))]
    assert found == [("a", "answered"), ("c", "answered"), ("b", "asked")]


@pytest.mark.parametrize("settings", [{"keep": 0}, {"max_bytes": 10}, {"file": ""}])
def test_it_cannot_be_kept_so(settings: dict[str, int], tmp_path: Path) -> None:
    """What makes no sense is refused when it is set up."""
    with pytest.raises(InvalidInput):
        journal_of(Audit(**{"file": str(tmp_path / "audit.jsonl"), **settings}))  # type: ignore[arg-type]  # on purpose


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path: Path) -> None:
    """Before anything depends on it."""
    with pytest.raises(InvalidInput, match="cannot be written"):
        journal_of(tmp_path / "nowhere" / "audit.jsonl")
    with pytest.raises(InvalidInput, match="cannot be read"):
        list(entries(tmp_path / "nothing"))


def test_a_lock_that_a_thread_held_at_a_fork_is_not_held_in_the_child(tmp_path: Path) -> None:
    """The thread is not there to let go of it."""
    writer = journal(tmp_path / "audit.jsonl")
    with writer._threads:
        pid = os.fork()
        if not pid:
            try:
                writer.write(entry("child"))
            except NotRecorded:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
    assert [each.request for each in entries(tmp_path / "audit.jsonl")] == ["child"]


def test_what_is_owed_of_strangers_is_written_as_a_process_ends(tmp_path: Path) -> None:
    """Without anybody calling for it: an application's workers come and go."""
    path = tmp_path / "audit.jsonl"
    script = (
        "import sys, datetime\n"
        "from tailrace.audit.journal import journal_of\nfrom tailrace.core.audit import Entry\n"
        "made = journal_of(sys.argv[1])\nnow = datetime.datetime.now(datetime.UTC)\n"
        "for n in range(25):\n"
        "    made.write(Entry(time=now, request=str(n), address='192.0.2.1', allowed=False, status=401))\n"
    )
    subprocess.run([sys.executable, "-c", script, str(path)], check=True, timeout=60)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert sum(line.get("count", 1) for line in lines) == 25
    assert len(lines) < 25
