"""Ids of event streams, out and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import InvalidInput
from tailrace.core.wires import EventId, parse_event_id
from tests.unit.core.wires.outputs import RUN

MOST = 2**63 - 1


@given(st.integers(0, MOST), st.booleans())
def test_an_id_comes_back_as_it_went_out(offset: int, is_end: bool) -> None:
    """Text and value are the same thing."""
    event_id = EventId(RUN, offset, is_end)
    assert parse_event_id(str(event_id)) == event_id


def test_the_form() -> None:
    """It is the run's id, the offset, and for the end a mark."""
    assert str(EventId(RUN, 0)) == f"{RUN}/0"
    assert str(EventId(RUN, 12, is_end=True)) == f"{RUN}/12/end"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "5",
        RUN,
        f"{RUN}/",
        f"/{RUN}/5",
        f"{RUN}/-1",
        f"{RUN}/+1",
        f"{RUN}/1.0",
        f"{RUN}/1e3",
        f"{RUN}/0x1",
        f"{RUN}/1_000",
        f"{RUN}/01",
        f"{RUN}/00",
        f"{RUN}/ 1",
        f"{RUN}/1 ",
        f" {RUN}/1",
        f"{RUN}/1\n",
        f"{RUN}/1\0",
        f"{RUN}\0/1",
        f"{RUN}/\u0661",
        f"{RUN}/\uff11",
        f"{RUN}/{MOST + 1}",
        f"{RUN}/{10**30}",
        f"{RUN}/1/",
        f"{RUN}/1/END",
        f"{RUN}/1/end/",
        f"{RUN}/1/end\n",
        f"{RUN}//end",
        f"{RUN.upper()}/1",
        f"{RUN[:-1]}/1",
        f"{RUN}0/1",
        f"{RUN[:-1]}u/1",
        "../../../../../../etc/pass/1",
        f"{RUN}/" + "1" * 200,
        "x" * 100_000,
    ],
)
def test_anything_else_is_refused(text: str) -> None:
    """The error says what to do, and does not repeat what was sent."""
    with pytest.raises(InvalidInput) as caught:
        parse_event_id(text)
    assert caught.value.subject == "Last-Event-ID"
    assert caught.value.hint
    assert len(str(caught.value)) < 100


@given(st.text() | st.text(alphabet="0123456789abcdefghjkmnpqrstvwxyz/end").map(lambda text: RUN + text))
def test_no_text_does_worse_than_being_refused(text: str) -> None:
    """What is accepted is exactly what goes out again."""
    try:
        event_id = parse_event_id(text)
    except InvalidInput:
        return
    assert str(event_id) == text
