"""What is only there if it was installed with the package."""

import importlib.util

from tailrace.core.errors import InvalidInput

SERVER = ("uvicorn", "httptools", "websockets", "prometheus_client", "itsdangerous", "argon2")
"""what the extra `server` brings; some of it may be there for other reasons"""


def need_server() -> None:
    """See that everything is there that a server needs.

    Raises:
        InvalidInput: something is not; the hint is how to get it.
    """
    if missing := [module for module in SERVER if importlib.util.find_spec(module) is None]:
        raise InvalidInput(
            f"this needs {missing[0]}, which is not installed",
            op="start",
            subject=missing[0],
            hint="pip install 'tailrace[server]'",
        )
