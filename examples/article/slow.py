"""The Python program that `python_child.py` runs; nothing in it knows that it is watched."""

import time

for i in range(100):
    print(i)
    time.sleep(1)
