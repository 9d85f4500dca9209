"""Borders of characters, and bytes that remember their offsets."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core.wires.held import Held, whole_characters, whole_ends
from tests.unit.core.wires.outputs import texts


def may_become_a_character(tail: bytes) -> bool:
    """Tell whether bytes exist behind `tail` that make a character of it, by trying them on Python's decoder."""
    for second in (b"", b"\x80", b"\x90", b"\xa0"):
        for rest in (b"\x80", b"\x80\x80"):
            with contextlib.suppress(UnicodeDecodeError):
                if len((tail + second + rest).decode()) == 1:
                    return True
    return False


def expected_size(data: bytes) -> int:
    """Return where the last begun character begins, or the whole size."""
    begun = [back for back in range(1, min(3, len(data)) + 1) if may_become_a_character(data[-back:])]
    return len(data) - begun[0] if begun else len(data)


@given(texts)
def test_nothing_but_a_begun_character_is_left_out(data: bytes) -> None:
    """At every size, and both sides decode to what the whole decodes to."""
    for size in range(len(data) + 1):
        whole = whole_characters(data, size)
        assert whole == expected_size(data[:size])
        both = data[:whole].decode("utf-8", "replace") + data[whole:].decode("utf-8", "replace")
        assert both == data.decode("utf-8", "replace")


def test_every_lead_with_every_second_byte() -> None:
    """The narrower ranges behind E0, ED, F0 and F4 are the decoder's own."""
    for first in range(0xC0, 0x100):
        for second in range(256):
            for data in (bytes([first, second]), bytes([first, second, 0x80])):
                assert whole_characters(data, len(data)) == expected_size(data), data


@pytest.mark.parametrize(
    ("data", "size", "whole"),
    [(b"ab\r\n", 3, 2), (b"a\r\rb", 3, 3), (b"\r\r\n.", 2, 1), (b"ab\r\n", 2, 2), (b"a\xe2\x82\xac", 3, 1)],
)
def test_whole_ends_keeps_cr_and_lf_together(data: bytes, size: int, whole: int) -> None:
    """The size shrinks by the CR only if its LF is the next byte."""
    assert whole_ends(data, size) == whole


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=4)), max_size=8), st.data())
def test_held_bytes_keep_their_offsets(stretches: list[tuple[int, bytes]], data: st.DataObject) -> None:
    """However bytes with holes between them go in and out, each has the offset that it came with."""
    held, expected, offset = Held(), [], 0
    for hole, stretch in stretches:
        offset += hole
        held.append(offset, stretch)
        expected += [(offset + index, byte) for index, byte in enumerate(stretch)]
        offset += len(stretch)
        size = data.draw(st.integers(0, len(expected)))
        if size:
            assert held.begin() == expected[0][0]
            assert held.end_of(size) == expected[size - 1][0] + 1
            assert held.take(size) == bytes(byte for _, byte in expected[:size])
            del expected[:size]
    assert bytes(held.data) == bytes(byte for _, byte in expected)
    assert len(held) == len(expected)
