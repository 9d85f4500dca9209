"""The line index: how many lines lie before every 256 KiB of the output.

Beside the output lies a file of fixed-size records. Record n, counted from 1, tells of the first n strides:

    lines    8 bytes  LFs in the first n * 256 KiB of the output
    offset   8 bytes  n * 256 KiB
    (zero)   4 bytes
    check    4 bytes  CRC-32 of the run's id and the 20 bytes before

all little-endian. An output only grows, so the record at a place can be one value only, whoever writes it and when: any
number of processes may write the file at once, in any order, without a lock. A record that is torn, missing, at another
place than its own, or another run's, is recognised by its check and its offset, and what it would have told is counted
again. So the file may be damaged, cut or deleted at any time; that costs time and nothing else.

Between two records lies one stride, which is read and counted: "line 1,000,000" is a binary search and 256 KiB.
"""

import struct
import zlib

STRIDE_BYTES = 256 << 10
RECORD_BYTES = 24
_BODY = struct.Struct("<QQ4x")
_CHECK = struct.Struct("<I")


class Codec:
    """Writes and reads the records of one run."""

    def __init__(self, run_id: str) -> None:
        self._seed = zlib.crc32(run_id.encode())

    def encode(self, place: int, lines: int) -> bytes:
        """Return the 24 bytes that tell that `lines` LFs lie in the first `place` strides."""
        body = _BODY.pack(lines, place * STRIDE_BYTES)
        return body + _CHECK.pack(zlib.crc32(body, self._seed))

    def decode(self, place: int, data: bytes | memoryview) -> int | None:
        """Return how many LFs the record of this place tells of; None if it is not a good one of this run and place."""
        if len(data) != RECORD_BYTES or zlib.crc32(data[:20], self._seed) != _CHECK.unpack_from(data, 20)[0]:
            return None
        lines, offset = _BODY.unpack_from(data)
        return int(lines) if offset == place * STRIDE_BYTES and lines <= offset else None
