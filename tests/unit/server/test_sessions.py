import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from tailrace.core.errors import EngineError, InvalidInput
from tailrace.server.auth.attempts import Attempts
from tailrace.server.auth.sessions import Sessions
from tailrace.server.auth.shares import Shares
from tailrace.server.auth.tokens import Tokens
from tailrace.server.auth.vault import Vault
from tests.support.wait import wait_for

RUN = "1k17951cw9dpbgws1k00r24778j"


@pytest.fixture
def vault(state_dir: Path) -> Vault:
    """Give a place of this test's own."""
    return Vault(str(state_dir))


def test_a_session_ends_when_it_is_not_used(vault: Vault) -> None:
    """Its file's time of change is its last use; a use that was long ago is noted anew."""
    sessions = Sessions(vault, idle_s=1000, longest_s=10_000)
    session_id = sessions.begin("ann", "users", "stamp")
    (path,) = (vault.path / "sessions").iterdir()
    os.utime(path, (1, time.time() - 500))
    assert sessions.find(session_id) is not None
    assert path.stat().st_mtime > time.time() - 100
    os.utime(path, (1, time.time() - 1001))
    assert sessions.find(session_id) is None
    assert not path.exists()


def test_a_session_ends_however_often_it_is_used(vault: Vault) -> None:
    """After so long, and its file goes."""
    sessions = Sessions(vault, idle_s=1000, longest_s=0)
    session_id = sessions.begin("ann", "users", "stamp")
    assert sessions.find(session_id) is None
    assert not list((vault.path / "sessions").iterdir())


def test_what_could_not_be_written_is_not_left_behind(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a full disk, where each login would leave a file."""

    def full(_fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EngineError, match="no space left"):
        Sessions(vault).begin("ann", "users", "stamp")
    assert not list((vault.path / "sessions").iterdir())


def test_what_somebody_killed_has_left_is_swept(vault: Vault) -> None:
    """When it is old; what is just being written is not touched."""
    for name, age_s in (("old.1-abc", 7200), ("new.1-abc", 0)):
        path = vault.path / "sessions" / name
        path.write_bytes(b"{")
        os.utime(path, (1, time.time() - age_s))
    Sessions(vault).begin("ann", "users", "stamp")
    names = {path.name for path in (vault.path / "sessions").iterdir()}
    assert "new.1-abc" in names
    assert "old.1-abc" not in names
    assert len(names) == 2


def test_what_cannot_be_looked_at_is_told(vault: Vault) -> None:
    """As what it is, wherever it is found out."""
    shutil.rmtree(vault.path)
    vault.path.write_bytes(b"")
    for look in (
        lambda: Tokens(vault).find("tailrace_x"), lambda: Shares(vault).end(RUN), lambda: Sessions(vault).end_all("ann")
    ):  # fmt: skip
        with pytest.raises(EngineError, match="cannot be used"):
            look()


def test_a_success_forgets_what_was_held_against_the_user(vault: Vault) -> None:
    """From his address; others have to wait as before, each by himself."""
    attempts = Attempts(vault)
    for _ in range(4):
        assert attempts.begin("ann", "192.0.2.1") == 0
    assert attempts.begin("ann", "192.0.2.1") > 0
    assert attempts.begin("ann", "192.0.2.2") == 0
    assert attempts.begin("bob", "192.0.2.1") == 0
    attempts.succeed("ann", "192.0.2.1")
    assert attempts.begin("ann", "192.0.2.1") == 0


def test_attempts_take_no_more_room_however_many_there_are(vault: Vault) -> None:
    """Names are hashed to so many records."""
    attempts = Attempts(vault)
    attempts.begin("ann", "192.0.2.1")
    size = (vault.path / "attempts").stat().st_size
    for number in range(200):
        attempts.begin(f"user {number}", f"192.0.2.{number}")
    assert (vault.path / "attempts").stat().st_size == size


@pytest.mark.parametrize("lasts_s", [0, -1, 367 * 24 * 3600.0, float("nan"), float("inf")])
def test_a_link_that_cannot_be(vault: Vault, lasts_s: float) -> None:
    """For no time, or for ever."""
    with pytest.raises(InvalidInput):
        Shares(vault).make(RUN, lasts_s)


def test_links_are_kept_as_long_as_they_are_good(vault: Vault) -> None:
    """What has expired is forgotten when the next is made; who made one is known, and what opens the run is not."""
    shares = Shares(vault)
    old, _link = shares.make(RUN, 1)
    token, link = shares.make(RUN, 60, "ann")
    assert shares.find(token) == (RUN, int(link.expires.timestamp()))
    assert link in shares.of(RUN)
    wait_for(lambda: shares.find(old) is None)
    shares.make("1k17951cw9dpbgws1k00r24779k", 60)
    assert len(list((vault.path / "shares").iterdir())) == 2
    assert not any(token in path.read_text() + path.name for path in (vault.path / "shares").iterdir())
    assert [each.id for each in shares.of(RUN)] == [link.id]
    assert len(shares.of(None)) == 2
    assert (shares.end(RUN, "nothing"), shares.end(RUN, link.id), shares.end(RUN)) == (0, 1, 0)
    assert shares.find(token) is None
