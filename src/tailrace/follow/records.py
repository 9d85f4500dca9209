"""The records of a timeline, found by halving: by what is told of their offset or their time.

Damaged and torn ones are passed over. A timeline may be missing: then there is none.
"""

import os
from collections.abc import Callable

from tailrace.core import timeline
from tailrace.core.timeline import RECORD_BYTES, Record

SPARE_RECORDS = 65536


class Records:
    """All records that there are so far.

    Args:
        fd: of the timeline, which somebody else closes; -1: there is none.
        size: tells how many bytes of output there are.
    """

    def __init__(self, fd: int, size: Callable[[], int]) -> None:
        self._fd = fd
        self._size = size

    def count(self) -> int:
        """Return how many there are, as far as that is credible: no keeper writes many without a byte between them."""
        if self._fd < 0:
            return 0
        return min(os.fstat(self._fd).st_size // RECORD_BYTES, 2 * self._size() + SPARE_RECORDS)

    def at(self, number: int) -> Record | None:
        """Return the record of this number, from 0 on; None: it is damaged, or not there."""
        return None if self._fd < 0 else timeline.decode_one(os.pread(self._fd, RECORD_BYTES, number * RECORD_BYTES))

    def find(self, is_behind: Callable[[Record], bool], low: int = 0) -> int:
        """Return the number of the last good record that is not behind what is wanted; 0 if there is none.

        Args:
            is_behind: tells of a record whether it comes later than what is wanted.
            low: a number before which there is nothing to be found.
        """
        high = self.count()
        while low < high:
            middle = (low + high) // 2
            at, record = self.good_from(middle, high)
            if record is None or is_behind(record):
                high = middle
            else:
                low = at + 1
        return self._last_good_before(low)

    def good_from(self, number: int, high: int) -> tuple[int, Record | None]:
        """Return the first good record from this number on, and its number; below `high`, else None."""
        while number < high:
            if (record := self.at(number)) is not None:
                return number, record
            number += 1
        return high, None

    def _last_good_before(self, number: int) -> int:
        while number > 0:
            number -= 1
            if self.at(number) is not None:
                return number
        return 0
