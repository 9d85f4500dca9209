"""The benchmark beside other servers: what its client undoes, counts and checks, and one small contest that is run."""

import struct
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.field import nginx
from bench.field.contenders import EPOLL, FLASK, NCHAN, Contender, Plan
from bench.field.crowds import watch
from bench.field.message import check, make
from bench.field.scaling import fit
from bench.field.verdicts import Row
from bench.field.viewers import unframed
from bench.plots import Plot
from bench.report import WHY, document

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (HEAD + b"3\r\nabc\r\n", b"abc"),
        (HEAD + b"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789"),
        (HEAD + b"5\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nas it is", b"as it is"),
    ],
)
def test_chunks(raw: bytes, body: bytes) -> None:
    """Chunks are undone as far as they have come; a body without them is as it is."""
    assert unframed(raw, is_websocket=False) == body


@pytest.mark.parametrize(
    ("frames", "body"),
    [
        (b"\x81\x02hi\x81\x01!", b"hi!"),
        (b"\x82\x7e" + struct.pack(">H", 300) + b"x" * 300, b"x" * 300),
        (b"\x82\x7f" + struct.pack(">Q", 70_000) + b"y" * 70_000, b"y" * 70_000),
        (b"\x81\x02hi\x88\x02\x03\xe8", b"hi"),
    ],
)
def test_frames(frames: bytes, body: bytes) -> None:
    """Websocket frames of all three lengths are undone; what controls the connection is no data."""
    assert unframed(UPGRADED + frames, is_websocket=True) == body


def test_messages_are_of_the_size_that_was_asked_for() -> None:
    """A message is whole with its newline, whatever its number."""
    assert {len(make(number, 64)) for number in (0, 7, 12_345)} == {64}


@pytest.mark.parametrize("numbers", [[0, 1], [0, 2, 1], [0, 1, 1, 2], [1, 2, 3]])
def test_a_viewer_that_lacks_a_message_is_not_taken_for_whole(numbers: list[int]) -> None:
    """Lost, repeated and reordered messages end the measurement."""
    with pytest.raises(AssertionError):
        check(b"".join(make(number, 64) for number in numbers), 3, 64)


def test_a_cut_message_is_not_taken_for_whole() -> None:
    """One that has fewer bytes than it was sent with ends the measurement."""
    with pytest.raises(AssertionError):
        check(make(0, 64) + make(1, 60), 2, 64)


def test_the_line_through_costs_that_are_straight() -> None:
    """A fixed part and a slope are found again."""
    fixed, slope = fit([10, 100, 5000], [150 + 9 * viewers for viewers in (10, 100, 5000)])
    assert (round(fixed), round(slope)) == (150, 9)


def test_ratios_are_of_neighbours() -> None:
    """Ours is divided by another's of the same round, and the middle is judged."""
    figure = Row("a row", "us").times_at_most([10, 10, 30], [10, 20, 30], 1.0)
    assert (figure.measured, figure.is_met) == ("1.00 x (10.0 and 20.0 us)", True)
    assert Row("a row", "us").times_at_least([1, 1, 1], [1, 2, 2], 0.8).is_met is False


def test_a_plot_is_a_picture() -> None:
    """What is drawn is well-formed SVG, with a line for each series, and each name."""
    svg = Plot("a < b", "viewers", "us", {"one, 50%": [(10, 1), (100, 2)], "one, 99%": [(10, 3), (100, 9)]}).svg()
    root = ET.fromstring(svg)  # noqa: S314  we wrote it
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", "one, 50%", "one, 99%", "viewers", "us"} <= set(texts)
    lines = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if " L" in path.attrib["d"]]
    assert len(lines) == 2


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who lacks nchan reads what to install, not a traceback."""
    monkeypatch.setattr(nginx, "MODULE", tmp_path / "none.so")
    told = NCHAN.missing()
    assert told
    assert "apt install nginx libnginx-mod-nchan" in told


@pytest.mark.parametrize("contender", [EPOLL, FLASK], ids=lambda one: one.name)
def test_a_small_contest(contender: Contender, state_dir: Path) -> None:
    """Every viewer gets every message, and what that cost is told."""
    seen = watch(contender, state_dir, Plan(viewers=5, count=20, every_s=0.01, size=200), 5)
    assert seen.sends == 75
    assert len(seen.ages_ms) == 75
    assert min(seen.ages_ms) >= 0
    assert seen.server_s > 0


def test_what_was_found_out_by_hand_outlives_the_next_measurement() -> None:
    """Results are written anew; what stands under "Why" in the ones before is kept as it is, and at the end."""
    told = f"{WHY}\nBecause.\n"
    once = document({}, ["a machine"], "# Measured\n" + told)
    assert once.endswith(told)
    assert document({}, ["a machine"], once) == once
    assert WHY not in document({}, ["a machine"])
