"""Points at which a process of ours can be told to die, so that tests can kill it between any two system calls.

Off, a point costs one comparison. `ARMED` is set by a keeper whose launch names a point; the environment variable
`TAILRACE_FAULT` of the process that starts a run puts it there.
"""

import os
import signal

ARMED: str | None = None

ENDING = (
    "ending:begin",
    "ending:output-synced",
    "ending:result-written",
    "ending:result-synced",
    "ending:result-linked",
    "ending:temporary-removed",
    "ending:directory-synced",
    "ending:journalled",
    "ending:entry-removed",
    "ending:cleared",
)
"""the points of an ending, in their order"""

STARTING = (
    "starting:kept",
    "starting:forked",
    "starting:announced",
    "starting:told",
    "starting:spawned",
    "starting:running",
)
"""the points of a start, in their order; some lie in the child that becomes the command"""

INDEXING = ("indexing:begun", "indexing:counting")
"""the points of a child that counts the lines of a large output, in their order"""


def point(name: str) -> None:
    """Die here by SIGKILL, if this point is armed."""
    if ARMED is not None and name == ARMED:
        os.kill(os.getpid(), signal.SIGKILL)


def wanted() -> str | None:
    """Return the point at which the keepers of runs that this process starts are to die, or None."""
    return os.environ.get("TAILRACE_FAULT") or None
