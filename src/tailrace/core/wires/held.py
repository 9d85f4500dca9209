"""Bytes that wait for their line or character to be completed, and the offset of each.

The bytes need not be neighbours in the output: where one stream is shown alone, a line goes on behind what the other
stream wrote in between. So each stretch remembers where it came from.
"""

CR = 0x0D
LF = 0x0A


class Held:
    """A buffer that knows its offsets.

    Its owner takes out whatever it can after each `append`, so it never holds more than 64 KiB and one chunk. Nobody
    waits for room in it.
    """

    def __init__(self) -> None:
        self.data = bytearray()
        self._stretches: list[tuple[int, int]] = []
        """(position in `data`, offset in the output) where each stretch begins"""

    def __len__(self) -> int:
        """Return how many bytes wait."""
        return len(self.data)

    def append(self, offset: int, data: bytes) -> None:
        """Put `data`, which begins at `offset`, behind the rest."""
        if not data:
            return
        if not self.data or self.end_of(len(self.data)) != offset:
            self._stretches.append((len(self.data), offset))
        self.data += data

    def begin(self) -> int:
        """Return the offset of the first byte; there must be one."""
        return self._stretches[0][1]

    def end_of(self, size: int) -> int:
        """Return the offset after the first `size` bytes; `size` is 1 or more."""
        position, offset = next(stretch for stretch in reversed(self._stretches) if stretch[0] < size)
        return offset + size - position

    def take(self, size: int) -> bytes:
        """Return the first `size` bytes and forget them."""
        taken = bytes(self.data[:size])
        del self.data[:size]
        behind = [(position - size, offset) for position, offset in self._stretches if position > size]
        if self.data and (not behind or behind[0][0] > 0):
            behind.insert(0, (0, self._offset_of(size)))
        self._stretches = behind
        return taken

    def _offset_of(self, index: int) -> int:
        position, offset = next(stretch for stretch in reversed(self._stretches) if stretch[0] <= index)
        return offset + index - position


def whole_characters(data: bytes | bytearray, size: int) -> int:
    """Return the largest size up to `size` that does not end within a character of UTF-8.

    A lead byte with too few of its continuation bytes behind it, at most 3 bytes together, is left out; bytes that can
    never become a character are not waited for. Decoding what comes before and after the returned size, each with
    U+FFFD for what is wrong, gives the same text as decoding both together.
    """
    for back in range(1, min(3, size) + 1):
        byte = data[size - back]
        if byte & 0xC0 != 0x80:
            return size - back if _is_begun(data[size - back : size]) else size
    return size


def whole_ends(data: bytes | bytearray, size: int) -> int:
    """Return the largest size up to `size` that neither splits a character nor a CR from its LF.

    There must be a byte behind `size`.
    """
    split = data[size - 1] == CR and data[size] == LF
    return whole_characters(data, size - split)


def _is_begun(tail: bytes | bytearray) -> bool:
    """Tell whether `tail` is a proper beginning of a character (Unicode 15, table 3-7)."""
    lead = tail[0]
    if not 0xC2 <= lead <= 0xF4:
        return False
    wanted = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if len(tail) >= wanted:
        return False
    low, high = _SECOND.get(lead, (0x80, 0xBF))
    return len(tail) == 1 or low <= tail[1] <= high


_SECOND = {0xE0: (0xA0, 0xBF), 0xED: (0x80, 0x9F), 0xF0: (0x90, 0xBF), 0xF4: (0x80, 0x8F)}
"""lead bytes whose second byte has a narrower range than the others'"""
