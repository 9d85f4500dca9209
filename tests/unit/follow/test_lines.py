"""Where lines begin: against a naive count, whatever state the index is in."""

import os
import resource
import tempfile
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import InvalidInput, OffsetBeyondEnd
from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES, Codec
from tailrace.core.piece import Counted, Spot
from tailrace.engine import preparation
from tailrace.follow.lines import Lines
from tailrace.host import rundir
from tailrace.host.rundir import RunDir
from tailrace.host.statedir import StateDir

# lines of all lengths: none for several strides, many in one, one that ends just before, at and behind a border
LARGE = b"".join(
    [
        b"\n" * 1000,
        b"a" * (STRIDE_BYTES - 1001) + b"\n",
        b"\n" + b"b" * (3 * STRIDE_BYTES) + b"\n",
        b"".join(b"%d\n" % number for number in range(60_000)),
        b"last",
    ]
)


class Naive:
    """The same by splitting."""

    def __init__(self, data: bytes) -> None:
        self.begins = [0, *(offset + 1 for offset, byte in enumerate(data) if byte == 10)]
        self.count = Counted(len(self.begins) - (self.begins[-1] == len(data)), len(data), len(data))

    def at(self, offset: int) -> Spot:
        """Return the line of a byte."""
        line = bisect_right(self.begins, offset)
        return Spot(line, self.begins[line - 1])


@contextmanager
def run_of(data: bytes) -> Iterator[RunDir]:
    """Put a run with this output on disk."""
    with tempfile.TemporaryDirectory() as path:
        state = StateDir(Path(path, "state"))
        spec, launch = preparation.prepare(["true"], {"inherit_env": False})
        rundir.create(state, spec, launch)
        with RunDir(state, spec.id) as run:
            file_of(run, "output").write_bytes(data)
            yield run
        _remove(spec.id, Path(path, "state", "runs"))
        state.close()


def _remove(run_id: str, runs: Path) -> None:
    """Remove the run, as is done where somebody may be counting its lines."""
    runs_fd = os.open(runs, os.O_RDONLY | os.O_DIRECTORY)
    try:
        rundir.remove_tree(run_id, dir_fd=runs_fd)
    finally:
        os.close(runs_fd)


def file_of(run: RunDir, name: str = "lines") -> Path:
    """Return where a file of the run is."""
    return Path(run.state.path, "runs", run.id, name)


@contextmanager
def lines_of(run: RunDir) -> Iterator[Lines]:
    """Give its lines."""
    output = run.open("output")
    try:
        with closing(Lines(run, output, lambda: os.fstat(output).st_size, int)) as lines:
            yield lines
    finally:
        os.close(output)


@pytest.fixture(scope="module")
def naive() -> Naive:
    """Give what is right for `LARGE`."""
    return Naive(LARGE)


