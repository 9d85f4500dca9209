"""Users of this machine: who a command is to run as."""

import os
import pwd

from tailrace.core.errors import InvalidInput
from tailrace.core.spec import Account


def find(user: str | int) -> pwd.struct_passwd:
    """Return what the system knows of a user.

    Args:
        user: a name or a number.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return pwd.getpwuid(user) if isinstance(user, int) else pwd.getpwnam(user)
    except (KeyError, OverflowError, ValueError):
        raise InvalidInput(
            f"there is no user {str(user)[:40]!r} on this machine",
            op="start",
            subject="user",
            hint="`getent passwd` lists them; give a name, or a number",
        ) from None


def needs_change(entry: pwd.struct_passwd) -> bool:
    """Tell whether that is another user than we are.

    Raises:
        InvalidInput: it is, and we are not root, who alone may become another.
    """
    if entry.pw_uid == os.geteuid():
        return False
    if os.geteuid() != 0:
        raise InvalidInput(
            f"only root may run a command as {entry.pw_name}",
            op="start",
            subject="user",
            hint="leave user out, or run the server as root",
        )
    return True


def account(entry: pwd.struct_passwd) -> Account:
    """Return the user's numbers, and those of all groups that it is in."""
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_uid, entry.pw_gid, groups)


def environment(entry: pwd.struct_passwd) -> dict[str, str]:
    """Return the variables that say who one is."""
    return {"HOME": entry.pw_dir, "USER": entry.pw_name, "LOGNAME": entry.pw_name}
