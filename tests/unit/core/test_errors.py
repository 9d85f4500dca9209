"""Errors, branched by whose fault they are."""

import inspect

import pytest

from tailrace.core import errors
from tailrace.core.errors import CallerError, EngineError, IllegalTransition, TailraceError

EVERY = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


def test_an_error_carries_its_fields() -> None:
    """A command line prints two lines from them, and nobody parses the message."""
    error = errors.InvalidInput("argv is empty", op="start", subject="argv", hint="name a program")
    assert (str(error), error.message) == ("argv is empty", "argv is empty")
    assert (error.op, error.subject, error.hint) == ("start", "argv", "name a program")


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_each_is_somebodys_fault(kind: type[TailraceError]) -> None:
    """The caller's or the engine's, never both; one base catches all."""
    assert issubclass(kind, TailraceError)
    if kind not in (TailraceError, IllegalTransition):
        assert issubclass(kind, CallerError) != issubclass(kind, EngineError)


def test_callers_may_catch_what_python_calls_it() -> None:
    """A wrong value is a ValueError, an unknown run a LookupError."""
    assert issubclass(errors.InvalidInput, ValueError)
    assert issubclass(errors.UnknownRun, LookupError)
