"""What is only there if it was installed with the package."""

import importlib.util

from tailrace.core.errors import InvalidInput


def needed(module: str, extra: str) -> None:
    """See that a module is there.

    Raises:
        InvalidInput: it is not; the hint is how to get it.
    """
    if importlib.util.find_spec(module) is None:
        raise InvalidInput(
            f"this needs {module}, which is not installed",
            op="start",
            subject=module,
            hint=f"pip install 'tailrace[{extra}]'",
        )
