from datetime import UTC, datetime

from tailrace.access import Access, Identity, Rules
from tailrace.core.command import Command, Commands
from tailrace.core.run import RunInfo
from tailrace.core.states import State

ANN = Identity(name="ann", role="operator", via="app")


def _run(by: str, command: str | None = None) -> RunInfo:
    return RunInfo(
        id="r", command=command, argv=("true",), state=State.RUNNING, outcome=None, created=datetime.now(UTC), by=by
    )  # fmt: skip


def test_an_application_has_the_servers_rules() -> None:
    """As `authorize` asks: at all, and about a run; whoever is not known may nothing."""
    rules = Rules(Access(own_runs_only=True))
    assert rules.may(ANN, "start", None)
    assert rules.may(ANN, "stop", _run("ann"))
    assert not rules.may(ANN, "view", _run("bob"))
    assert not rules.may(None, "list", None)


def test_a_commands_allow_holds_too() -> None:
    """For its runs."""
    rules = Rules(Access(), Commands([Command(name="deploy", argv=("true",), allow=("user:bob",))]))
    assert not rules.may(ANN, "view", _run("bob", "deploy"))
    assert rules.may(ANN, "view", _run("bob", "count"))
