"""Who sits here."""

import os
import pwd


def name() -> str:
    """Return the login name of this process's user; the number, if the system knows none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
