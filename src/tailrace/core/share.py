"""A link by which one run may be watched, by whoever has it, for a time."""

from datetime import datetime
from typing import Final

import msgspec

USUAL_S: Final = 7 * 24 * 3600.0
"""for which a link is good, unless something else is said"""


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a link; what opens the run by it is kept nowhere."""

    id: str
    """by which it can be ended"""
    run: str
    """that it opens"""
    created: datetime
    expires: datetime
    by: str | None
    """who has made it"""


class Links(msgspec.Struct, frozen=True):
    """The links to a run that are good, the newest first."""

    links: tuple[Link, ...]


class Ended(msgspec.Struct, frozen=True):
    """What became of a wish to end links."""

    ended: int
    """how many were good until now"""


class Shared(msgspec.Struct, frozen=True):
    """A link. Whoever has it may watch the run, and nothing else."""

    url: str
    """of the run's page, as far as the server knows where it is"""
    token: str
    """what opens the run: in the link, or as `Authorization: Bearer`"""
    expires: datetime
    id: str = ""
    """by which it can be ended"""
