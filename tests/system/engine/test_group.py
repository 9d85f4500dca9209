"""Several commands as one stream of labelled lines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tailrace.core.errors import InvalidInput, StreamBroken
from tailrace.core.outcome import Exited
from tailrace.engine.disk import DiskEngine
from tailrace.group import LINE_BYTES, Group
from tests.support.wait import wait_for


@pytest.fixture
def group(engine: DiskEngine) -> Iterator[Group]:
    """Give a group of this test's own."""
    with Group(engine) as group:
        yield group


def test_every_line_of_all(group: Group) -> None:
    """Each run's lines in order, under its label; then the codes."""
    group.start(["seq", "1000"], label="up")
    group.start(["sh", "-c", "seq 1000 -1 1; exit 3"], label="down")
    seen: dict[str, list[str]] = {"up": [], "down": []}
    for line in group:
        seen[line.label].append(line.text)
    assert seen["up"] == [f"{number}\n" for number in range(1, 1001)]
    assert seen["down"] == seen["up"][::-1]
    assert group.codes() == {"up": 0, "down": 3}
    assert group.outcomes()["up"] == Exited(0)
    assert not group.is_pending()


def test_lines_are_whole(group: Group) -> None:
    """The streams of a run are told apart within a line; a last one without its end comes all the same."""
    script = "printf 'on'; sleep 0.1; printf 'er' >&2; sleep 0.1; echo e; echo r >&2; printf 'last\\377'"
    group.start(["sh", "-c", script])
    lines = [(line.label, line.stream, line.data) for line in group]
    assert sorted(lines) == [
        ("sh", "stderr", b"err\n"),
        ("sh", "stdout", b"last\xff"),
        ("sh", "stdout", b"one\n"),
    ]


def test_long_lines_come_in_pieces(group: Group) -> None:
    """However long a line is, memory holds a piece of it; no character is split."""
    group.start(["python3", "-c", "print('é' * 500000)"])
    pieces = list(group)
    assert len(pieces) > 2
    assert max(len(piece.data) for piece in pieces) < LINE_BYTES * 8
    assert "".join(piece.text for piece in pieces) == "é" * 500000 + "\n"


def test_nothing_in_time_is_nothing(group: Group, tmp_path: Path) -> None:
    """A silent command leaves room for something else; and then its line comes."""
    gate = tmp_path / "gate"
    group.start(["sh", "-c", f"while [ ! -e {gate} ]; do sleep 0.05; done; echo through"])
    assert group.readlines(timeout=0.05) == []
    assert group.is_pending()
    assert group.codes() == {"sh": None}
    gate.touch()
    assert wait_for(group.readlines)[0].text == "through\n"


def test_no_more_than_asked_for(group: Group) -> None:
    """What is left over comes next time, although nothing new happens."""
    group.start(["seq", "5"])
    seen: list[str] = []
    while group.is_pending():
        lines = group.readlines(most=2)
        assert len(lines) <= 2
        seen += [line.text for line in lines]
    assert seen == ["1\n", "2\n", "3\n", "4\n", "5\n"]


def test_labels(group: Group, engine: DiskEngine) -> None:
    """The program's name, with a number where it is taken; one that is given twice is refused, and starts nothing."""
    group.start(["true"])
    group.start(["/bin/true"])
    group.add(engine.start(["true"]), label="mine")
    with pytest.raises(InvalidInput, match="taken"):
        group.start(["true"], label="mine")
    assert list(group) == []
    assert group.codes() == {"true": 0, "true 2": 0, "mine": 0}


def test_stop_stops_all(group: Group) -> None:
    """One call; the others that watch the group's runs see who it was."""
    for label in ("a", "b"):
        group.start(["sleep", "600"], label=label)
    group.stop(by="test")
    assert list(group) == []
    assert set(group.codes().values()) == {143}


def test_an_output_limit_is_no_loss_and_damage_is(group: Group, engine: DiskEngine, state_dir: Path) -> None:
    """What was left out on purpose is passed over; missing bytes raise, and the others can be read on."""
    group.start(["seq", "1000"], label="short", max_output=4, on_max_output="truncate")
    assert [line.text for line in group] == ["1\n", "2\n"]
    broken = engine.start(["seq", "100"])
    broken.wait(60)
    output = state_dir / "runs" / broken.id / "output"
    output.write_bytes(output.read_bytes()[:2])
    group.add(broken, label="broken")
    group.start(["echo", "whole"], label="whole")
    with pytest.raises(StreamBroken):
        list(group)
    assert [line.text for line in group if line.label == "whole"] in ([], ["whole\n"])
    assert not group.is_pending()
