"""Print as fast as it goes, for ever."""

import itertools
import sys

for first in itertools.count(1, 1000):
    lines = (f"{number} the quick brown fox jumps over the lazy dog\n" for number in range(first, first + 1000))
    sys.stdout.write("".join(lines))
