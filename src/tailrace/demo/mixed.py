"""Print to both streams, two lines to stdout for one to stderr."""

import sys
import time

for number in range(1, 21):
    stream = sys.stderr if number % 3 == 0 else sys.stdout
    print(f"line {number} goes to std{'err' if stream is sys.stderr else 'out'}", file=stream)
    time.sleep(0.2)
