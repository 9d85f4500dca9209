"""The wires by name, and the choice among them that a client makes with `Accept` or `?format=`."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from tailrace.core.errors import InvalidInput, UnknownWire
from tailrace.core.wires.base import Framer
from tailrace.core.wires.cast import CastFramer
from tailrace.core.wires.lines import LinesFramer
from tailrace.core.wires.ndjson import NdjsonFramer
from tailrace.core.wires.plain import PLAIN
from tailrace.core.wires.sse import SseFramer
from tailrace.core.wires.text import TextFramer

WIRES: Mapping[str, type[Framer]] = MappingProxyType(
    {wire.name: wire for wire in (TextFramer, LinesFramer, SseFramer, NdjsonFramer, CastFramer)}
)
"""framers by their wire's name"""

_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)")


class _Range(NamedTuple):
    """One element of an `Accept` header: `text/*;q=0.5`."""

    type: str
    subtype: str
    quality: float

    @property
    def precision(self) -> int:
        return (self.type != "*") + (self.subtype != "*")

    def takes(self, content_type: str) -> bool:
        kind, _, subtype = content_type.partition(";")[0].partition("/")
        return self.type in ("*", kind) and self.subtype in ("*", subtype)


def framer(name: str, run_id: str, offset: int, *, is_plain: bool = False) -> Framer:
    """Return a new framer of the wire.

    Args:
        name: of the wire.
        run_id: the run whose output it is.
        offset: where it begins.
        is_plain: without escape sequences.

    Raises:
        UnknownWire: there is none of this name.
        InvalidInput: the wire has no plain form.
    """
    return kind(name, is_plain=is_plain)(run_id, offset)


def kind(name: str, *, is_plain: bool) -> type[Framer]:
    """Return the wire's kind of framer.

    Raises:
        UnknownWire: there is none of this name.
        InvalidInput: it is to leave out escape sequences, and is made for terminals.
    """
    wire = WIRES[_known(name)]
    if not is_plain:
        return wire
    if name not in PLAIN:
        raise InvalidInput(
            f"the wire {name} keeps escape sequences, as it is for terminals",
            op="follow",
            subject="ansi",
            hint=f"leave ansi out, or take one of: {', '.join(PLAIN)}",
        )
    return PLAIN[name]


def choose(accept: str | None, format: str | None, *, event_stream: str = "lines") -> str:  # noqa: A002  as in the query
    """Return the name of the wire that a client wants.

    Args:
        accept: the `Accept` header (RFC 9110, 12.5.1); None or empty takes anything. Elements that cannot be read are
            left out.
        format: the value of `?format=`; it decides alone if it is given.
        event_stream: the wire for who takes `text/event-stream`: `lines` or `sse`.

    Returns:
        The name with the highest quality; among equals the one asked for more precisely, then the one named first. Who
        takes anything gets text.

    Raises:
        UnknownWire: no wire has this name, or none is of a type that the client takes.
    """
    if format is not None:
        return _known(format)
    names = (TextFramer.name, _known(event_stream), NdjsonFramer.name, CastFramer.name)
    best = prefer(accept, {name: WIRES[name].content_type for name in names})
    if best is None:
        raise UnknownWire("no wire is of a type that you take", op="follow", subject="Accept", hint=_hint())
    return best


def prefer(accept: str | None, offered: Mapping[str, str]) -> str | None:
    """Return the name of the offered content type that a client likes best, as `choose` does; None: it takes none.

    Args:
        accept: the `Accept` header; None or empty takes anything.
        offered: content types by name; the first is for who takes anything.
    """
    if accept is None or not accept.strip():
        return next(iter(offered))
    ranges = [_range(element) for element in accept.split(",")]
    readable = [found for found in ranges if found is not None]
    ranked = [(_rank(content_type, readable), name) for name, content_type in offered.items()]
    best, name = max(ranked, key=lambda row: row[0])
    return name if best[0] > 0 else None


def is_named(accept: str | None) -> bool:
    """Tell whether a client that also takes JSON asks for a wire: by its very type, and before JSON.

    Args:
        accept: the `Accept` header; `*/*` and the like name nothing.
    """
    ranges = [_range(element) for element in (accept or "").split(",")]
    named = {f"{found.type}/{found.subtype}": found.quality for found in ranges if found is not None}
    types = {wire.content_type.partition(";")[0] for wire in WIRES.values()}
    return max((named.get(kind, 0.0) for kind in types), default=0.0) > named.get("application/json", 0.0)


def _rank(content_type: str, ranges: list[_Range]) -> tuple[float, int, int]:
    """Return (quality, precision, how early it is named) of the most precise range that takes the type."""
    taking = [
        (found.precision, -place, found.quality) for place, found in enumerate(ranges) if found.takes(content_type)
    ]
    precision, place, quality = max(taking, default=(0, 0, 0.0))
    return quality, precision, place


def _range(element: str) -> _Range | None:
    media, *parameters = (part.strip().lower() for part in element.split(";"))
    kind, slash, subtype = media.partition("/")
    if not slash or not kind or not subtype:
        return None
    quality = next((value[2:] for value in parameters if value.startswith("q=")), "1")
    return _Range(kind, subtype, float(quality)) if _QUALITY.fullmatch(quality) else None


def _known(name: str) -> str:
    if name not in WIRES:
        raise UnknownWire(f"there is no wire {name[:40]!r}", op="follow", subject="format", hint=_hint())
    return name


def _hint() -> str:
    return "choose one: " + ", ".join(f"{wire.name} ({wire.content_type.partition(';')[0]})" for wire in WIRES.values())
