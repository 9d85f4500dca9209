"""The JSON objects that several wires share: `output` and `gap`. A `state` and an `end` are the run itself."""

import msgspec

from tailrace.core.piece import Gap


class Output(msgspec.Struct, frozen=True, omit_defaults=True):
    """Some text of one stream.

    `offset` is where its bytes begin; `time` is in seconds since the command's start, null where not known. `continued`
    is there, and true, only where the piece ends because its line is longer than 64 KiB: the line goes on in the next.
    `rows` and `columns` are there only where a terminal's size is another than that of the pieces before, and in the
    first piece.
    """

    offset: int
    time: float | None
    stream: str
    text: str
    continued: bool = False
    rows: int | None = None
    columns: int | None = None


class _Gap(msgspec.Struct, frozen=True, rename={"begin": "from", "end": "to"}):
    begin: int
    end: int
    why: str


class _Lagging(msgspec.Struct, frozen=True):
    offset: int
    behind: int


def tagged(name: bytes, fields: bytes) -> bytes:
    """Return an object with its type in front of its fields; it must have some."""
    return b'{"type":"%b",%b' % (name, fields[1:])


def lagging_object(offset: int, behind_bytes: int) -> bytes:
    """Return `{"offset", "behind"}`: so many bytes are waiting behind this offset."""
    return msgspec.json.encode(_Lagging(offset, behind_bytes))


def gap_object(gap: Gap) -> bytes:
    """Return `{"from", "to", "why"}`: the bytes of [from, to) are missing."""
    return msgspec.json.encode(_Gap(gap.begin, gap.end, gap.why))
