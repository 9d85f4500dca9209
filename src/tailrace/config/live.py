"""A configuration that is read again when its files change, or when somebody says so.

What cannot be used is never taken: the commands stay as they were, and it is said why. `[server]`, `[oidc]`, `[audit]`
and `[[hooks]]` are read once, since sockets, certificates, files and threads are made of them; what has changed there
waits for a restart, and that is said too.

Files are looked at by `stat`, once in a while: editors replace files, network file systems tell of nothing, and a
pattern may come to mean one more. A change is taken when two looks have seen the same, so that no file is read which is
still being written. What a file was when it was read is looked at before that: a change in between is a change.
"""

import glob
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from tailrace.config.load import Config
from tailrace.core.command import Commands
from tailrace.core.errors import TailraceError

Look: TypeAlias = Callable[[str], object]
Print: TypeAlias = tuple[str, int, int, int]
Prints: TypeAlias = tuple[Print, ...]
"""what tells files from what they were: path, time, number and size of each"""

OF_THE_START: Final = ("server", "oidc", "audit", "hooks")
"""sections of which things are made that last"""


class Live:
    """What the files say now, as far as it can be used.

    Args:
        read: reads the files; it is given what is to be told each path that is looked at.

    Raises:
        InvalidInput: they cannot be used at the beginning, when there is nothing to keep.
    """

    def __init__(self, read: Callable[[Look], Config]) -> None:
        self._read = read
        self._looked: dict[str, Prints] = {}
        """what each path was when it was looked at"""
        self.config = read(self._note)
        """what counts"""
        self.is_taken = True
        """whether what the files said when they were last read counts, but for what waits for a restart"""
        self.kept = ""
        """why what the files say now does not count, or not all of it; empty: it does"""
        self._taken = self._last = self._noted()

    def _note(self, path: str) -> None:
        self._looked.setdefault(path, tuple(_prints_of(path)))

    def is_changed(self) -> bool:
        """Look at the files; tell whether they have changed since they were read, and have stopped changing."""
        before, self._last = self._last, self._prints()
        return self._last == before != self._taken

    def reload(self) -> str:
        """Read the files again, and have it count if it can be used.

        Returns:
            what came of it, for the log.
        """
        self._looked.clear()
        self._taken = self._last = ()
        try:
            new = self._read(self._note)
        except TailraceError as error:
            self.is_taken = False
            self.kept = f"{error.message} ({error.hint})"
            return f"the commands are kept as they were: {self.kept}"
        finally:
            self._taken = self._last = self._noted()
        old = {name: getattr(self.config, name) for name in OF_THE_START}
        waiting = [f"[{name}]" for name, value in old.items() if getattr(new, name) != value]
        why = f"{' and '.join(waiting)} changed: restart to have that" if waiting else ""
        kept = [hook.secret_env for hook in self.config.hooks if hook.secret_env is not None]  # they go on with these
        commands = Commands(new.commands.values(), new.commands.limits, {*new.commands.private, *kept})
        self.config = msgspec.structs.replace(new, commands=commands, **old)
        self.is_taken = True
        self.kept = f"the old settings: {why}" if why else ""
        return f"{len(new.commands)} commands are declared now{f'; {why}' if why else ''}"

    def _noted(self) -> Prints:
        """Return what the files were when they were read."""
        return tuple(chain.from_iterable(self._looked.values()))

    def _prints(self) -> Prints:
        """Return what the files are now."""
        return tuple(chain.from_iterable(map(_prints_of, self._looked)))


def _prints_of(path: str) -> Iterator[Print]:
    more = sorted(glob.glob(path)) if glob.has_magic(path) else ()  # noqa: PTH207  it is a whole pattern
    for each in dict.fromkeys((path, *more)):
        try:
            found = Path(each).stat()
        except OSError:
            yield each, 0, 0, -1
        else:
            yield each, found.st_mtime_ns, found.st_ino, found.st_size
