"""What is answered."""

from dataclasses import dataclass

from tailrace.web.stream import Body

LIVE = (
    ("Cache-Control", "no-store, no-transform"),
    ("X-Accel-Buffering", "no"),  # nginx passes on at once
    ("X-Content-Type-Options", "nosniff"),  # Chrome holds back 1 KiB of text/plain without it
)
"""on every response that streams; never `Connection` or `Transfer-Encoding`, which are the server's own (PEP 3333)"""


@dataclass(frozen=True, kw_only=True)
class Response:
    """A response, free of any framework.

    A `Body` must be closed, also if nobody has begun to read it. None is no body; that is not the same as an empty one:
    it has no length.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | Body | None = None
