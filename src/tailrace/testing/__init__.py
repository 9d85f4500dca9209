"""Contracts as tests, for whoever writes an engine of their own.

What lives here: suites of pytest tests to subclass; `EngineContract`, and the part of it for engines
that only look at runs and control them, `RemoteContract`.
What may be imported: everything inside, and pytest, which no other part of the package needs.
What never: anything that only one engine has. A test here may use what `tailrace.engine.base` promises, and no more.
"""

import pytest

pytest.register_assert_rewrite("tailrace.testing.engine")

from tailrace.testing.engine import EngineContract, RemoteContract  # noqa: E402 (its asserts are rewritten only from here on)

__all__ = ["EngineContract", "RemoteContract"]
