"""Patterns that a text must match whole: by RE2 where it is installed, in a time that is linear in the text.

Python's own `re` tries one way after another: for `(a+)+b`, each more `a` doubles the time, in which nothing else goes
on in the process. So where RE2 is there, what it does not take is refused. Without it, a pattern is its author's risk.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, cast

KEPT: Final = 256
"""patterns that are compiled at a time; there are as many as are declared"""


class Pattern(Protocol):
    """What both kinds can do."""

    def fullmatch(self, text: str, /) -> object | None:
        """Return a match, if the whole text is one."""


class Compiled(NamedTuple):
    """A pattern."""

    matcher: Pattern
    fault: str
    """why it cannot be matched in linear time; empty: it can, or nobody knows"""


@lru_cache(KEPT)
def compiled(pattern: str) -> Compiled:
    r"""Return the pattern, ready to be matched; `\d` and `\w` are ASCII.

    Raises:
        re.error, OverflowError, RecursionError: it is no regular expression.
    """
    slow = re.compile(pattern, re.ASCII)
    try:
        import re2  # not everybody has it
    except ImportError:
        return Compiled(slow, "")
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    try:
        return Compiled(cast("Pattern", re2.compile(pattern, options)), "")
    except re2.error as error:
        (words,) = error.args
        return Compiled(slow, words.decode(errors="replace") if isinstance(words, bytes) else str(words))
    finally:
        re2.purge()  # what it keeps is kept here already
