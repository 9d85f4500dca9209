"""`[limits]`: what holds for every run that is started, and how many of them, and of their viewers, there may be."""

from collections.abc import Mapping
from typing import Final

from tailrace.config.document import Keys, Table
from tailrace.config.tables import Mistakes, Reader, Report, bytes_of, duration_s, table_at
from tailrace.core.limits import Allowance, Limits, quota_faults, resource_faults, viewer_faults

SECTION: Final = "limits"
USER: Final = "user"

READINGS: Final = {"max_cpu": duration_s, "max_memory": bytes_of}
LIMITS: Final = Reader(Limits, readings=READINGS, others=(USER,))
ALLOWANCE: Final = Reader(Allowance)


def limits_in(document: Table, report: Report) -> Limits:
    """Return what the document says; what is wrong is reported.

    Args:
        document: the whole file.
        report: told of each mistake.
    """
    table = table_at(document, SECTION, (), report)
    mistakes = Mistakes(report)
    fields = LIMITS.read(table, (SECTION,), mistakes)
    user = _allowance(table, mistakes)
    limits = Limits(user=user, **fields)  # type: ignore[arg-type]  # they were decoded
    mistakes.add(resource_faults(limits.resources), (SECTION,))
    mistakes.add(quota_faults(limits.max_running, limits.max_queued, limits.max_starts_per_minute), (SECTION,))
    mistakes.add(viewer_faults(limits.max_viewers), (SECTION,))
    return limits


def _allowance(table: Mapping[str, object], mistakes: Mistakes) -> Allowance:
    at: Keys = (SECTION, USER)
    user = Allowance(**ALLOWANCE.read(table_at(table, USER, (SECTION,), mistakes), at, mistakes))  # type: ignore[arg-type]  # as above
    mistakes.add(quota_faults(user.max_running, user.max_queued, user.max_starts_per_minute), at)
    mistakes.add(viewer_faults(user.max_viewers), at)
    return user
