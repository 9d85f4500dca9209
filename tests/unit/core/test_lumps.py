"""The guess that a command holds its output back."""

import pytest

from tailrace.core.lumps import HINT, Lumps

MS = 1000


@pytest.mark.parametrize(
    ("arrivals", "is_hinted"),
    [
        pytest.param([], False, id="nothing yet"),
        pytest.param([(4096, 200)], False, id="once may be chance"),
        pytest.param([(4096, 200), (4096, 400)], True, id="whole buffers, long apart"),
        pytest.param([(8192, 200), (4096, 400)], True, id="of either size"),
        pytest.param([(4096, 200), (4096, 201), (4096, 202)], False, id="a program that prints fast"),
        pytest.param([(4096, 200), (10, 300), (4096, 400)], False, id="a line by itself"),
        pytest.param([(4096, 200), (4096, 400), (10, 600)], True, id="the rest, at the end"),
        pytest.param([(4096, 200), (4096, 400), (10, 600), (4096, 800)], False, id="it was not the end"),
    ],
)
def test_the_hint(arrivals: list[tuple[int, int]], is_hinted: bool) -> None:
    """It is given for whole buffers with silence between them, and taken back by anything else."""
    lumps = Lumps()
    for count, at_ms in arrivals:
        lumps.note(count, at_ms * MS)
    assert lumps.hint == (HINT if is_hinted else None)
