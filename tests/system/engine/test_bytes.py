"""Every byte, in order, once: what a command wrote is what is kept and what is followed, moved either way."""

import hashlib
import os
import random
import sys
from pathlib import Path

import pytest

from tailrace.core import timeline
from tailrace.core.outcome import Exited
from tailrace.core.piece import Chunk
from tailrace.core.timeline import RECORD_BYTES, Stream
from tailrace.engine.disk import DiskEngine
from tailrace.engine.run import Run

pytestmark = pytest.mark.usefixtures("mover")

RANDOM = """
import os, random, sys
source = random.Random(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    data = memoryview(source.randbytes(65536))
    while data:
        data = data[os.write(1, data):]
"""
ALTERNATING = """
import os
for n in range(20000):
    os.write(1, b"o%d\\n" % n)
    os.write(2, b"e%d\\n" % n)
"""


def python(engine: DiskEngine, script: str, *arguments: str) -> Run:
    """Start a script of this interpreter."""
    return engine.start([sys.executable, "-I", "-S", "-u", "-c", script, *arguments])


def on_disk(run: Run, state_dir: Path) -> bytes:
    """Return the output's file."""
    return (state_dir / "runs" / run.id / "output").read_bytes()


def followed(run: Run) -> list[Chunk]:
    """Follow to the end; the chunks follow one another."""
    chunks = list(run.follow())
    at = 0
    for chunk in chunks:
        assert chunk.offset == at
        at = chunk.end
    assert at == run.info().size
    return chunks


def joined(chunks: list[Chunk], stream: Stream | None = None) -> bytes:
    """Return the bytes, of one stream or of all."""
    return b"".join(chunk.data for chunk in chunks if stream is None or chunk.stream is stream)


def test_random_bytes(engine: DiskEngine, state_dir: Path) -> None:
    """20 MB of anything: the same digest on disk and for a viewer who was there from the start."""
    seed, pieces = 4711, 320
    source = random.Random(seed)
    digest, seen = hashlib.sha256(), hashlib.sha256()
    for _ in range(pieces):
        digest.update(source.randbytes(65536))
    run = python(engine, RANDOM, str(seed), str(pieces))
    for chunk in run.follow():
        seen.update(chunk.data)
    assert seen.hexdigest() == digest.hexdigest()
    assert hashlib.sha256(on_disk(run, state_dir)).hexdigest() == digest.hexdigest()


def test_one_byte_at_a_time(engine: DiskEngine) -> None:
    """As many writes as bytes."""
    run = python(engine, "import os\nfor n in range(20000): os.write(1, bytes((n % 251,)))")
    assert joined(followed(run)) == bytes(n % 251 for n in range(20000))


def test_much_of_one_stream_before_the_other(engine: DiskEngine) -> None:
    """A megabyte of stderr before the first byte of stdout: neither waits for the other."""
    script = "import os\nfor _ in range(16): os.write(2, b'e' * 65536)\nos.write(1, b'out')"
    chunks = followed(python(engine, script))
    assert joined(chunks, Stream.STDERR) == b"e" * (1 << 20)
    assert joined(chunks, Stream.STDOUT) == b"out"


def test_streams_that_alternate_as_fast_as_they_can(engine: DiskEngine, state_dir: Path) -> None:
    """Each stream is exact, nothing is mixed, and the timeline stays small: 2,000 records a second at most."""
    run = python(engine, ALTERNATING)
    chunks = followed(run)
    for stream, letter in ((Stream.STDOUT, "o"), (Stream.STDERR, "e")):
        assert joined(chunks, stream) == "".join(f"{letter}{n}\n" for n in range(20000)).encode()
    assert {chunk.stream for chunk in chunks} == {Stream.STDOUT, Stream.STDERR}
    records = (state_dir / "runs" / run.id / "timeline").stat().st_size // RECORD_BYTES
    duration_s = run.info().duration_s
    assert duration_s is not None
    assert records <= 2000 * duration_s + 20