def check(run: RunDir, naive: Naive) -> None:
    """See that all is found: lines at the beginning, the end and around every border; and that it stays so."""
    size = naive.count.end
    last = len(naive.begins)
    with lines_of(run) as lines:
        for line in {1, 2, 999, 1000, 1001, 1002, 1003, 1004, last // 2, last - 1, last} & set(range(1, last + 1)):
            assert lines.begin(line) == naive.begins[line - 1]
        borders = [place * STRIDE_BYTES + by for place in range(size // STRIDE_BYTES + 1) for by in (-1, 0, 1)]
        for offset in [*borders, size]:
            if 0 <= offset <= size:
                assert lines.at(offset) == naive.at(offset)
        assert lines.count() == naive.count
        with pytest.raises(OffsetBeyondEnd):
            lines.begin(last + 1)


@given(st.lists(st.sampled_from([b"\n", b"\r", b"a", b"\xff", b"\0", b"\r\n"]), max_size=40).map(b"".join))
def test_small_outputs(data: bytes) -> None:
    """Every line and every offset of anything is found, and no index is made of it."""
    naive = Naive(data)
    with run_of(data) as run, lines_of(run) as lines:
        assert [lines.begin(line + 1) for line in range(len(naive.begins))] == naive.begins
        assert [lines.at(offset) for offset in range(len(data) + 1)] == [naive.at(n) for n in range(len(data) + 1)]
        assert lines.count() == naive.count
        for wrong in (0, -1):
            with pytest.raises(InvalidInput):
                lines.begin(wrong)
        with pytest.raises(InvalidInput):
            lines.at(-1)
        for far in (lambda: lines.begin(len(naive.begins) + 1), lambda: lines.at(len(data) + 1)):
            with pytest.raises(OffsetBeyondEnd):
                far()
        assert not run.has("lines")


def test_a_large_output_gets_an_index(naive: Naive) -> None:
    """One record for each whole stride; what is found with it is what is found without."""
    with run_of(LARGE) as run:
        check(run, naive)
        made = file_of(run).read_bytes()
        assert len(made) == len(LARGE) // STRIDE_BYTES * RECORD_BYTES
        ends = list(accumulate(LARGE[at : at + STRIDE_BYTES].count(b"\n") for at in range(0, len(LARGE), STRIDE_BYTES)))
        codec = Codec(run.id)
        for place in range(1, len(LARGE) // STRIDE_BYTES + 1):
            assert codec.decode(place, made[(place - 1) * RECORD_BYTES : place * RECORD_BYTES]) == ends[place - 1]
        check(run, naive)
        assert file_of(run).read_bytes() == made


def _flip(at: int) -> Callable[[bytes], bytes]:
    return lambda made: made[:at] + bytes([made[at] ^ 255]) + made[at + 1 :]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _made: b"",
    "cut": lambda made: made[: 2 * RECORD_BYTES],
    "torn": lambda made: made[: 2 * RECORD_BYTES + 7],
    "a hole": lambda made: made[:RECORD_BYTES] + bytes(RECORD_BYTES) + made[2 * RECORD_BYTES :],
    "only a hole": lambda made: bytes(len(made)),
    "garbage behind": lambda made: made + os.urandom(10_000),
    "all garbage": lambda made: os.urandom(len(made) + 1),
    "shifted": lambda made: made[RECORD_BYTES:],
    "doubled": lambda made: made + made,
    "another run's": lambda made: b"".join(
        Codec("other").encode(place + 1, 0) for place in range(len(made) // RECORD_BYTES)
    ),
    **{f"byte {at}": _flip(at) for at in (0, 7, 8, 23, 24, 47, 71, 95)},
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_index_is_no_error(damage: Callable[[bytes], bytes], naive: Naive) -> None:
    """Everything is found, and what was damaged is told anew."""
    with run_of(LARGE) as run:
        check(run, naive)
        whole = file_of(run).read_bytes()
        file_of(run).write_bytes(damage(whole))
        check(run, naive)


def test_an_index_cut_anywhere_is_made_whole_again() -> None:
    """Byte by byte: the records that are there are believed, the others made."""
    data = b"one\ntwo\n" * (2 * STRIDE_BYTES // 8)
    with run_of(data) as run:
        with lines_of(run) as lines:
            counted = lines.count()
        whole = file_of(run).read_bytes()
        for size in range(len(whole)):
            file_of(run).write_bytes(whole[:size])
            with lines_of(run) as lines:
                assert lines.count() == counted
            assert file_of(run).read_bytes() == whole


def test_an_index_of_a_longer_output_is_no_error(naive: Naive) -> None:
    """A record past the end of a file that somebody has cut is not asked."""
    with run_of(LARGE) as run:
        check(run, naive)
        cut = LARGE[: STRIDE_BYTES + 5000]
        file_of(run, "output").write_bytes(cut)
        check(run, Naive(cut))


@pytest.mark.parametrize("kind", ["a directory", "a link", "a pipe", "a device"])
def test_an_index_that_cannot_be_written_is_no_error(kind: str, naive: Naive) -> None:
    """Nothing is written, and nothing followed; all is found by counting."""
    with run_of(LARGE) as run:
        there = file_of(run)
        match kind:
            case "a directory":
                there.mkdir()
            case "a pipe":
                os.mkfifo(there)
            case "a device":
                there.symlink_to("/dev/full")
            case _:
                there.symlink_to(there.parent / "elsewhere")
        check(run, naive)
        assert not (there.parent / "elsewhere").exists()


def test_a_disk_that_takes_no_more_is_no_error(naive: Naive) -> None:
    """What could not be written, torn records too, is counted whenever it is wanted."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with run_of(LARGE) as run:
        resource.setrlimit(resource.RLIMIT_FSIZE, (RECORD_BYTES + 10, hard))
        try:
            check(run, naive)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert file_of(run).stat().st_size == RECORD_BYTES + 10
        check(run, naive)


def test_an_output_that_grows_is_counted_on() -> None:
    """The index follows the tail, and is never wrong about what has come since."""
    with run_of(b"") as run, lines_of(run) as lines, file_of(run, "output").open("ab") as output:
        written = b""
        for begin in range(0, len(LARGE), 200_001):
            piece = LARGE[begin : begin + 200_001]
            output.write(piece)
            output.flush()
            written += piece
            ends = written.count(b"\n")
            assert lines.count() == Counted(ends + (not written.endswith(b"\n")), len(written), len(written))
            assert lines.begin(ends + 1) == written.rfind(b"\n") + 1
        assert file_of(run).stat().st_size == len(LARGE) // STRIDE_BYTES * RECORD_BYTES


def test_counting_can_be_bounded(naive: Naive) -> None:
    """A count that may read one stride tells how far it came, and the next goes on from there."""
    with run_of(LARGE) as run, lines_of(run) as lines:
        ends = []
        while not (counted := lines.count(1)).is_all:
            ends.append(counted.end)
            assert counted.lines == naive.at(counted.end - 1).line
        assert ends == list(range(STRIDE_BYTES, len(LARGE), STRIDE_BYTES))
        assert counted == naive.count


def test_several_make_one_index(naive: Naive) -> None:
    """Makers at work at the same time write the same bytes to the same places."""
    with run_of(LARGE) as run:
        failed: list[BaseException] = []

        def make() -> None:
            try:
                for _ in range(5):
                    check(run, naive)
                    file_of(run).unlink(missing_ok=True)
            except BaseException as error:  # noqa: BLE001  for the thread that looks
                failed.append(error)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        check(run, naive)


def test_a_time_is_a_place() -> None:
    """The line of the byte that the output had come to; not past its end."""
    with run_of(b"one\ntwo\nthree") as run, lines_of(run) as lines:
        assert lines.at_time(5) == Spot(2, 4)
        assert lines.at_time(99) == Spot(3, 8)


def test_an_output_that_is_not_there_has_no_lines() -> None:
    """As an empty one."""
    with run_of(b"") as run, closing(Lines(run, -1, lambda: 0, lambda _time_s: 0)) as lines:
        assert lines.count() == Counted(0, 0, 0)
        assert lines.at(0) == Spot(1, 0)
