"""What is looked for in an output: plain text, or a regular expression that takes time linear in what it searches.

Expressions are RE2's (google-re2, which the extra `server` brings): without back-references and look-around, so that no
pattern can make a server busy for longer than its text is long. Plain text needs nothing; to find it whatever its case
also needs RE2 where it is to mean other letters than A to Z.
"""

import re
from functools import lru_cache
from typing import Protocol, cast

from tailrace.core.errors import InvalidInput
from tailrace.core.search import Matcher, Span

PATTERN_CHARS = 1000
PATTERN_BYTES = 8 << 20
"""that RE2 may use for one"""
_MULTILINE = "(?m)"
_WANTS_LINES = re.compile(r"\\[AzC]|\(\?[A-Za-z]*-[A-Za-z]*m")
"""means something else in one line than in many: the ends of the text, any byte, a `^` of the whole text"""


class PlainMatcher:
    """Finds bytes as they are."""

    wants_lines = False

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted

    def find(self, data: bytes, begin: int, end: int) -> Span | None:
        """See `Matcher.find`."""
        at = data.find(self._wanted, begin, end)
        return None if at < 0 else Span(at, at + len(self._wanted))


class FoldedMatcher:
    """Finds bytes, A to Z being the same as a to z."""

    wants_lines = False

    def __init__(self, wanted: bytes) -> None:
        self._wanted = wanted.lower()
        self._folded: tuple[bytes, bytes] = b"", b""
        """the data of the last call, and its lower case: one block is asked about again and again"""

    def find(self, data: bytes, begin: int, end: int) -> Span | None:
        """See `Matcher.find`."""
        if self._folded[0] is not data:
            self._folded = data, data.lower()
        at = self._folded[1].find(self._wanted, begin, end)
        return None if at < 0 else Span(at, at + len(self._wanted))


class _Match(Protocol):
    def span(self) -> tuple[int, int]: ...


class _Pattern(Protocol):
    def search(self, data: bytes, begin: int, end: int) -> _Match | None: ...


class RegexMatcher:
    """Finds what an expression of RE2 matches, never across lines."""

    def __init__(self, pattern: _Pattern, *, wants_lines: bool) -> None:
        self.wants_lines = wants_lines
        self._pattern = pattern

    def find(self, data: bytes, begin: int, end: int) -> Span | None:
        """See `Matcher.find`."""
        match = self._pattern.search(data, begin, end)
        return None if match is None else Span(*match.span())


def matcher_of(wanted: str, *, regex: bool = False, ignore_case: bool = False) -> Matcher:
    """Return what finds this.

    Args:
        wanted: text, or an expression: up to 1,000 characters, at least one.
        regex: it is an expression.
        ignore_case: upper and lower case are the same.

    Raises:
        InvalidInput: there is nothing to find, it is too long, has a line end in it, or is no expression; or it needs
            RE2, which is not installed here.
    """
    if not wanted or len(wanted) > PATTERN_CHARS:
        raise _bad(f"has {len(wanted)} characters", f"search for 1 to {PATTERN_CHARS} characters")
    if "\n" in wanted:
        raise _bad("has a line end in it", "a match lies within one line; search for a part of it")
    try:
        plain = wanted.encode()
    except UnicodeEncodeError:
        raise _bad("has half a character in it", "send it as UTF-8, percent-encoded") from None
    if regex:
        return _regex(wanted, ignore_case=ignore_case)
    if not ignore_case:
        return PlainMatcher(plain)
    if has_re2():
        return _regex(_quoted(wanted), ignore_case=True)
    if not wanted.isascii():
        raise _not_here("finding letters other than A to Z whatever their case")
    return FoldedMatcher(plain)


@lru_cache
def has_re2() -> bool:
    """Return whether RE2 is installed."""
    try:
        import re2  # noqa: F401
    except ImportError:
        return False
    return True


def _regex(wanted: str, *, ignore_case: bool) -> RegexMatcher:
    if not has_re2():
        raise _not_here("searching by a regular expression")
    import re2

    options = re2.Options()
    options.never_nl = options.never_capture = True
    options.log_errors = False
    options.case_sensitive = not ignore_case
    options.max_mem = PATTERN_BYTES
    try:
        pattern = re2.compile(_MULTILINE + wanted, options)
    except re2.error as error:
        raise _bad(f"is no expression: {_why(error)}", "see https://github.com/google/re2/wiki/Syntax") from None
    finally:
        re2.purge()  # its cache would keep 128 of them, at 8 MiB each
    return RegexMatcher(cast("_Pattern", pattern), wants_lines=_WANTS_LINES.search(wanted) is not None)


def _quoted(wanted: str) -> str:
    return "".join(char if char.isalnum() or not char.isascii() else f"\\x{ord(char):02x}" for char in wanted)


def _why(error: Exception) -> str:
    """Return RE2's own words, without what we put in front of the pattern."""
    (words,) = error.args
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return text.replace(_MULTILINE, "", 1)


def _bad(what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"'q' in the query {what}", op="search", subject="q", hint=hint)


def _not_here(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is not possible on this server",
        op="search",
        subject="q",
        hint="search for plain text, or have google-re2 installed here: pip install google-re2",
    )
