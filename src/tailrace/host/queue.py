"""The runs that wait for a keeper, first come first served."""


class Queue:
    """Ids and keys, in the order in which the runner heard of them."""

    def __init__(self) -> None:
        self._keys: dict[str, str | None] = {}
        self._retrying: set[str] = set()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._keys)

    def add(self, run_id: str, key: str | None) -> None:
        """Put the run at the end, unless it is in the queue."""
        self._keys.setdefault(run_id, key)

    def remove(self, run_id: str) -> None:
        """Take the run out."""
        self._keys.pop(run_id, None)
        self._retrying.discard(run_id)

    def retry(self, run_id: str, *, keep_if: bool) -> None:
        """Leave the run in its place, to be tried again soon; or take it out."""
        if keep_if:
            self._retrying.add(run_id)
        else:
            self.remove(run_id)

    @property
    def is_retrying(self) -> bool:
        """Whether some run could not be launched for a passing reason."""
        return bool(self._retrying)

    @property
    def has_keys(self) -> bool:
        """Whether some run has a key."""
        return any(key is not None for key in self._keys.values())

    def ids(self) -> list[str]:
        """Return the runs, first to be launched first."""
        return list(self._keys)

    def items(self) -> list[tuple[str, str | None]]:
        """Return (run, key), first to be launched first."""
        return list(self._keys.items())
