"""Where the last n lines begin: read backwards, in blocks, whatever the length of the lines."""

import os

from tailrace.core.piece import Reach

BLOCK_BYTES = 64 << 10


def start_of_last_lines(output: int, size: int, lines: int) -> int:
    """Return the offset at which the last `lines` lines of the first `size` bytes begin.

    A line ends at LF, and only there; bytes after the last LF are a line.
    """
    return lines_before(output, size, lines, size).offset if lines > 0 else size


def lines_before(output: int, offset: int, lines: int, limit_bytes: int) -> Reach:
    """Return where the last lines before an offset begin; the last of them has the byte before it.

    Args:
        output: a descriptor; -1: there are no bytes.
        offset: at most one behind the end.
        lines: so many are wanted, at least 1.
        limit_bytes: read at most so many bytes; lines whose beginning is not found in them are left out.
    """
    end = max(0, offset - 1)
    lowest = max(0, end - limit_bytes)
    found, reached = 0, offset
    while end > lowest:
        begin = max(lowest, end - BLOCK_BYTES)
        block = os.pread(output, end - begin, begin) if output >= 0 else b""
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            found, reached = found + 1, begin + at + 1
            if found == lines:
                return Reach(found, reached)
        end = begin
    return Reach(found + 1, 0) if lowest == 0 else Reach(found, reached)
