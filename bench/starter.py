"""Starts runs of `true`, as a process of its own: `starter.py STATE COUNT`; begins when it is told to by a line."""

import sys

import tailrace


def main(state: str, count: int) -> None:
    """Start so many runs, one after another."""
    engine = tailrace.connect(f"disk:{state}")
    engine.start(["true"]).wait()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(count):
        engine.start(["true"])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
