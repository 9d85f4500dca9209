"""Run ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core import ids

MOST_US = 32**ids.TIME_CHARS - 1

times = st.integers(0, MOST_US)
randoms = st.binary(min_size=ids.RANDOM_BYTES, max_size=ids.RANDOM_BYTES)


@pytest.mark.parametrize(
    ("unix_us", "random", "run_id"),
    [
        (0, bytes(10), "0" * 27),
        (1, bytes(9) + b"\1", "00000000001" + "0" * 15 + "1"),
        (31, bytes(9) + b"\x1f", "0000000000z" + "0" * 15 + "z"),
        (32, b"\x80" + bytes(9), "00000000010" + "g" + "0" * 15),
        (MOST_US, b"\xff" * 10, "z" * 27),
    ],
)
def test_table(unix_us: int, random: bytes, run_id: str) -> None:
    """Time stands before randomness, each with its digits' most significant first."""
    assert ids.make(unix_us, random) == run_id


@given(times, randoms)
def test_an_id_is_an_id_and_tells_its_time(unix_us: int, random: bytes) -> None:
    """It has the one shape that is let into a path, and gives the time back."""
    run_id = ids.make(unix_us, random)
    assert ids.is_id(run_id)
    assert ids.created_us(run_id) == unix_us


@given(st.lists(st.tuples(times, randoms), unique=True))
def test_sorting_ids_sorts_runs_by_creation(made: list[tuple[int, bytes]]) -> None:
    """As text, so that a directory listing or a cursor needs no other index; and no two are the same."""
    by_id = sorted(made, key=lambda row: ids.make(*row))
    assert [unix_us for unix_us, _ in by_id] == sorted(unix_us for unix_us, _ in made)
    assert len({ids.make(*row) for row in made}) == len(made)


@pytest.mark.parametrize("size", [0, 9, 11])
def test_randomness_has_its_size(size: int) -> None:
    """Fewer bytes would make ids that can be guessed."""
    with pytest.raises(ValueError, match="10 random bytes"):
        ids.make(0, bytes(size))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0" * 26,
        "0" * 28,
        "0" * 26 + "u",
        "0" * 26 + "i",
        "0" * 26 + "l",
        "0" * 26 + "o",
        "0" * 26 + "A",
        "0" * 26 + "/",
        "0" * 26 + ".",
        "0" * 26 + "\n",
        "0" * 27 + "\n",
        "0" * 26 + "\0",
        "0" * 26 + "\u0660",
        "../" * 9,
    ],
)
def test_nothing_else_is_an_id(text: str) -> None:
    """What is not exactly of our making never becomes part of a path."""
    assert not ids.is_id(text)


@given(st.text())
def test_no_text_with_another_character_is_an_id(text: str) -> None:
    """Whatever a client sends, only the alphabet and the length get through."""
    assert ids.is_id(text) == (len(text) == ids.LENGTH and set(text) <= set(ids.ALPHABET))


@given(times, randoms)
def test_an_instants_first_id_divides(unix_us: int, random: bytes) -> None:
    """Ids of that microsecond and later ones are not below it, earlier ones are."""
    first = ids.first(unix_us)
    assert ids.is_id(first)
    assert first <= ids.make(unix_us, random)
    assert unix_us == 0 or ids.make(unix_us - 1, random) < first


def test_instants_that_no_id_can_tell() -> None:
    """Those before the first one and behind the last are taken for these."""
    assert ids.first(-1) == ids.first(0) == "0" * 27
    assert ids.first(MOST_US + 5) == ids.first(MOST_US)
