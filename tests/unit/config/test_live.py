"""Reading files again: what can be used counts, and what cannot is said."""

import os
from collections.abc import Callable
from pathlib import Path

from tailrace.config.live import Live
from tailrace.config.load import Config, load

ONE = '[commands.one]\nargv = ["one"]\n'
TWO = '[commands.two]\nargv = ["two"]\n'


def live_of(path: Path) -> Live:
    """Return what follows a file."""
    return Live(lambda look: load(path, look=look))


def test_a_change_is_taken_when_it_has_been_seen_twice(tmp_path: Path) -> None:
    """A file that is still being written is left alone."""
    path = tmp_path / "tailrace.toml"
    path.write_text(ONE)
    live = live_of(path)
    assert not live.is_changed()
    path.write_text(ONE + TWO)
    assert [live.is_changed(), live.is_changed()] == [False, True]
    live.reload()
    assert list(live.config.commands) == ["one", "two"]
    assert (live.kept, live.is_changed()) == ("", False)


def test_a_change_while_it_is_read_is_a_change(tmp_path: Path) -> None:
    """What was saved after a file was read, and before the rest was done, is read too."""
    path = tmp_path / "tailrace.toml"
    path.write_text(ONE)

    def read(look: Callable[[str], object]) -> Config:
        config = load(path, look=look)
        path.write_text(ONE + TWO)
        return config

    live = Live(read)
    assert list(live.config.commands) == ["one"]
    assert [live.is_changed(), live.is_changed()] == [False, True]
    live.reload()
    assert list(live.config.commands) == ["one", "two"]


def test_what_cannot_be_used_is_not_taken(tmp_path: Path) -> None:
    """The old counts, and it is said why, until the file is right again."""
    path = tmp_path / "tailrace.toml"
    path.write_text(ONE)
    live = live_of(path)
    path.write_text("[commands.one]\n")
    assert "argv is missing" in live.reload()
    assert list(live.config.commands) == ["one"]
    assert "tailrace.toml:1" in live.kept
    path.unlink()
    assert "no such file" in live.reload()
    path.write_text(TWO)
    assert [live.is_changed(), live.is_changed()] == [False, True]
    live.reload()
    assert (list(live.config.commands), live.kept) == (["two"], "")


def test_included_files_are_looked_at_too(tmp_path: Path) -> None:
    """Also those that a pattern comes to mean, and one that was broken when it was read."""
    path, more = tmp_path / "tailrace.toml", tmp_path / "more.d"
    more.mkdir()
    path.write_text('include = ["more.d/*.toml"]\n')
    live = live_of(path)
    (more / "a.toml").write_text("[commands.a]\n")
    assert [live.is_changed(), live.is_changed()] == [False, True]
    live.reload()
    assert "a.toml:1" in live.kept
    (more / "a.toml").write_text(ONE)
    assert [live.is_changed(), live.is_changed()] == [False, True]
    live.reload()
    assert list(live.config.commands) == ["one"]


def test_settings_of_the_server_wait_for_a_restart(tmp_path: Path) -> None:
    """Commands count at once, and it is said that the rest does not."""
    path = tmp_path / "tailrace.toml"
    path.write_text(ONE)
    live = live_of(path)
    path.write_text("[server]\nport = 1\n" + TWO)
    assert "restart" in live.reload()
    assert (list(live.config.commands), live.config.server.port) == (["two"], 8000)
    assert "restart" in live.kept


def test_limits_count_at_once_and_the_record_is_kept_as_it_was(tmp_path: Path) -> None:
    """What is made at the start, the audit and the hooks among it, waits for a restart, each by its name."""
    path = tmp_path / "tailrace.toml"
    path.write_text(ONE)
    live = live_of(path)
    path.write_text('[limits]\nmax_running = 3\n[audit]\nfile = "a"\n[[hooks]]\nname = "a"\nargv = ["true"]\n' + ONE)
    assert "[audit] and [hooks] changed: restart" in live.reload()
    assert (live.config.commands.limits.max_running, live.config.audit.file, live.config.hooks) == (3, None, ())
    assert live.is_taken
    path.write_text("[limits]\nmax_running = 0\n")
    live.reload()
    assert (live.config.commands.limits.max_running, live.is_taken) == (3, False)


def test_a_replaced_file_is_a_changed_one(tmp_path: Path) -> None:
    """Editors rename a new file over the old one, which may be as long and as old."""
    path, other = tmp_path / "tailrace.toml", tmp_path / "other"
    path.write_text(ONE)
    live = live_of(path)
    other.write_text(ONE.replace("one", "two"))
    times = path.stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.rename(path)
    assert [live.is_changed(), live.is_changed()] == [False, True]


def test_secrets_of_hooks_that_go_on_stay_hidden(tmp_path: Path) -> None:
    """A hook whose declaration is gone signs until a restart: no command gets its secret meanwhile."""
    path = tmp_path / "tailrace.toml"
    path.write_text('[[hooks]]\nname = "a"\nurl = "https://a.example"\nsecret_env = "HOOK_SECRET"\n' + ONE)
    live = live_of(path)
    path.write_text(TWO)
    live.reload()
    assert [hook.secret_env for hook in live.config.hooks] == ["HOOK_SECRET"]
    assert "HOOK_SECRET" in live.config.commands.private
