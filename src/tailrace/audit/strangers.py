"""How many lines strangers get: whoever is nobody must not push the lines about everybody else out of the files.

Of what is refused to those whom nobody knows, the first few of a minute are recorded one by one; of the rest there is
one line for each address when the minute is over, with their number. There are bounds for all addresses together as
well, since some have many: then one line is about the rest of them.
"""

import ipaddress
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from tailrace.core.audit import Entry

WINDOW_S: Final = 60.0
FEW: Final = 10
"""lines for one address in that time"""
FEW_IN_ALL: Final = 100
"""and for all of them"""
MOST_ADDRESSES: Final = 50
"""that are counted one by one; the rest together"""
SITE_BITS: Final = 64
"""of an IPv6 address; all that begin so are most often one user's"""
LOGIN: Final = "login"
"""by somebody whose proof is not good, whatever name he gives"""
OTHERS: Final = "others"


def is_strangers(entry: Entry) -> bool:
    """Tell whether it is about something that was refused to somebody whom nobody knows."""
    return not entry.allowed and entry.address != "" and (entry.who is None or entry.action == LOGIN)


@dataclass
class _Row:
    """Of one address."""

    told: int = 0
    left_out: int = 0
    last: Entry | None = None


class Strangers:
    """What was refused to them in the current minute. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began_s = 0.0
        self._told = 0
        self._rows: dict[str, _Row] = {}

    @property
    def is_owing(self) -> bool:
        """Whether something is to be told when the minute is over."""
        return any(row.left_out for row in list(self._rows.values()))

    def take(self, entry: Entry, now_s: float) -> list[Entry]:
        """Return what is to be recorded now: the entry, unless it is one too many, and what is due.

        Args:
            entry: what has happened.
            now_s: on the monotonic clock.
        """
        with self._lock:
            due = self._due(now_s)
            if is_strangers(entry) and not self._is_told(entry):
                return due
            return [*due, entry]

    def due(self, now_s: float) -> list[Entry]:
        """Return what is to be recorded of a minute that is over.

        Args:
            now_s: on the monotonic clock; infinity: whether it is over or not.
        """
        with self._lock:
            return self._due(now_s)

    def _is_told(self, entry: Entry) -> bool:
        """Count it, and tell whether it has a line of its own."""
        place = _place(entry.address)
        if place not in self._rows and len(self._rows) >= MOST_ADDRESSES:
            place = OTHERS
        row = self._rows.setdefault(place, _Row())
        if row.told < FEW and self._told < FEW_IN_ALL:
            row.told, self._told = row.told + 1, self._told + 1
            return True
        row.left_out, row.last = row.left_out + 1, entry
        return False

    def _due(self, now_s: float) -> list[Entry]:
        if now_s - self._began_s < WINDOW_S:
            return []
        found = [_summary(place, row.left_out, row.last) for place, row in self._rows.items() if row.last is not None]
        self._rows, self._told = {}, 0
        self._began_s = now_s if now_s < float("inf") else 0.0
        return found


def _summary(place: str, count: int, last: Entry) -> Entry:
    """Return one line for many; the place is that of all of them, everything else that of the last."""
    why = f"{count} more that were refused to strangers within a minute, the last: {last.why}"
    return msgspec.structs.replace(last, time=datetime.now(UTC), who=None, address=place, why=why, count=count)


def _place(address: str) -> str:
    """Return where an address is: by itself, or, of IPv6, in a site, as whoever has one has all of them."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return address
    mapped = found.ipv4_mapped
    return str(ipaddress.ip_network((found, SITE_BITS), strict=False)) if mapped is None else str(mapped)
