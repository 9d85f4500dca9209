"""Small files of the state directory, sockets in deep directories, and a run put on disk whole or not at all."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.core.errors import UnknownRun
from tailrace.engine import preparation
from tailrace.host import rundir, settings, statedir, unix
from tailrace.host.rundir import RunDir
from tailrace.host.settings import Settings
from tailrace.host.statedir import StateDir


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    """Give a new state directory."""
    state = StateDir(tmp_path / "state")
    yield state
    state.close()


def test_a_file_is_written_whole_and_once(state: StateDir) -> None:
    """A second writer is refused, unless it means to replace."""
    statedir.write_file("a", b"x" * 3_000_000, dir_fd=state.fd)
    assert statedir.read_file("a", dir_fd=state.fd) == b"x" * 3_000_000
    assert statedir.read_file("a", dir_fd=state.fd, limit=10) == b"x" * 10
    with pytest.raises(FileExistsError):
        statedir.write_file("a", b"y", dir_fd=state.fd)
    statedir.write_file("a", b"y", dir_fd=state.fd, flags=os.O_TRUNC)
    assert statedir.read_file("a", dir_fd=state.fd) == b"y"


def test_links_are_not_followed(state: StateDir) -> None:
    """Neither for reading nor for writing."""
    os.symlink("version", "link", dir_fd=state.fd)
    with pytest.raises(OSError, match="symbolic link"):
        statedir.read_file("link", dir_fd=state.fd)
    with pytest.raises(OSError, match="symbolic link"):
        statedir.write_file("link", b"x", dir_fd=state.fd, flags=os.O_TRUNC)
    assert statedir.read_file("version", dir_fd=state.fd) == b"1\n"


def test_settings_are_what_was_saved(state: StateDir) -> None:
    """The defaults until then."""
    assert settings.load(state) == Settings()
    saved = Settings(max_running=3, idle_s=1.5, stay=True, free_floor=0, keep_count=7)
    settings.save(state, saved)
    assert settings.load(state) == saved


def test_active_entries_know_their_key(state: StateDir) -> None:
    """None for no key, and for no entry; names that are no ids are passed over."""
    first, second = preparation.new_id(), preparation.new_id()
    state.add_active(second, None)
    state.add_active(first, "kéy")
    Path(state.path, "active", "notes.txt").touch()
    assert state.active() == [first, second]
    assert [state.active_key(one) for one in (first, second, preparation.new_id())] == ["kéy", None, None]
    state.remove_active(first)
    state.remove_active(first)
    assert state.active() == [second]


def test_a_run_is_put_on_disk_whole(state: StateDir) -> None:
    """Everything is there when its name is."""
    spec, launch = preparation.prepare(["echo", "é\udcff"], {"env": {"A": "b"}, "key": "k"})
    rundir.create(state, spec, launch, rundir.Extras(pinned=True))
    with RunDir(state, spec.id) as run:
        assert (run.spec(), run.launch()) == (spec, launch)
        assert (run.live(), run.result(), run.size(), run.late(), run.is_kept()) == (None, None, 0, 0, False)
        assert run.has("pinned")
    assert state.active() == [spec.id]


def test_a_run_that_cannot_be_whole_is_not_there(state: StateDir) -> None:
    """Nothing is left of it."""
    spec, launch = preparation.prepare(["true"], {})
    os.rmdir("active", dir_fd=state.fd)
    with pytest.raises(FileNotFoundError):
        rundir.create(state, spec, launch)
    assert list(Path(state.path, "runs").iterdir()) == []
    with pytest.raises(UnknownRun):
        RunDir(state, spec.id)


def test_sockets_do_not_mind_deep_directories(tmp_path: Path) -> None:
    """A path of any length; an older socket of the name is replaced; nobody there is an error."""
    deep = tmp_path / ("d" * 200) / ("e" * 200)
    deep.mkdir(parents=True)
    fd = os.open(deep, os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(FileNotFoundError):
        unix.connect("s", dir_fd=fd, timeout_s=1)
    unix.listen("s", dir_fd=fd).close()
    with pytest.raises(ConnectionRefusedError):
        unix.connect("s", dir_fd=fd, timeout_s=1)
    with unix.listen("s", dir_fd=fd) as listener, unix.connect("s", dir_fd=fd, timeout_s=5) as client:
        peer, _ = listener.accept()
        assert unix.is_same_user(peer)
        client.sendall(b"x")
        assert peer.recv(1, socket.MSG_WAITALL) == b"x"
        peer.close()
    assert (deep / "s").stat().st_mode & 0o777 == 0o600
    os.close(fd)


def test_a_directory_is_removed_though_somebody_still_opens_files_in_it(tmp_path: Path) -> None:
    """As viewers do with the lock of a run that is pruned meanwhile."""
    top, place = os.open(tmp_path, os.O_RDONLY), tmp_path / "gone"
    place.mkdir()
    (place / "output").write_bytes(b"x")
    own = os.open(place, os.O_RDONLY)

    def look() -> None:
        with contextlib.suppress(FileNotFoundError):
            while True:
                os.close(os.open("lock", os.O_RDWR | os.O_CREAT, 0o600, dir_fd=own))

    looker = threading.Thread(target=look)
    looker.start()
    rundir.remove_tree("gone", dir_fd=top)
    looker.join(60)
    assert not looker.is_alive()
    assert not place.exists()
    os.close(own)
    os.close(top)
