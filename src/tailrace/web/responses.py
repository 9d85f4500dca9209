"""What is answered."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tailrace.web.steps import Stream

if TYPE_CHECKING:
    from tailrace.web.session import Conversation

LIVE = (
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),  # nginx passes on at once
    ("X-Content-Type-Options", "nosniff"),  # Chrome holds back 1 KiB of text/plain without it
)
"""on every response that streams; never `Connection` or `Transfer-Encoding`, which are the server's own (PEP 3333)"""


class Visitor(NamedTuple):
    """Whoever wants to watch, by all that he is counted by."""

    address: str = ""
    """empty: it is not known"""
    user: str | None = None
    run_ids: Sequence[str] = ()
    """what he is to see"""
    commands: Collection[str] = ()
    """whose runs those are"""


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response, free of any framework.

    A `Stream` is a body that comes in steps, and must be closed, also if nobody takes them. None is no body; an empty
    one has a length, that has none.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | Stream | None = None
    session: "Conversation | None" = None
    """of a websocket that is to be opened (status 101); it must be closed, too"""
    visitor: Visitor | None = None
    """whom a stream is for, where the API itself lets viewers in"""

    @property
    def stream(self) -> Stream | None:
        """What its viewer is sent; None: there is nothing to watch."""
        body = self.body if self.session is None else self.session.viewer
        return body if isinstance(body, Stream) else None
