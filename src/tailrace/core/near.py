"""What somebody may have meant who wrote a name that does not exist."""

import difflib
from collections.abc import Iterable

LONGEST = 64
"""characters of a name that are compared, since names come from strangers"""


def near(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return a hint: the known name that is meant, or else all of them.

    Args:
        name: what was written.
        known: the names that there are.
        otherwise: what to say if there are none.
    """
    names = list(known)
    if close := difflib.get_close_matches(name[:LONGEST], names, 1):
        return f"did you mean {close[0]!r}?"
    return f"one of: {', '.join(names)}" if names else otherwise
