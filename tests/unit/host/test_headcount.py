"""Numbers that processes add up."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.host.headcount import MOST, Headcount
from tailrace.host.statedir import StateDir

HOLD = """
import sys
from tailrace.host.headcount import Headcount
from tailrace.host.statedir import StateDir
Headcount(StateDir(sys.argv[1])).put("ann", 3)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[StateDir]:
    """Give a state directory."""
    with closing(StateDir(tmp_path / "state")) as made:
        yield made


def test_each_name_has_its_own_sum(state: StateDir) -> None:
    """What others have put counts, and nobody's own part is in what the others have."""
    with ExitStack() as stack:
        one, two, three = (stack.enter_context(closing(Headcount(state))) for _ in range(3))
        one.put("ann", 2)
        two.put("ann", 5)
        two.put("bob", 1)
        assert (one.others("ann"), two.others("ann"), three.others("ann")) == (5, 2, 7)
        assert (one.others("bob"), two.others("bob"), one.others("eve")) == (1, 0, 0)
        two.put("ann", 1)
        assert three.others("ann") == 3
        two.put("ann", 0)
        assert three.others("ann") == 2


def test_who_closes_counts_for_nothing(state: StateDir) -> None:
    """His place is free for the next one."""
    with closing(Headcount(state)) as asker:
        for _ in range(3):
            one = Headcount(state)
            one.put("ann", 1)
            assert asker.others("ann") == 1
            one.close()
        assert asker.others("ann") == 0


def test_more_than_can_be_counted_is_the_most(state: StateDir) -> None:
    """A part never reaches into another's."""
    with closing(Headcount(state)) as one, closing(Headcount(state)) as two:
        one.put("ann", MOST + 5)
        assert (two.others("ann"), two.others("bob")) == (MOST, 0)
        one.put("ann", 1)
        assert two.others("ann") == 1


def test_a_killed_process_leaves_nothing(state: StateDir) -> None:
    """However it ends."""
    command = [sys.executable, "-c", HOLD, state.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with closing(Headcount(state)) as asker:
            assert asker.others("ann") == 3
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert asker.others("ann") == 0


def test_a_fork_counts_for_itself(state: StateDir) -> None:
    """What its parent has put stays the parent's."""
    with closing(Headcount(state)) as one:
        one.put("ann", 2)
        pid = os.fork()
        if not pid:
            others = one.others("ann")
            one.put("ann", 4)
            os._exit(0 if others == 2 else 1)
        assert os.waitpid(pid, 0)[1] == 0
        assert one.others("ann") == 0
        with closing(Headcount(state)) as other:
            assert other.others("ann") == 2


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b"]), st.integers(0, 9)), max_size=30))
def test_sums_are_right_whatever_is_put(puts: list[tuple[int, str, int]]) -> None:
    """In whatever order."""
    with ExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory())
        state = stack.enter_context(closing(StateDir(Path(directory, "state"))))
        counts = [stack.enter_context(closing(Headcount(state))) for _ in range(4)]
        told = [{"a": 0, "b": 0} for _ in counts]
        for who, name, number in puts:
            counts[who].put(name, number)
            told[who][name] = number
        for who, count in enumerate(counts):
            for name in "ab":
                assert count.others(name) == sum(each[name] for at, each in enumerate(told) if at != who)
