"""Line indexes in memory, of outputs beside which none can be written.

Each is a file without a name (memfd_create(2)) that holds what an index on disk would: 24 bytes for each 256 KiB of the
output. Only the last few outputs have one, so what they take is bounded; the others are counted again. They belong to
this process, and a child of it begins without any.
"""

import os
from collections import OrderedDict
from typing import Final

from tailrace.host import real

MOST: Final = 8
"""the one that was asked for longest ago goes"""
_COPIED_BYTES = 1 << 20

_spares: Final[OrderedDict[str, int]] = OrderedDict()
"""descriptors, by run"""
_guard = real.make_lock()


def kept(run_id: str) -> int:
    """Return a descriptor of the run's index in memory, the caller's own; -1 if it has none."""
    if not _spares:
        return -1
    with _guard:
        if run_id not in _spares:
            return -1
        _spares.move_to_end(run_id)
        return os.dup(_spares[run_id])


def make(run_id: str, index: int) -> int:
    """Make the run an index in memory, with what is in `index` so far (-1: nothing), unless it has one.

    Returns:
        A descriptor of it, the caller's own; -1 if the system gives none.
    """
    if (found := kept(run_id)) >= 0 or not hasattr(os, "memfd_create"):
        return found
    try:
        made = os.memfd_create("tailrace lines")
    except OSError:
        return -1
    _copy(index, made)
    with _guard:
        old = _spares.pop(run_id, -1)  # another thread was as quick
        _spares[run_id] = made
        if len(_spares) > MOST:
            old = _spares.popitem(last=False)[1]
    if old >= 0:
        os.close(old)
    return kept(run_id)


def _copy(index: int, made: int) -> None:
    at = 0
    try:
        while index >= 0 and (data := os.pread(index, _COPIED_BYTES, at)):
            at += os.pwrite(made, data, at)
    except OSError:
        return  # what is missing is counted again


def _forget() -> None:
    """In a forked child: let go of the parent's."""
    global _guard  # noqa: PLW0603
    for fd in _spares.values():
        os.close(fd)
    _spares.clear()
    _guard = real.make_lock()


os.register_at_fork(after_in_child=_forget)
