"""Times of a run: one anchor, and the monotonic clock from there on."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from tailrace.core.spec import Anchor
from tailrace.host import linux
from tailrace.host.clock import Clock, anchor

WALL_US = 1_000_000_000_123_456


def test_an_instant_is_shown_through_the_anchor() -> None:
    """So many microseconds after it on one clock is as many on the other, to the microsecond."""
    clock = Clock(Anchor(WALL_US, 5_000_000, linux.boot_id()))
    at = datetime(2001, 9, 9, 1, 46, 40, 123456, tzinfo=UTC)
    assert clock.wall(5_000_000_000) == at
    assert clock.wall(5_000_001_999) == at + timedelta(microseconds=1)
    assert clock.wall(4_000_000_000) == at - timedelta(seconds=1)


def test_a_wall_clock_that_jumps_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it shows meanwhile: a run's times keep their distances, and their order."""
    clock = Clock(anchor())
    first = clock.wall()
    for jump_s in (-3600, 86400, -(10**9)):
        monkeypatch.setattr(time, "time_ns", lambda jump_s=jump_s: (WALL_US + jump_s * 10**6) * 1000)
        monkeypatch.setattr(time, "time", lambda jump_s=jump_s: WALL_US / 1e6 + jump_s)
        later = clock.wall()
        assert timedelta(0) <= later - first < timedelta(minutes=2)
        first = later


def test_an_anchor_of_another_boot_is_not_used() -> None:
    """Its monotonic clock was another one; then this instant counts."""
    shown = Clock(Anchor(WALL_US, 0, "another boot")).wall()
    assert abs(shown - datetime.now(UTC)) < timedelta(minutes=2)


def test_an_anchor_is_one_instant() -> None:
    """Both clocks are read together."""
    at = anchor()
    assert abs(at.wall_us - time.time_ns() // 1000) < 60_000_000
    assert abs(at.monotonic_us - time.monotonic_ns() // 1000) < 60_000_000
    assert at.boot == linux.boot_id()
