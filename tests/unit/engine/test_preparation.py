"""From what a caller says to what is put on disk."""

import threading
from pathlib import Path

import pytest

from tailrace.core import ids
from tailrace.core.errors import InvalidInput
from tailrace.core.spec import LADDER, Rung, Spec, Stdio, WhenBusy
from tailrace.engine import preparation
from tailrace.engine.base import StartOptions


def spec(options: StartOptions) -> Spec:
    """Return the spec that these options make."""
    return preparation.prepare(["true"], options)[0]


def test_ids_grow_whatever_the_threads() -> None:
    """Those of one process sort in the order of their making, and none comes twice."""
    made: list[list[str]] = []

    def make() -> None:
        made.append([preparation.new_id() for _ in range(500)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(each == sorted(each) for each in made)
    everything = {one for each in made for one in each}
    assert len(everything) == 2000
    assert all(ids.is_id(one) for one in everything)


def test_a_wall_clock_that_goes_back_does_not_change_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids go on from the last one."""
    before = preparation.new_id()
    monkeypatch.setattr("time.time_ns", lambda: 0)
    assert preparation.new_id() > before


def test_what_nobody_says_has_a_default() -> None:
    """The caller's directory, pipes, the ladder of the design, no limits."""
    made = spec({})
    assert (made.cwd, made.stdio, made.when_busy) == (str(Path.cwd()), Stdio.PIPES, WhenBusy.JOIN)
    assert made.ladder == tuple(Rung(*row) for row in LADDER)
    assert (made.timeout_s, made.idle_timeout_s, made.output_limit) == (None, None, None)
    assert not any((made.stdin, made.unbuffer, made.leave_children, made.no_new_privileges))


def test_what_is_said_is_normalised() -> None:
    """Signals and limits by any of their names."""
    made = spec({
        "ladder": [("sigterm", 1), ("9", 0)], "rlimits": {"rlimit_core": 0, "NOFILE": 9}, "merge": True,
        "when_busy": "queue", "key": "k",
    })  # fmt: skip
    assert made.ladder == (Rung("TERM", 1.0), Rung("KILL", 0.0))
    assert made.rlimits == {"CORE": 0, "NOFILE": 9}
    assert (made.stdio, made.when_busy) == (Stdio.MERGED, WhenBusy.QUEUE)


def test_the_launch_is_exact_and_the_spec_is_for_people() -> None:
    """Bytes that are no text go to the command as they are; values of the environment only there."""
    made, launch = preparation.prepare(
        ["a", "\udcff"], {"inherit_env": False, "env": {"A": "s3cret"}, "cwd": "/x/../tmp"}
    )
    assert launch.argv == (b"a", b"\xff")
    assert made.argv == ("a", "\\xff")
    assert (launch.cwd, made.cwd) == (b"/tmp", "/tmp")
    assert dict(launch.env) == {b"A": b"s3cret", b"PYTHONUNBUFFERED": b"1"}
    assert made.env == ("A", "PYTHONUNBUFFERED")


@pytest.mark.parametrize(("value", "mover"), [("copy", "copy"), ("splice", "splice"), ("", "splice")])
def test_the_mover_can_be_chosen(monkeypatch: pytest.MonkeyPatch, value: str, mover: str) -> None:
    """By the environment of who starts the run; anything else is the default."""
    monkeypatch.setenv("TAILRACE_MOVER", value)
    assert preparation.prepare(["true"], {})[1].mover == mover


def test_a_directory_that_was_removed_cannot_be_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The caller is told; naming one helps."""
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(InvalidInput, match="cwd") as caught:
        spec({})
    assert caught.value.hint
    assert spec({"cwd": "/"}).cwd == "/"
