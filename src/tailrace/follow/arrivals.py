"""When output came: the timeline, asked by time."""

from itertools import pairwise

from tailrace.core.activity import Activity
from tailrace.follow.records import Records


class Arrivals:
    """What the records say of the first `size` bytes of an output.

    Args:
        records: the timeline's.
        size: how many bytes there are.
    """

    def __init__(self, records: Records, size: int) -> None:
        self._records = records
        self._size = size
        first = records.good_from(0, records.count())[1]
        self.unplaced = size if first is None else min(first.offset, size)
        """bytes before the first record: nobody knows when they came"""

    def last_s(self) -> float | None:
        """Return when the last bytes came, in seconds since the start; None: that is not known."""
        record = self._records.at(self._records.find(lambda record: record.offset >= self._size))
        return None if record is None or record.offset >= self._size else record.time_us / 1e6

    def activity(self, buckets: int, begin_s: float, until_s: float, *, is_end: bool) -> Activity:
        """Return the bytes by time.

        Args:
            buckets: how many stretches there are to be.
            begin_s: where the first one begins, in seconds since the start.
            until_s: where the last one ends.
            is_end: whether nothing has come later, so that what came at the last instant counts too.
        """
        width_s, number, edges = (until_s - begin_s) / buckets, 0, [self.unplaced] * (buckets + 1)
        for index in range(buckets + 1 if self.unplaced < self._size else 0):
            number, edges[index] = self._before(round((begin_s + index * width_s) * 1e6), number)
        if is_end:
            edges[-1] = self._size
        counts = tuple(high - low for low, high in pairwise(edges))
        return Activity(begin_s=begin_s, until_s=until_s, bytes=counts, unplaced=self.unplaced)

    def _before(self, time_us: int, low: int) -> tuple[int, int]:
        """Return the number of the last record before the instant, and how many bytes had come by then.

        Args:
            time_us: since the start.
            low: a number before which the record is not.
        """
        number = self._records.find(lambda record: record.time_us >= time_us, low)
        record = self._records.at(number)
        if record is None or record.time_us >= time_us:
            return number, self.unplaced
        following = self._records.good_from(number + 1, self._records.count())[1]
        return number, self._size if following is None else max(self.unplaced, min(following.offset, self._size))
