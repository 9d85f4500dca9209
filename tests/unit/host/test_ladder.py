"""The stop ladder: which signal is due when."""

import signal

import pytest

from tailrace.core.spec import LADDER, Rung
from tailrace.host.ladder import AGAIN_NS, SELDOM_NS, Ladder, sweep

S = 1_000_000_000
ROWS = (Rung("INT", 5.0), Rung("TERM", 2.5), Rung("KILL", 0.0))


@pytest.mark.parametrize(
    ("rows", "taken"),
    [
        (ROWS, [(100, "INT"), (105, "TERM"), (107.5, "KILL"), (107.6, "KILL"), (107.7, "KILL")]),
        (ROWS[1:], [(100, "TERM"), (102.5, "KILL"), (102.6, "KILL")]),
        (ROWS[2:], [(100, "KILL"), (100.1, "KILL")]),
        ((Rung("USR1", 0.0), Rung("USR2", 1.0)), [(100, "USR1"), (100, "USR2"), (101, "KILL")]),
        ((Rung("KILL", 9.0), Rung("TERM", 1.0)), [(100, "KILL"), (100.1, "KILL")]),
        ((), [(100, "KILL")]),
    ],
)
def test_each_rung_has_its_time(rows: tuple[Rung, ...], taken: list[tuple[float, str]]) -> None:
    """A row's signal goes out, its seconds pass, the next follows; after the last comes KILL, again and again."""
    ladder = Ladder(rows, 100 * S)
    for at_s, name in taken:
        at_ns = round(at_s * S)
        assert ladder.due_ns == at_ns
        assert ladder.take(at_ns - 1) is None
        assert ladder.take(at_ns) == signal.Signals[f"SIG{name}"]


def test_kills_become_seldom() -> None:
    """Often at first; what cannot be killed is tried once a second."""
    ladder = Ladder((), 0)
    gaps = []
    for _ in range(20):
        now = ladder.due_ns
        ladder.take(now)
        gaps.append(ladder.due_ns - now)
    assert gaps[0] == AGAIN_NS
    assert gaps == sorted(gaps)
    assert gaps[-1] == SELDOM_NS


def test_a_hurry_makes_the_next_rung_due() -> None:
    """Now, and only the next one; never later than it was."""
    ladder = Ladder(ROWS, 0)
    assert ladder.take(0) == signal.SIGINT
    ladder.hurry(1 * S)
    assert ladder.take(1 * S) == signal.SIGTERM
    ladder.hurry(100 * S)
    assert ladder.due_ns == round(3.5 * S)


def test_a_late_look_takes_one_rung_at_a_time() -> None:
    """Whoever was held up still gives each rung its time."""
    ladder = Ladder(ROWS, 0)
    assert ladder.take(60 * S) == signal.SIGINT
    assert ladder.due_ns == 65 * S


def test_a_sweep_is_the_ladder_without_int() -> None:
    """INT is for who is talked to."""
    assert sweep(tuple(Rung(*row) for row in LADDER)) == tuple(Rung(*row) for row in LADDER[1:])
    assert sweep((Rung("INT", 1.0),)) == ()
