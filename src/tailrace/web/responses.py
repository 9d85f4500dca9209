"""What is answered."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.web.steps import Stream

if TYPE_CHECKING:
    from tailrace.web.session import Conversation

LIVE = (
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),  # nginx passes on at once
    ("X-Content-Type-Options", "nosniff"),  # Chrome holds back 1 KiB of text/plain without it
)
"""on every response that streams; never `Connection` or `Transfer-Encoding`, which are the server's own (PEP 3333)"""


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
