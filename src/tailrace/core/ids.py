"""Run ids: made by us only, sortable by time, unguessable.

An id is 27 characters of Crockford's base 32 in lower case: 11 for the microseconds since 1970, 16 (80 bits) random.
Sorting ids as text therefore sorts runs by creation, and nobody can guess one.
"""

import re

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
TIME_CHARS = 11
RANDOM_CHARS = 16
LENGTH = TIME_CHARS + RANDOM_CHARS
RANDOM_BYTES = RANDOM_CHARS * 5 // 8

_SHAPE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")


def make(unix_us: int, random: bytes) -> str:
    """Build the id of a run that is created at `unix_us`, from 10 random bytes."""
    if len(random) != RANDOM_BYTES:
        raise ValueError(f"an id takes {RANDOM_BYTES} random bytes, got {len(random)}")
    return _digits(unix_us, TIME_CHARS) + _digits(int.from_bytes(random, "big"), RANDOM_CHARS)


def first(unix_us: int) -> str:
    """Return the least id that a run created at `unix_us` could have, within what ids can tell."""
    return _digits(min(max(0, unix_us), 32**TIME_CHARS - 1), TIME_CHARS) + ALPHABET[0] * RANDOM_CHARS


def is_id(text: str) -> bool:
    """Tell whether `text` has the shape of a run id; nothing else may become part of a path."""
    return _SHAPE.fullmatch(text) is not None


def created_us(run_id: str) -> int:
    """Return the microseconds since 1970 that stand in the id."""
    number = 0
    for char in run_id[:TIME_CHARS]:
        number = number * 32 + ALPHABET.index(char)
    return number


def _digits(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 32)
        digits.append(ALPHABET[rest])
    return "".join(reversed(digits))
