"""The end of a run, on disk: written once, durable, first come first served.

Output and spec are synced; the result is written beside, synced, and *linked* to its name, which fails if there is one
already (`rename` would replace it); the directory is synced; the catalog is told; and only then the active entry goes.
A death between any two of these leaves either no result, and whoever finds the run settles it, or the whole one, and
whoever finds the entry completes the rest. Only the holder of the run's lock comes here.
"""

import os

import msgspec

from tailrace.core.result import Result
from tailrace.core.timeline import RECORD_BYTES
from tailrace.host.fault import point
from tailrace.host.rundir import FILES, RunDir, remove_tree
from tailrace.host.statedir import write_file

_TEMPORARY = ".result"
_LEFTOVERS = (_TEMPORARY, "control", "launch", "live.json", ".live", "viewers")


def record(run: RunDir, result: Result) -> None:
    """Make this the run's result, unless it has one; then finish what the writer of that one left undone.

    Raises:
        OSError: the disk is full or failed; nothing is decided then, and the call can be repeated.
    """
    point("ending:begin")
    run.remove_secrets()
    for name in ("output", "spec.json"):
        _sync(run, name)
    point("ending:output-synced")
    result = msgspec.structs.replace(result, records=_records(run))
    write_file(_TEMPORARY, msgspec.json.encode(result), dir_fd=run.fd, flags=os.O_TRUNC)
    point("ending:result-written")
    _sync(run, _TEMPORARY)
    point("ending:result-synced")
    try:
        os.link(_TEMPORARY, "result.json", src_dir_fd=run.fd, dst_dir_fd=run.fd)
    except FileExistsError:
        pass
    point("ending:result-linked")
    complete(run)


def complete(run: RunDir) -> None:
    """Do all that follows the result; harmless if it was done before.

    Raises:
        OSError: the disk is full or failed; the active entry is still there.
    """
    _remove(run, _TEMPORARY)
    point("ending:temporary-removed")
    os.fsync(run.fd)
    point("ending:directory-synced")
    run.state.note_ended(run.id)
    point("ending:journalled")
    run.state.remove_active(run.id)
    point("ending:entry-removed")
    for name in _LEFTOVERS:
        _remove(run, name)
    remove_tree(FILES, dir_fd=run.fd)
    point("ending:cleared")


def _records(run: RunDir) -> int:
    """Return how many records the timeline has, so that a loss of some can be seen later."""
    try:
        return os.stat("timeline", dir_fd=run.fd, follow_symlinks=False).st_size // RECORD_BYTES
    except FileNotFoundError:
        return 0


def _sync(run: RunDir, name: str) -> None:
    try:
        fd = run.open(name)
    except FileNotFoundError:
        return  # damaged before we came; the result is worth having all the same
    try:
        os.fdatasync(fd)
    finally:
        os.close(fd)


def _remove(run: RunDir, name: str) -> None:
    try:
        os.unlink(name, dir_fd=run.fd)
    except FileNotFoundError:
        pass
