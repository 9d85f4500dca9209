"""Where the last n lines begin: read backwards, in blocks, whatever the length of the lines."""

import os

BLOCK_BYTES = 64 << 10


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
