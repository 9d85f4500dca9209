"""A cursor that gives little at a time."""

from contextlib import closing
from pathlib import Path

import tailrace
from tailrace.core.piece import Chunk, Spot
from tailrace.engine.base import End, Engine
from tailrace.engine.run import Run
from tailrace.web.sips import SIP_BYTES, Sips

SIZE = 588_895
"""what `seq 100000` prints"""


def finished(state_dir: Path) -> tuple[Engine, Run]:
    """Return an engine, and a run of it with a long output."""
    engine = tailrace.connect(state_dir)
    run = engine.start(["seq", "100000"])
    run.wait(60)
    return engine, run


def test_it_gives_the_same_in_small_parts(state_dir: Path) -> None:
    """Every byte once, one chunk a look, and the offset is that of the next one."""
    engine, run = finished(state_dir)
    chunks: list[Chunk] = []
    with closing(Sips(engine.cursor(run.id, 3))) as cursor:
        while not isinstance(seen := cursor.look(), End):
            assert isinstance(seen, list)
            (chunk,) = seen
            assert 0 < len(chunk.data) <= SIP_BYTES
            assert cursor.offset == chunk.end
            chunks.append(chunk)
        assert cursor.info() == seen.run
        assert cursor.lines().at(SIZE) == Spot(100_001, SIZE)
    data = b"".join(chunk.data for chunk in chunks)
    assert data == (state_dir / "runs" / run.id / "output").read_bytes()[3:]
    assert [chunk.offset for chunk in chunks] == [3, *(chunk.end for chunk in chunks[:-1])]
    assert len(chunks) >= SIZE // SIP_BYTES


def test_what_was_looked_at_is_not_lost(state_dir: Path) -> None:
    """What `more` gives follows what `look` gave; another cursor begins wherever it is wanted."""
    engine, run = finished(state_dir)
    with closing(Sips(engine.cursor(run.id))) as cursor:
        first = cursor.look(SIZE)
        assert isinstance(first, list)
        rest = cursor.more()
        assert rest
        assert rest[0].offset == first[0].end
        with closing(cursor.at(SIZE - 7)) as other:
            last = other.look()
            assert isinstance(last, list)
            assert [chunk.data for chunk in last] == [b"100000\n"]
            assert other.look(SIZE) is None