def test_the_timeline_is_in_order(engine: DiskEngine, state_dir: Path) -> None:
    """Offsets and times never go back, and every record is good."""
    run = python(engine, ALTERNATING)
    run.wait(timeout=60)
    records = timeline.decode((state_dir / "runs" / run.id / "timeline").read_bytes())
    good = [record for record in records if record is not None]
    assert len(good) == len(records)
    assert [(record.offset, record.time_us) for record in good] == sorted((one.offset, one.time_us) for one in good)


@pytest.mark.parametrize("text", ["", "x", "x\n", "a\nb", "\0", "\r", "\n" * 3])
def test_short_outputs(engine: DiskEngine, text: str) -> None:
    """Nothing at all, one byte, a last line without its end."""
    run = python(engine, f"import os; os.write(1, {text.encode()!r})")
    assert joined(followed(run)) == text.encode()
    assert run.info().outcome == Exited(0)


def test_one_line_of_fifty_megabytes(engine: DiskEngine) -> None:
    """A line has no length that matters."""
    size = 50_000_000
    run = engine.start(["sh", "-c", f"head -c {size} /dev/zero | tr '\\0' x"])
    seen = 0
    for chunk in run.follow():
        assert chunk.data.count(b"x") == len(chunk.data)
        seen += len(chunk.data)
    assert seen == size
    assert b"".join(chunk.data for chunk in run.follow(tail=1))[:10] == b"x" * 10


def test_many_short_runs_lose_nothing(engine: DiskEngine) -> None:
    """What a command wrote just before its end is there, run after run."""
    runs = [engine.start(["sh", "-c", f"echo out{n}; echo err{n} >&2"]) for n in range(100)]
    for n, run in enumerate(runs):
        chunks = followed(run)
        assert joined(chunks, Stream.STDOUT) == b"out%d\n" % n
        assert joined(chunks, Stream.STDERR) == b"err%d\n" % n


def test_merged_streams_keep_the_order_of_writing(engine: DiskEngine) -> None:
    """On one pipe nothing is ever swapped."""
    run = engine.start([sys.executable, "-I", "-S", "-c", ALTERNATING], merge=True)
    assert joined(followed(run)) == "".join(f"o{n}\ne{n}\n" for n in range(20000)).encode()


def test_who_closes_a_stream_goes_on(engine: DiskEngine) -> None:
    """A command may close either stream early and still write to the other."""
    for closed, other in ((1, 2), (2, 1)):
        script = f"import os; os.write({closed}, b'a'); os.close({closed}); os.write({other}, b'b' * 100000)"
        chunks = followed(python(engine, script))
        assert joined(chunks, Stream(closed)) == b"a"
        assert joined(chunks, Stream(other)) == b"b" * 100_000


def test_a_command_may_make_its_pipe_odd(engine: DiskEngine) -> None:
    """Non-blocking, or shrunk to a page: its own business, and no byte less."""
    script = """
import fcntl, os, select
fcntl.fcntl(1, fcntl.F_SETPIPE_SZ, 4096)
os.set_blocking(1, False)
data = memoryview(bytes(range(250)) * 4000)
while data:
    select.select([], [1], [])
    try:
        data = data[os.write(1, data):]
    except BlockingIOError:
        pass
"""
    assert joined(followed(python(engine, script))) == bytes(range(250)) * 4000


def test_a_reader_in_another_process_of_the_file_itself(engine: DiskEngine, state_dir: Path) -> None:
    """The output is a file of exactly the bytes: any tool may read it while it grows."""
    run = engine.start(["seq", "200000"])
    fd = os.open(state_dir / "runs" / run.id / "output", os.O_RDONLY)
    try:
        run.wait(timeout=60)
        assert os.fstat(fd).st_size == run.info().size == 1288895
        assert os.pread(fd, 7, 1288895 - 7) == b"200000\n"
    finally:
        os.close(fd)
