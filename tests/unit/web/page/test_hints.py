"""What a value may be, in a few words."""

import pytest

from tailrace.core.parameters import Choices, Date, Integer, Number, Parameter, PathBelow, Secret, Text, Upload
from tailrace.web.page.hints import hint_of


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        (Integer(), ""),
        (Integer(minimum=1, maximum=9), "1 to 9."),
        (Integer(minimum=1), "1 or more."),
        (Number(maximum=0.5), "0.5 or less."),
        (Text(), ""),
        (Text(maximum_length=20), "Up to 20 characters."),
        (Text(minimum_length=3, maximum_length=20), "3 to 20 characters."),
        (Secret(variable="KEY"), "6 characters or more."),
        (Date(minimum="2026-01-01"), "From 2026-01-01."),
        (Choices(choices=("a", "b")), ""),
        (Choices(choices=("a", "b", "c"), maximum_count=2), "Choose up to 2."),
        (Choices(choices=("a", "b", "c"), minimum_count=1), "Choose 1 or more."),
        (PathBelow(root="/srv"), ""),
        (Upload(maximum_size=2048, accept=(".csv", "text/plain")), "Up to 2.0 KiB; .csv, text/plain."),
    ],
)
def test_words(parameter: Parameter, words: str) -> None:
    """Of each type; a bound that nobody meets is none."""
    assert hint_of(parameter.schema()) == words
