"""Searching: against a naive search of whole lines, whatever the chunks."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailrace.core import search
from tailrace.core.piece import Chunk, Spot
from tailrace.core.search import Found, Matcher, Searcher, Span, read_from
from tailrace.core.timeline import Stream
from tailrace.web.matching import FoldedMatcher, PlainMatcher, matcher_of

ALPHABET = [b"\n", b"\r", b"a", b"b", b"A", b"ab", b"\xff", "é".encode(), b"\xc3"]
BYTES = st.lists(st.sampled_from(ALPHABET), max_size=60).map(b"".join)
LITTLE = {"PIECE_BYTES": 16, "AHEAD_BYTES": 8, "BEFORE_BYTES": 4, "TEXT_BYTES": 12}
PATTERNS = [
    "ab",
    "a",
    "a+b",
    "^a",
    "b$",
    "^$",
    "a*",
    "x*",
    "[^a]b",
    r"\bb",
    "(?i)ab",
    r"\Aa",
    r"b\z",
    "(?-m:^)b",
    "é",
    ".",
]


class Lineal:
    """The same, given each line alone."""

    wants_lines = True

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher

    def find(self, data: bytes, begin: int, end: int) -> Span | None:
        """Find it."""
        return self._matcher.find(data, begin, end)


def chunks_of(data: bytes, cuts: list[int], begin: int = 0) -> Iterator[Chunk]:
    """Cut the data from `begin` on into chunks, each of the other stream and a second later."""
    ends = sorted({begin, *(begin + cut % (len(data) - begin + 1) for cut in cuts), len(data)})
    for number, (low, high) in enumerate(pairwise(ends)):
        yield Chunk(low, data[low:high], (Stream.STDOUT, Stream.STDERR)[number % 2], float(number))


def run(searcher: Searcher, chunks: Iterator[Chunk]) -> list[Found]:
    """Return everything that is found."""
    return [*(found for chunk in chunks for found in searcher.add(chunk)), *searcher.release()]


def split(data: bytes) -> list[tuple[int, bytes]]:
    """Return (offset, line), without its LF, by the simplest means."""
    lines, offset = [], 0
    for line in data.split(b"\n"):
        lines.append((offset, line))
        offset += len(line) + 1
    return lines if lines[-1][1] else lines[:-1]


def naive(data: bytes, matcher: Matcher, since: int = 0) -> list[tuple[int, int, list[Span]]]:
    """Return (number, offset, matches) of the lines that have some from the offset `since` on."""
    found = []
    for number, (offset, line) in enumerate(split(data), 1):
        at, matches = max(0, since - offset), []
        while at <= len(line) and (match := matcher.find(line, at, len(line))) is not None:
            matches.append(match)
            at = max(match.end, match.begin + 1)
        if matches:
            found.append((number, offset, [each for each in matches if each.begin < each.end] or matches[:1]))
    return found


@given(BYTES, st.sampled_from(PATTERNS), st.lists(st.integers(0, 1000), max_size=8), st.data())
def test_hits_are_those_of_a_naive_search(data: bytes, pattern: str, cuts: list[int], draw: st.DataObject) -> None:
    """Of any bytes, in any chunks, from any offset: numbers, places, columns, text; each with the label of its line."""
    matcher = matcher_of(pattern, regex=True)
    since = draw.draw(st.integers(0, len(data)))
    line = data.count(b"\n", 0, since) + 1
    spot = Spot(line, data.rfind(b"\n", 0, since) + 1)
    chunks = list(chunks_of(data, cuts, read_from(spot, since)))
    found = run(Searcher(matcher, spot, since), iter(chunks))
    wanted = naive(data, matcher, since)
    assert [(hit.number, hit.offset) for hit, *_ in found] == [(number, offset) for number, offset, _ in wanted]
    for (hit, end, is_last), (_number, offset, matches) in zip(found, wanted, strict=True):
        text = data[offset:].split(b"\n")[0]
        assert (hit.text, hit.skipped, hit.continued) == (text.decode(errors="replace"), 0, False)
        assert hit.match == offset + matches[0].begin
        assert hit.columns == [Span(*(len(text[:at].decode(errors="replace")) for at in match)) for match in matches]
        assert (end, is_last) == (min(offset + len(text) + 1, len(data)), True)
        first = next(chunk for chunk in chunks if chunk.end > offset or chunk is chunks[-1])
        assert (hit.time, hit.stream) == (first.time_s, first.stream.label)


@given(BYTES, st.sampled_from([b"ab", b"a", b"\xff"]), st.lists(st.integers(0, 1000), max_size=8))
def test_given_one_line_or_many(data: bytes, wanted: bytes, cuts: list[int]) -> None:
    """A matcher that wants each line alone finds the same."""
    plain = PlainMatcher(wanted)
    found = run(Searcher(plain, Spot(1, 0), 0), chunks_of(data, cuts))
    assert found == run(Searcher(Lineal(plain), Spot(1, 0), 0), chunks_of(data, cuts))


@contextmanager
def little() -> Iterator[None]:
    """Have long lines begin at 16 bytes."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in LITTLE.items():
            patch.setattr(search, name, value)
        yield


