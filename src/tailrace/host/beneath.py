"""Where a path below a directory really leads: nothing outside it is ever given to a command.

Links are followed here, and the command gets what they lead to, so that a link which is changed afterwards leads it
nowhere else. Whoever may replace directories below the root between this look and the command's own can still have it
open something else: the root is no prison for those who write in it.
"""

import os
import stat

from tailrace.core.errors import InvalidInput
from tailrace.core.parameters import Parameter, PathBelow


def locate(parameter: Parameter, text: str) -> str:
    """Return where a path leads, with all links followed.

    Args:
        parameter: what the path is a value of; of another type than a path, the text stays as it is.
        text: the path, its root included.

    Raises:
        InvalidInput: it leads out of its root, is not there, or is not what it must be.
    """
    if not isinstance(parameter, PathBelow):
        return text
    root = os.path.realpath(parameter.root)
    found = _real(text)
    if os.path.commonpath((root, found)) != root:
        raise _bad("leads out of its directory, by a link", "name what is inside")
    _check(parameter, found)
    return found


def _real(path: str) -> str:
    try:
        return os.path.realpath(path)
    except OSError as error:
        raise _bad(f"cannot be looked at: {_why(error)}", "give another path") from None


def _check(parameter: PathBelow, path: str) -> None:
    """See that what is there is what it must be.

    Raises:
        InvalidInput: it is not.
    """
    try:
        mode = os.lstat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if parameter.must_exist:
            raise _bad("is not there", "give the path of something that is") from None
        return
    except OSError as error:
        raise _bad(f"cannot be looked at: {_why(error)}", "give another path") from None
    if stat.S_ISLNK(mode):  # realpath gives up on links that lead in a circle
        raise _bad("is a link that leads nowhere", "give another path")
    fits = {"file": stat.S_ISREG, "directory": stat.S_ISDIR}
    if parameter.kind is not None and not fits[parameter.kind](mode):
        raise _bad(f"is no {parameter.kind}", f"give the path of a {parameter.kind}")


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _bad(message: str, hint: str) -> InvalidInput:
    return InvalidInput(message, op="start", subject="parameters", hint=hint)
