"""The text wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import StreamBroken
from tailrace.core.piece import Gap
from tailrace.core.wires import framer
from tests.unit.core.wires.outputs import RUN, RUNNING, Output, chunk, outputs


@given(outputs, st.data())
def test_text_is_the_exact_bytes(output: Output, data: st.DataObject) -> None:
    """Nothing is added, changed or held back, whatever is called in between."""
    made = framer("text", RUN, 0)
    framed = made.begin(RUNNING)
    for piece in output.chunks(0, lambda most: data.draw(st.integers(1, most))):
        framed += made.output(piece) + made.flush() + made.heartbeat() + made.state(RUNNING)
        assert made.resume_offset == piece.end == len(framed)
    assert framed + made.end(RUNNING) == output.data


def test_a_gap_breaks_the_stream() -> None:
    """Text cannot say that bytes are missing, so the one who sends must abort."""
    made = framer("text", RUN, 0)
    made.output(chunk(0, b"abc"))
    with pytest.raises(StreamBroken, match=r"bytes 3 to 9 .* are missing: expired") as caught:
        made.gap(Gap(3, 9, "expired"))
    assert caught.value.subject == RUN
    assert "offset 9" in caught.value.hint
    assert made.aborts