@given(
    st.lists(st.sampled_from(ALPHABET), max_size=200).map(b"".join),
    st.sampled_from(["ab", "a", "^a", "b$", r"\bb", "é"]),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_long_lines_are_searched_in_pieces(data: bytes, pattern: str, cuts: list[int]) -> None:
    """However it comes, and wherever one goes on: each match is in one hit, and the first one where the hit says."""
    matcher = matcher_of(pattern, regex=True)
    with little():
        found = run(Searcher(matcher, Spot(1, 0), 0), chunks_of(data, cuts))
        again = run(Searcher(matcher, Spot(1, 0), 0), chunks_of(data, []))
        for each in found:
            place = read_from(each.line, each.end)
            rest = run(Searcher(matcher, each.line, each.end), chunks_of(data, cuts, place))
            assert [one.hit.match for one in rest] == [one.hit.match for one in found if one.hit.match >= each.end]
    plain = [(hit.number, hit.match, hit.text, hit.columns, hit.skipped, hit.continued) for hit, *_ in found]
    assert plain == [(hit.number, hit.match, hit.text, hit.columns, hit.skipped, hit.continued) for hit, *_ in again]
    wanted = [(number, offset + match.begin) for number, offset, matches in naive(data, matcher) for match in matches]
    assert sum(len(hit.columns) for hit, *_ in found) == len(wanted)
    assert {(hit.number, hit.match) for hit, *_ in found} <= set(wanted)
    for hit, *_ in found:
        shown = data[hit.offset + hit.skipped :].split(b"\n")[0]
        assert shown.decode(errors="replace").startswith(hit.text) or not shown.isascii()
        assert hit.continued == (len(hit.text.encode("utf-8", "surrogatepass")) < len(shown)) or not shown.isascii()


def test_a_huge_line_is_not_held() -> None:
    """100 MB without an LF: every match is found, and no more than a piece is kept."""
    block = b"." * ((1 << 20) - 6) + b"needle"
    searcher = Searcher(PlainMatcher(b"needle"), Spot(1, 0), 0)
    found: list[Found] = []
    for number in range(100):
        found += searcher.add(Chunk(number << 20, block, Stream.STDOUT, None))
        assert len(searcher._held) < 128 << 10
    found += searcher.release()
    assert [hit.match for hit, *_ in found] == [(number << 20) + len(block) - 6 for number in range(100)]
    assert all(len(hit.text) <= search.TEXT_BYTES and hit.text[slice(*hit.columns[0])] == "needle" for hit, *_ in found)
    assert {hit.number for hit, *_ in found} == {1}


@pytest.mark.parametrize("shift", [*range(-8, 9)])
def test_a_match_across_the_border_of_pieces(shift: int) -> None:
    """It is found once, wherever it lies."""
    at = search.PIECE_BYTES + shift
    data = b"." * at + b"needle" + b"." * search.PIECE_BYTES + b"\nneedle\n"
    for cuts in ([], [at + 3], [search.PIECE_BYTES]):
        found = run(Searcher(PlainMatcher(b"needle"), Spot(1, 0), 0), chunks_of(data, cuts))
        assert [(hit.number, hit.match) for hit, *_ in found] == [(1, at), (2, len(data) - 7)]


def test_a_hit_tells_of_so_many_matches() -> None:
    """A line full of them is one hit of bounded size, and not a loop."""
    (found,) = run(Searcher(PlainMatcher(b"a"), Spot(7, 0), 0), chunks_of(b"a" * 4000 + b"\n", []))
    assert len(found.hit.columns) == search.MATCHES
    assert found.hit.number == 7


def test_what_is_missing_is_passed_over() -> None:
    """A line before a gap ends there; the search goes on behind it."""
    searcher = Searcher(PlainMatcher(b"ab"), Spot(1, 0), 0)
    assert list(searcher.add(Chunk(0, b"xa", Stream.STDOUT, None))) == []
    assert list(searcher.release()) == []
    searcher.skip(10)
    assert [hit.match for hit, *_ in searcher.add(Chunk(10, b"bab\n", Stream.STDOUT, None))] == [11]


def test_folded() -> None:
    """A to Z are a to z; other bytes are themselves."""
    matcher = FoldedMatcher("Grüße".encode())
    assert matcher.find("xGRüßE".encode(), 0, 8) == (1, 8)
    assert matcher.find("xGRÜßE".encode(), 0, 8) is None
    for data in (b"aB", b"xAb", b"abab"):
        match = re.search(b"ab", data.lower())
        assert match is not None
        assert FoldedMatcher(b"AB").find(data, 0, len(data)) == match.span()
