import sys

import pytest

from tailrace.core.errors import InvalidInput
from tailrace.core.search import Span
from tailrace.web import matching
from tailrace.web.matching import PATTERN_CHARS, FoldedMatcher, matcher_of


@pytest.mark.parametrize(
    ("wanted", "regex", "ignore_case", "data", "span"),
    [
        ("a.b", False, False, b"axb a.b", (4, 7)),
        ("A.b", False, True, b"axb a.b", (4, 7)),
        ("É[", False, True, "xé[".encode(), (1, 4)),
        ("\\d\t", False, True, b"\\D\t", (0, 3)),
        ("a.b", True, False, b"a.b", (0, 3)),
        ("a.b", True, False, b"a\nb", None),
        ("a[^x]b", True, False, b"a\nb", None),
        ("a\\sb", True, False, b"a\nb", None),
        ("(?s)a.b", True, False, b"a\nb", None),
        ("a\\nb", True, False, b"a\nb", None),
        ("^b$", True, False, b"a\nb\nc", (2, 3)),
        ("é+", True, True, "xÉé".encode(), (1, 5)),
        (".", True, False, b"\xff\xfea", (2, 3)),
        ("b*", True, False, b"ab", (0, 0)),
    ],
)
def test_what_is_found(
    wanted: str, *, regex: bool, ignore_case: bool, data: bytes, span: tuple[int, int] | None
) -> None:
    """Plain text is itself; an expression matches characters, never a line end."""
    found = matcher_of(wanted, regex=regex, ignore_case=ignore_case).find(data, 0, len(data))
    assert found == (None if span is None else Span(*span))


def test_what_lies_around_is_context() -> None:
    """Searching a part does not make its borders the borders of words and lines."""
    assert matcher_of("^a", regex=True).find(b"aaa", 1, 3) is None
    assert matcher_of("a$", regex=True).find(b"aaa", 0, 2) is None
    assert matcher_of(r"\ba", regex=True).find(b"aaa", 1, 3) is None


@pytest.mark.parametrize(
    "pattern", ["(", "a)", "[a", "*", r"\8", "(?=a)", r"(a)\1", "a{1001}", "(?:a{1000}){1000}", "\\"]
)
def test_what_is_no_expression(pattern: str) -> None:
    """It is refused in RE2's words, which name nothing that was not in the pattern."""
    with pytest.raises(InvalidInput) as caught:
        matcher_of(pattern, regex=True)
    assert "is no expression: " in caught.value.message
    assert "(?m)" not in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("regex", [False, True])
@pytest.mark.parametrize("wanted", ["", "a" * (PATTERN_CHARS + 1), "a\nb", "\ud800"])
def test_what_cannot_be_searched_for(wanted: str, *, regex: bool) -> None:
    """Nothing, too much, more than a line, half a character."""
    with pytest.raises(InvalidInput) as caught:
        matcher_of(wanted, regex=regex)
    assert caught.value.hint


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|a)*b", "(a|aa)+$", "(.*a){10}b", "a" + "?a" * 30])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    """Those that make others' engines try everything end here, long before the test's limit of time."""
    assert matcher_of(pattern, regex=True).find(b"a" * 100_000 + b"!", 0, 100_001) in (None, Span(0, 31))


def test_without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain text is found all the same; what cannot be done says what to install."""
    monkeypatch.setitem(sys.modules, "re2", None)
    matching.has_re2.cache_clear()
    try:
        assert matcher_of("a.").find(b"ba.", 0, 3) == Span(1, 3)
        assert isinstance(matcher_of("a", ignore_case=True), FoldedMatcher)
        for wanted, regex in (("a", True), ("é", False)):
            with pytest.raises(InvalidInput) as caught:
                matcher_of(wanted, regex=regex, ignore_case=True)
            assert "google-re2" in caught.value.hint
    finally:
        matching.has_re2.cache_clear()
