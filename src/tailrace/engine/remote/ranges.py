"""The exact bytes of an output where its text does not give them: fetched as ranges, ahead where that is worth it."""

from collections.abc import Callable

AHEAD_BYTES = 1 << 20
"""fetched at once, at most; this much is held"""


class Ranges:
    """Gives bytes, in their order. Where piece after piece is no text, it fetches twice as much each time.

    Args:
        fetch: returns the bytes of [begin, end).
    """

    def __init__(self, fetch: Callable[[int, int], bytes]) -> None:
        self._fetch = fetch
        self._begin = 0
        self._data = b""

    def get(self, begin: int, end: int, size: int) -> bytes:
        """Return the bytes of [`begin`, `end`).

        Args:
            begin: where, not before any earlier one.
            end: behind the last one.
            size: how much output there is for sure.
        """
        fetched = self._begin + len(self._data)
        if end > fetched or begin < self._begin:
            ahead = 2 * len(self._data) if self._begin <= begin <= fetched else 0
            self._data = self._fetch(begin, max(end, min(begin + min(ahead, AHEAD_BYTES), size)))
            self._begin = begin
        return self._data[begin - self._begin : end - self._begin]
