"""Does the command hold its output back? A guess, from the sizes in which it arrives.

A C library's buffer for a pipe is 4096 bytes, Python's 8192: a program that prints little by little through one
delivers whole lumps, long apart, and what is left at its end. A program that prints fast delivers such lumps as well,
but without silence between them.
"""

LUMP_BYTES = 4096
SILENCE_US = 100_000
ENOUGH = 2
HINT = (
    "the output arrives only in lumps of 4096 bytes: the command buffers it; "
    "try unbuffer, a pty, or the command's own option"
)


class Lumps:
    """Watches arrivals."""

    def __init__(self) -> None:
        self._lumps = 0
        self._broken = False
        self._was_partial = False
        self._last_us = 0

    def note(self, count: int, at_us: int) -> None:
        """Take note of `count` bytes that came together at `at_us`."""
        silent = at_us - self._last_us >= SILENCE_US
        self._last_us = at_us
        self._broken = self._broken or self._was_partial
        self._was_partial = count % LUMP_BYTES > 0
        if silent and not self._was_partial:
            self._lumps += 1

    @property
    def hint(self) -> str | None:
        """What to tell people, once there is reason to."""
        return HINT if self._lumps >= ENOUGH and not self._broken else None
