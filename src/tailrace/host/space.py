"""Whether there is room for one more run."""

from tailrace.core.errors import NoSpace
from tailrace.host import settings
from tailrace.host.statedir import StateDir

FLOOR_BYTES = 64 << 20
FLOOR_SHARE = 50
"""or one part in so many of a small file system"""


def check_space(state: StateDir) -> None:
    """See that there is as much free space as new runs need.

    Raises:
        NoSpace: there is not.
    """
    free, size = state.free_bytes()
    floor = settings.load(state).free_floor
    if floor is None:
        floor = min(FLOOR_BYTES, size // FLOOR_SHARE)
    if free < floor:
        raise NoSpace(
            f"only {free} bytes are free at {state.path}, and new runs need {floor}",
            op="start",
            subject=state.path,
            hint="make room (`tailrace prune` removes old runs), or `tailrace runner set --free-floor BYTES`",
        )
