"""Progress that a command tells its terminal: OSC 9;4, as ConEmu, Windows Terminal and systemd know it.

`ESC ] 9 ; 4 ; state ; percent`, ended by BEL or `ESC \\`. What such a sequence tells holds until the next one.
"""

import re
from typing import Literal

import msgspec

LOOK_BYTES = 4096
"""of an output's end, that are looked at for it"""
MOST_PERCENT = 100
_SEQUENCE = re.compile(rb"\x1b\]9;4;([0-4])(?:;([0-9]{0,3}))?(?:;[^\x07\x1b]*)?(?:\x07|\x1b\\)")
_UNKNOWN = b"3"


class Progress(msgspec.Struct, frozen=True):
    """How far a command says it is."""

    kind: Literal["going", "failed", "unknown", "paused", "over"]
    """`unknown`: it goes, and nobody knows how far; `over`: nothing is to be shown any more"""
    percent: int | None = None
    """None: it is `unknown`, or `over`"""


_KINDS: dict[bytes, Literal["going", "failed", "paused"]] = {b"1": "going", b"2": "failed", b"4": "paused"}


def progress_in(data: bytes) -> Progress | None:
    """Return the last progress that stands in these bytes; None: there is none."""
    found = _SEQUENCE.findall(data)
    if not found:
        return None
    state, percent = found[-1]
    if state in _KINDS:
        return Progress(_KINDS[state], min(MOST_PERCENT, int(percent or b"0")))
    return Progress("unknown" if state == _UNKNOWN else "over")
