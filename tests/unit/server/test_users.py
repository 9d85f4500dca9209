import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tailrace.server.auth.users import Users

PASSWORD = "correct horse"


def test_changes_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    """Each is made to the file as the one before has left it, whichever process makes it."""
    names = [f"user-{number}" for number in range(8)]

    def add(name: str) -> None:
        Users(tmp_path / "users.toml").add(name, PASSWORD, "viewer", ())

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(add, names))
    assert sorted(Users(tmp_path / "users.toml").all()) == names


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """It has hashes of passwords."""
    path = tmp_path / "users.toml"
    Users(path).add("ann", PASSWORD, "viewer", ())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that it leads to is replaced, in its own directory, where everybody else sees it."""
    there, link = tmp_path / "there" / "users.toml", tmp_path / "users.toml"
    there.parent.mkdir()
    link.symlink_to("there/users.toml")
    Users(link).add("ann", PASSWORD, "viewer", ())
    Users(link).add("bob", PASSWORD, "viewer", ())
    assert link.is_symlink()
    assert sorted(Users(there).all()) == sorted(Users(link).all()) == ["ann", "bob"]
    assert [path.name for path in there.parent.iterdir()] == ["users.toml"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_changed_file_stays_whose_it_was(tmp_path: Path) -> None:
    """Root changes it, and the server, which is somebody else's, can still read it."""
    path = tmp_path / "users.toml"
    users = Users(path)
    users.add("ann", PASSWORD, "viewer", ())
    os.chown(path, 65534, 65534)
    path.chmod(0o640)
    users.change("ann", role="operator")
    after = path.stat()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (65534, 65534, 0o640)
    assert users.all()["ann"].role == "operator"
