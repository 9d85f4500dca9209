"""Where the last n lines begin: read backwards, in blocks, whatever the length of the lines."""

import os

from tailrace.core.errors import InvalidInput
from tailrace.host.rundir import RunDir

BLOCK_BYTES = 64 << 10


def last_lines(run: RunDir, size: int, lines: int) -> int:
    """Return the offset at which the last `lines` lines of the run's first `size` bytes begin; 0 without an output.

    Raises:
        InvalidInput: the number is below 0.
    """
    if lines < 0:
        raise InvalidInput("tail is below 0", op="follow", subject="tail", hint="it is a number of lines, 0 or more")
    try:
        output = run.open("output")
    except OSError:
        return 0  # the cursor will say what is wrong with it
    try:
        return start_of_last_lines(output, size, lines)
    finally:
        os.close(output)


def start_of_last_lines(output: int, size: int, lines: int) -> int:
    """Return the offset at which the last `lines` lines of the first `size` bytes begin.

    A line ends at LF, and only there; bytes after the last LF are a line.
    """
    if lines <= 0:
        return size
    end, wanted = size, lines
    if size and os.pread(output, 1, size - 1) == b"\n":
        end -= 1
    while end > 0:
        begin = max(0, end - BLOCK_BYTES)
        block = os.pread(output, end - begin, begin)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
            if wanted == 0:
                return begin + at + 1
        end = begin
    return 0
