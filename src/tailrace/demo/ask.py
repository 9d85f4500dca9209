"""Ask for a name, and answer whatever is typed, until a line is empty or the input ends."""

import sys

print("What is your name? ", end="", flush=True)
name = sys.stdin.readline().strip()
print(f"Hello, {name or 'stranger'}! Say something; an empty line ends it.")
for line in sys.stdin:
    if not line.strip():
        break
    print(f"{name or 'You'}, you said: {line.strip()}")
print("Bye.")
