"""What somebody may have meant who wrote a name that does not exist."""

import difflib
from collections.abc import Iterable
from typing import Final

LONGEST = 64
"""characters of a name that are compared, since names come from strangers"""
ELSEWHERE: Final = {
    "bool": "boolean", "checkbox": "boolean", "cmd": "argv", "command": "argv", "directory": "cwd", "dir": "cwd",
    "enum": "choice", "environment": "env", "exec": "argv", "float": "number", "int": "integer", "max": "maximum",
    "max_bytes": "maximum_size", "max_length": "maximum_length", "max_size": "maximum_size", "min": "minimum",
    "min_length": "minimum_length", "multiselect": "choices", "name": "title", "optional": "required",
    "options": "choices", "password": "secret", "regex": "pattern", "run": "argv", "select": "choice", "str": "text",
    "string": "text", "tags": "labels", "tty": "pty", "upload": "file", "workdir": "cwd",
}  # fmt: skip
"""what other programs call what is called otherwise here"""


def near(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Return a hint: the known name that is meant, or else all of them.

    Args:
        name: what was written.
        known: the names that there are.
        otherwise: what to say if there are none.
    """
    names = list(known)
    if (meant := ELSEWHERE.get(name)) in names:
        return f"did you mean {meant!r}?"
    if close := difflib.get_close_matches(name[:LONGEST], names, 1):
        return f"did you mean {close[0]!r}?"
    return f"one of: {', '.join(names)}" if names else otherwise
