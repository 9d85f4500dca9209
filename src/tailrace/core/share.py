"""A link by which one run may be watched, by whoever has it, for a time."""

from datetime import datetime

import msgspec


class Shared(msgspec.Struct, frozen=True):
    """A link. Whoever has it may watch the run, and nothing else."""

    url: str
    """of the run's page, as far as the server knows where it is"""
    token: str
    """what opens the run: in the link, or as `Authorization: Bearer`"""
    expires: datetime
