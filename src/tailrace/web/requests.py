"""What is asked: the parts of a request that anything here looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from tailrace.core.wires import WIRES
from tailrace.web.pace import Pace

HEADERS = (
    "accept",
    "accept-encoding",
    "forwarded",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "last-event-id",
    "origin",
    "purpose",
    "range",
    "sec-fetch-site",
    "sec-purpose",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-prefix",
    "x-forwarded-proto",
    "x-moz",
)
"""the names of all headers that are looked at, in lower case"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request, free of any framework.

    `path` is the whole one, where the application is mounted included. `query` holds the first value of each name.
    `headers` holds those of `HEADERS` that came, by their lower-case names.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    user: str | None = None
    """who asks, as the application says; None if it does not tell users apart"""
    wire: str | None = None
    """the wire that the route insists on; None: the client chooses"""
    pace: Pace = field(default_factory=Pace)
    """what the route says while the command is silent"""

    scheme: str = ""
    """`http` or `https`, by which the server was asked, as far as its adapter knows"""
    client: str = ""
    """the address of whoever asks, likewise"""
    http_version: str = ""
    """of the connection, likewise: `1.1`"""

    def __post_init__(self) -> None:
        """See that the application gave what it should.

        Raises:
            TypeError, ValueError: it did not.
        """
        if not isinstance(self.pace, Pace):
            raise TypeError(f"pace is a Pace(…), not {self.pace!r}")
        if not (self.user is None or isinstance(self.user, str)):
            raise TypeError(f"the function `user` must return text or None, not {self.user!r}: str(…) makes it text")
        if not (self.wire is None or self.wire in WIRES):
            raise ValueError(f"there is no wire {self.wire!r}; wires: {', '.join(WIRES)}")

    @property
    def by(self) -> str | None:
        """Who asks, for people to read: the user, else the address; None if neither is known."""
        return self.user or self.client or None

    @property
    def wants_body(self) -> bool:
        """Whether more than the headers is wanted."""
        return self.method != "HEAD"
