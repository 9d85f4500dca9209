"""Listening to one stream of timed pieces, with a watch in hand."""

import re
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from typing import Final, Literal, NamedTuple, TypeAlias
from urllib.parse import urlencode

from tailrace.doctor.target import PATIENCE_S, Target, headers_of
from tailrace.web.probe import Plan

End: TypeAlias = Literal["complete", "closed", "cut", "silent"]
"""complete; properly ended, but before its last piece; cut; or nothing came any more for much too long"""

READ_BYTES = 65536
HELD_BYTES = 65536
"""of what was decoded and is no whole piece yet"""
PIECE: Final = re.compile(rb"piece ([0-9]{1,4}) at ([0-9]{1,4}\.[0-9]{3}) s")
"""on every wire"""
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


class Piece(NamedTuple):
    """One piece: its number, when it was sent, and when it came, each from the beginning of its own side's stream."""

    number: int
    sent_s: float
    came_s: float


@dataclass(kw_only=True)
class Heard:
    """What came of a stream. Times are seconds after the request was sent."""

    wire: str
    plan: Plan
    status: int
    headers: Mapping[str, str]
    headers_s: float
    pieces: list[Piece] = field(default_factory=list)
    first_s: float | None = None
    """when the first byte of the body came"""
    last_s: float = 0.0
    """when anything came for the last time"""
    end_s: float = 0.0
    end: End = "silent"
    body_bytes: int = 0

    @property
    def coding(self) -> str:
        """How the body is compressed; empty: it is not."""
        coding = self.headers.get("content-encoding", "identity").lower()
        return "" if coding == "identity" else coding

    def late_s(self) -> list[float]:
        """Return how late each piece came, measured against the one that came soonest.

        The clocks of both sides may differ, and neither knows how long the way is: only differences count.
        """
        delays = [piece.came_s - piece.sent_s for piece in self.pieces]
        return [delay - min(delays) for delay in delays]


def listen(target: Target, wire: str, plan: Plan, *, coding: str = "identity") -> Heard:
    """Ask for a stream, and return what came of it.

    Args:
        target: whom to ask.
        wire: its form.
        plan: what is to come when.
        coding: what is taken, as `Accept-Encoding`.

    Raises:
        InvalidInput: no connection is to be had.
    """
    begun = time.monotonic()
    connection, response = target.open(
        "GET", path_of(wire, plan), {"Accept-Encoding": coding}, patience_s=plan.total_s + PATIENCE_S
    )
    heard = Heard(
        wire=wire,
        plan=plan,
        status=response.status,
        headers=headers_of(response),
        headers_s=time.monotonic() - begun,
    )
    try:
        heard.end = _Listener(heard, begun).take(response)
    finally:
        heard.end_s = time.monotonic() - begun
        connection.close()
    return heard


def path_of(wire: str, plan: Plan) -> str:
    """Return the path that asks for the stream."""
    return f"/api/probe?format={wire}&{query_of(plan)}"


def query_of(plan: Plan) -> str:
    """Return the query that asks for the plan."""
    asked = {
        "pieces": plan.pieces,
        "every": f"{plan.every_s:g}",
        "silence": f"{plan.silence_s:g}",
        "heartbeat": f"{plan.heartbeat_s:g}",
    }
    return urlencode(asked)


class _Listener:
    def __init__(self, heard: Heard, begun: float) -> None:
        self._heard = heard
        self._begun = begun
        self._rest = b""
        self._decoder = zlib.decompressobj(_GZIP_OR_ZLIB) if heard.coding in ("gzip", "deflate") else None

    def take(self, response: HTTPResponse) -> End:
        """Take everything, and return how it ended."""
        deadline = self._begun + self._heard.plan.total_s + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                data = response.read1(READ_BYTES)
            except TimeoutError:
                return "silent"
            except (OSError, HTTPException):
                return "cut"
            if not data:
                is_whole = len(self._heard.pieces) == self._heard.plan.pieces + 1
                return "complete" if is_whole else "closed"
            self._note(data)
        return "silent"

    def _note(self, data: bytes) -> None:
        heard, now_s = self._heard, time.monotonic() - self._begun
        heard.last_s = now_s
        heard.body_bytes += len(data)
        if heard.first_s is None:
            heard.first_s = now_s
        self._rest += self._decoded(data)
        end = 0
        for match in PIECE.finditer(self._rest):
            heard.pieces.append(Piece(int(match[1]), float(match[2]), now_s))
            end = match.end()
        self._rest = self._rest[end:][-HELD_BYTES:]

    def _decoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            return self._decoder.decompress(data)
        except zlib.error:
            return b""
