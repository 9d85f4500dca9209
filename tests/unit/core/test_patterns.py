"""Patterns, as a parameter's texts must match them."""

import re

import pytest

from tailrace.core.parameters import Text
from tailrace.core.patterns import compiled

TEXTS = ("", "a", "aa-b", "x\n", "é", "9", "٣", "a b", "-", "\U0001f600", "a\\b")


@pytest.mark.parametrize(
    "pattern",
    [
        r"[a-z]+",
        r"\d",
        r"\w*",
        ".",
        r"(?i)A",
        r"[^a]+",
        r"([a-z]+-)*[a-z]",
        r"(?P<x>a)|b",
        r"\S+",
        r"a\\b",
        r"é",
        "a|-",
    ],
)
def test_what_matches_is_what_python_says(pattern: str) -> None:
    """Whole texts, in ASCII."""
    found = compiled(pattern)
    assert found.fault == ""
    for text in TEXTS:
        assert (found.matcher.fullmatch(text) is None) == (re.fullmatch(pattern, text, re.ASCII) is None), text


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(a|b|ab)*c", r"([a-z]+\s*)*!", "(.*)*x"])
def test_no_text_takes_long(pattern: str) -> None:
    """A pattern that Python would try for longer than anybody lives is matched at once."""
    assert compiled(pattern).matcher.fullmatch("a" * 4096) is None


@pytest.mark.parametrize("pattern", [r"(a)\1", "(?!-).*", "(?<=a)b", "a{2000}"])
def test_what_would_is_refused(pattern: str) -> None:
    """With what to write instead."""
    (fault,) = Text(pattern=pattern).faults()
    assert (fault.subject, fault.message.partition(":")[0]) == ("pattern", "cannot be matched in linear time")
    assert "look-around" in fault.hint
