"""Show a bar that grows: one line, written again and again behind a carriage return."""

import time

for percent in range(101):
    bar = "#" * (percent * 40 // 100)
    print(f"\rdownloading [{bar:<40}] {percent:3} %", end="")
    time.sleep(0.05)
print("\ndone")
