"""Greet somebody, so many times."""

import sys
import time

name, times = sys.argv[1], int(sys.argv[2])
for number in range(1, times + 1):
    print(f"{number}: hello, {name}")
    time.sleep(0.3)
