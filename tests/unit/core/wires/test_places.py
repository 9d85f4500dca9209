"""The id that resumes several runs at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.errors import InvalidInput
from tailrace.core.wires import places
from tailrace.core.wires.eventstream import MAX_OFFSET
from tailrace.core.wires.places import MOST_RUNS, Place, Places

RUNS = ("01jd3v5w8x9abcdefghjkmnpqrs", "01jd3v5w8x9abcdefghjkmnpqrt")

all_places = st.lists(st.builds(Place, st.integers(0, MAX_OFFSET), st.booleans()), max_size=MOST_RUNS)


def id_of(*found: Place) -> str:
    """Return the id of these places in the two runs."""
    return str(Places(dict(zip(RUNS, found, strict=True))))


def test_it_moves() -> None:
    """One place changes, the others stay."""
    made = Places(dict.fromkeys(RUNS, Place()))
    made.move(1, Place(255, is_end=True))
    assert str(made) == id_of(Place(), Place(255, is_end=True))


def test_it_is_readable() -> None:
    """Offsets in the order of the runs, in hexadecimal; a dot where the end has been seen."""
    made = id_of(Place(26), Place(3, is_end=True))
    assert made.endswith("/1a,3.")
    assert len(made) == 8 + len("/1a,3.")


@given(all_places)
def test_it_comes_back(found: list[Place]) -> None:
    """Whatever the places, and it is short enough for the header of any server."""
    run_ids = [f"{number:027d}" for number in range(len(found))]
    made = str(Places(dict(zip(run_ids, found, strict=True))))
    assert places.parse(made, run_ids) == found
    assert len(made) < 700


@pytest.mark.parametrize("others", [(), RUNS[:1], RUNS[::-1], (*RUNS, "0" * 27), (RUNS[0], "0" * 27)])
def test_it_belongs_to_these_runs(others: tuple[str, ...]) -> None:
    """Fewer, more, other, or in another order: it says so."""
    made = id_of(Place(1), Place(2))
    with pytest.raises(InvalidInput, match="other runs"):
        places.parse(made, others)


@pytest.mark.parametrize(
    "tail",
    ["", "1", "1,", ",1", "1,2,3", "1,,2", "1,02", "1,2..", "1,.", "1,-2", "1,g", "1, 2", "1,2/end", "1,2\n", "1,é"],
)
def test_what_was_never_given_out(tail: str) -> None:
    """Each is refused; none is taken for another place."""
    check = id_of(Place(), Place()).partition("/")[0]
    with pytest.raises(InvalidInput):
        places.parse(f"{check}/{tail}", RUNS)


@pytest.mark.parametrize(
    "text", ["", "/", "x", f"{RUNS[0]}/5", "0" * 5000, "00000000/" + "1," * 600, "00000000/ffffffffffffffff"]
)
def test_ids_of_others(text: str) -> None:
    """Those of one run's stream, and what is too long or too large."""
    with pytest.raises(InvalidInput):
        places.parse(text, RUNS[:1])
