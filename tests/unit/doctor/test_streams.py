"""What follows from streams that were listened to, on pieces that are made up."""

from collections.abc import Sequence
from http import HTTPStatus

import pytest

from tailrace.doctor.findings import Verdict
from tailrace.doctor.listening import End, Heard, Piece
from tailrace.doctor.streams import is_held, judge, judge_coding
from tailrace.web.probe import Plan
from tailrace.web.responses import LIVE

PLAN = Plan(pieces=10, every_s=0.3, silence_s=20)
SENT = [*(0.3 * number for number in range(1, 11)), 23.0]
HEADERS = {name.lower(): value for name, value in LIVE}


def heard(
    late: Sequence[float] = (0.0,) * 11, *, wire: str = "text", end: End = "complete", end_s: float = 23.1,
    headers: dict[str, str] = HEADERS, status: int = HTTPStatus.OK,
) -> Heard:  # fmt: skip
    """Return a stream whose pieces came so late, on a clock that is an hour ahead."""
    pieces = [
        Piece(n + 1, sent, sent + 3600 + late_s) for n, (sent, late_s) in enumerate(zip(SENT, late, strict=False))
    ]
    return Heard(
        wire=wire, plan=PLAN, status=status, headers=headers, headers_s=0.01, pieces=pieces, first_s=0.01,
        last_s=pieces[-1].came_s if pieces else 0.0, end_s=3600 + end_s, end=end, body_bytes=200,
    )  # fmt: skip


def wrong(*streams: Heard) -> dict[str, str]:
    """Return the checks that find something wrong, and what they say."""
    return {each.check: each.message for each in judge(streams, ()) if each.verdict is Verdict.WRONG}


def test_all_is_well() -> None:
    """Whatever the clocks of both sides say."""
    assert wrong(heard(), heard(wire="sse")) == {}
    assert judge_coding([heard()], [heard()], ()).verdict is Verdict.FINE


@pytest.mark.parametrize(
    ("late", "is_so"),
    [
        ([0.02] * 11, False),
        ([0, 0, 2.1, 1.8, 1.5, 1.2, 0.9, 0.6, 0.3, 0, 0], False),  # a machine that was busy for two seconds
        ([22.7 - 0.3 * n for n in range(10)] + [0.0], True),  # all at the end
        ([0.9, 0.6, 0.3, 0] * 2 + [0.9, 0.6, 0], True),  # four at a time
        ([], False),
        ([0.0], False),
    ],
)
def test_what_counts_as_held(late: list[float], is_so: bool) -> None:
    """The usual piece is late, or most come together; a few that are late for once are not enough."""
    assert is_held(heard(late)) is is_so


def test_what_is_held_back() -> None:
    """It is told for how long, how much at a time, and on which wires."""
    held = heard([22.7 - 0.3 * n for n in range(10)] + [0.0], wire="ndjson")
    found = next(each for each in judge([heard(), held], ("nginx",)) if each.check == "buffering")
    assert found.wires == ("ndjson",)
    assert "22.7 s, 200 bytes" in found.message
    assert found.cure.startswith("nginx: proxy_buffering off")


def test_a_cut_in_the_silence() -> None:
    """It is told after how long, and whether it looks like an end."""
    cut = heard((0.0,) * 10, end="cut", end_s=5.0)
    assert wrong(cut) == {"idle": "a silent stream is cut after 2.0 s"}
    ended = heard((0.0,) * 10, end="closed", end_s=5.0)
    assert wrong(cut, ended)["idle"].endswith("and looks complete")


def test_pieces_that_are_missing() -> None:
    """A stream that ends somewhere else is no matter of silence."""
    assert wrong(heard((0.0,) * 4, end="cut")) == {"loss": "the stream was cut after 4 of 11 pieces"}


def test_no_stream_at_all() -> None:
    """Another status is told."""
    assert wrong(heard((), status=502, end="closed")) == {"loss": "instead of a stream, 502 is answered"}


def test_headers_that_were_changed() -> None:
    """The one for nginx may be missing, the others not."""
    without = {name: value for name, value in HEADERS.items() if name != "x-accel-buffering"}
    assert wrong(heard(headers=without)) == {}
    changed = {**HEADERS, "cache-control": "max-age=60"}
    assert wrong(heard(headers=changed)) == {"headers": "headers were changed: cache-control is max-age=60"}


def test_compression() -> None:
    """For clients that take it, or even for those that do not."""
    packed = heard(headers={**HEADERS, "content-encoding": "gzip"})
    assert "also for" not in judge_coding([heard()], [packed], ()).message
    assert "also for" in judge_coding([packed], [packed], ()).message
