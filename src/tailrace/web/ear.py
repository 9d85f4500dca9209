"""How viewers of one kind wait: with which bells, and for how long they may stay."""

from contextlib import AbstractContextManager
from typing import Protocol


class Bell(Protocol):
    """Rung when there may be more."""

    def ring(self) -> None:
        """Have whoever listens look again. Never blocks."""

    def close(self) -> None:
        """Ring no more. Safe to repeat."""


class Ear(Protocol):
    """One viewer's; its driver's side of the waiting."""

    @property
    def hall(self) -> int:
        """Whoever waits in the same way, and so may share a broadcast: 0 for threads and greenlets, else a loop's."""

    @property
    def member_s(self) -> float:
        """What waking one viewer and sending to it may cost, in seconds."""

    def make_bell(self) -> Bell:
        """Return a bell for this viewer alone.

        Raises:
            OSError: this process has too many files open.
        """

    def make_shared_bell(self) -> Bell:
        """Return a bell for everybody in the hall.

        Raises:
            OSError: this process has too many files open.
        """

    def listen(self, bell: Bell) -> None:
        """Wait for this bell too from now on. Look once more after this call.

        Raises:
            OSError: no memory is left for it, or too many are waited for.
        """

    def deafen(self, bell: Bell) -> None:
        """Wait for this bell no more; to be called before it is closed. Safe to repeat."""

    def watching(self) -> AbstractContextManager[None]:
        """Have the output watched, where that is asked for within the context, in the way that suits the hall."""

    def is_leaving(self) -> bool:
        """Tell whether the stream is to end now, because the server does."""
