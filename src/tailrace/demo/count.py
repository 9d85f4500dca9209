"""Count up to a number, with a pause after each."""

import sys
import time

for number in range(1, int(sys.argv[1]) + 1):
    print(number)
    time.sleep(0.5)
