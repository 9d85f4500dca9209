"""The engine of an application, made on first use in each process."""

import os

from tailrace.api import connect
from tailrace.engine.base import Engine


class EngineHere:
    """One engine a process: nothing is made before the first use, and a child of this process makes its own."""

    def __init__(self, engine: Engine | str | None, state_dir: str | os.PathLike[str] | None) -> None:
        """Remember where it is to be; nothing is opened yet.

        Args:
            engine: one that is there already, or its address as `tailrace.connect` takes it.
            state_dir: where it is, if that is not said by `engine`.
        """
        self._given = engine if not isinstance(engine, str) else None
        self._where = engine if isinstance(engine, str) else state_dir
        self._made: tuple[int, Engine] | None = None
        """(pid, engine)"""

    def __call__(self) -> Engine:
        """Return it.

        Raises:
            EngineError: the state directory cannot be used.
        """
        if self._given is not None:
            return self._given
        made = self._made
        if made is None or made[0] != os.getpid():
            made = self._made = (os.getpid(), connect(self._where))
        return made[1]
