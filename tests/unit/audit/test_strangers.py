import math
from datetime import UTC, datetime
from itertools import count

import pytest

from tailrace.audit.strangers import FEW, FEW_IN_ALL, MOST_ADDRESSES, WINDOW_S, Strangers
from tailrace.core.audit import Entry

NUMBERS = count()


def refused(address: str, *, who: str | None = None, action: str = "") -> Entry:
    """Return what is recorded of a refusal."""
    return Entry(
        time=datetime.now(UTC), request=f"{next(NUMBERS)}", who=who, address=address, action=action, path="/api/runs",
        allowed=False, why="you are not known here", status=401,
    )  # fmt: skip


def test_the_first_are_told_and_the_rest_counted() -> None:
    """One line with their number follows, when the minute is over; then it begins anew."""
    strangers, asked = Strangers(), [refused("192.0.2.1") for _ in range(FEW + 7)]
    told = [line for each in asked for line in strangers.take(each, 1000.0)]
    assert told == asked[:FEW]
    assert strangers.is_owing
    assert strangers.due(1000.0 + WINDOW_S - 1) == []
    fresh = refused("192.0.2.1")
    line, own = strangers.take(fresh, 1000.0 + WINDOW_S)
    assert own is fresh
    assert (line.count, line.address, line.request, line.status) == (7, "192.0.2.1", asked[-1].request, 401)
    assert line.why == "7 more that were refused to strangers within a minute, the last: you are not known here"
    assert not strangers.is_owing


@pytest.mark.parametrize(
    "entry",
    [
        refused("192.0.2.1", who="ann"),
        refused("", action="reload"),
        Entry(time=datetime.now(UTC), request="a", address="192.0.2.1", allowed=True),
    ],
    ids=["a user", "nobody asked", "allowed"],
)
def test_everything_else_is_told(entry: Entry) -> None:
    """However much it is, and whatever strangers do meanwhile."""
    strangers = Strangers()
    for _ in range(1000):
        strangers.take(refused("192.0.2.1"), 1000.0)
        assert strangers.take(entry, 1000.0) == [entry]


def test_a_login_that_fails_is_a_strangers() -> None:
    """Whatever name he gives."""
    strangers = Strangers()
    told = [strangers.take(refused("192.0.2.1", who="ann", action="login"), 1000.0) for _ in range(100)]
    assert sum(map(len, told)) == FEW


@pytest.mark.parametrize(
    "addresses",
    [
        [f"192.0.{index >> 8}.{index & 255}" for index in range(3000)],
        [f"2001:db8::{index:x}" for index in range(3000)],
        [f"::ffff:192.0.2.{index & 255}" for index in range(3000)],
        ["unix", "testclient", "x"] * 1000,
    ],
    ids=["many", "one site", "mapped", "no addresses"],
)
def test_many_addresses_have_bounds_together(addresses: list[str]) -> None:
    """Each refusal is told or counted, in a bounded number of lines."""
    strangers = Strangers()
    told = [line for address in addresses for line in strangers.take(refused(address), 1000.0)]
    later = strangers.due(math.inf)
    assert len(told) <= FEW_IN_ALL
    assert len(later) <= MOST_ADDRESSES + 1
    assert len(told) + sum(line.count for line in later) == len(addresses)


def test_a_site_is_one() -> None:
    """Whoever has one IPv6 address has many."""
    strangers = Strangers()
    for index in range(100):
        strangers.take(refused(f"2001:db8::{index:x}"), 1000.0)
    (line,) = strangers.due(math.inf)
    assert (line.address, line.count) == ("2001:db8::/64", 100 - FEW)
