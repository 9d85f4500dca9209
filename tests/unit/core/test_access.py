import itertools

import pytest

from tailrace.core.access import ACTIONS, Access, Action, Rule, Subject, authorize, sees_all, with_commands
from tailrace.core.command import Command, Commands
from tailrace.core.identity import ROLES, Identity, Role, Scope

DEPLOY = Subject(command="deploy", labels={"env": "prod"})
HIS = Subject(command="deploy", labels={"env": "prod"}, run="r1", by="ann")
OTHERS = Subject(command="count", run="r2", by="bob")
BARE = Subject(command=None, run="r3", by="root")
OPEN = Access()
MAY: dict[Role, set[str]] = {
    "viewer": {"list", "view"},
    "operator": {"list", "view", "start", "stop", "input", "pin", "share"},
    "admin": {"list", "view", "start", "stop", "input", "pin", "share", "metrics"},
}


def who(
    role: Role = "operator", name: str = "ann", groups: tuple[str, ...] = (), scope: Scope | None = None
) -> Identity:
    """Return somebody."""
    return Identity(name=name, role=role, groups=groups, via="session", scope=scope or Scope())


@pytest.mark.parametrize(("role", "action"), list(itertools.product(ROLES, ACTIONS)))
@pytest.mark.parametrize("about", [None, DEPLOY, HIS, OTHERS, BARE])
def test_a_role_may_what_the_table_says(role: Role, action: Action, about: Subject | None) -> None:
    """Without rules, each role may its actions, to everything, and no others."""
    assert authorize(who(role), action, about, OPEN) is (action in MAY[role])


@pytest.mark.parametrize(("role", "action", "about"), list(itertools.product(ROLES, ACTIONS, [None, HIS, OTHERS])))
@pytest.mark.parametrize("held", [None, ("view",), ("start", "view"), ("metrics",), ()])
@pytest.mark.parametrize("commands", [None, ("deploy",), ()])
def test_a_scope_never_gives_more(
    role: Role, action: Action, about: Subject | None, held: tuple[str, ...] | None, commands: tuple[str, ...] | None
) -> None:
    """A token does what its role, its actions and its commands all say."""
    found = authorize(who(role, scope=Scope(actions=held, commands=commands)), action, about, OPEN)
    is_held = held is None or action in held
    is_its = about is None or commands is None or about.command in commands
    assert found is (action in MAY[role] and is_held and is_its)


@pytest.mark.parametrize(
    ("rule", "asks", "action", "about", "is_allowed"),
    [
        (Rule(commands=("deploy",), allow=("group:ops",)), who(), "start", DEPLOY, False),
        (Rule(commands=("deploy",), allow=("group:ops",)), who(groups=("ops",)), "start", DEPLOY, True),
        (Rule(commands=("deploy",), allow=("group:ops",)), who(groups=("ops",)), "start", None, True),
        (Rule(commands=("deploy",), allow=("user:ann",)), who(), "stop", HIS, True),
        (Rule(commands=("deploy",), allow=("user:bob",)), who(), "view", HIS, False),
        (Rule(commands=("deploy",), allow=("user:bob",)), who(), "view", OTHERS, True),
        (Rule(commands=("deploy",), allow=("role:operator",)), who(), "start", DEPLOY, True),
        (Rule(commands=("deploy",), allow=("role:viewer",)), who(), "start", DEPLOY, False),
        (Rule(commands=("deploy",), allow=("*",)), who("viewer"), "start", DEPLOY, False),
        (Rule(commands=("deploy",), allow=()), who(), "view", DEPLOY, False),
        (Rule(commands=("deploy",), allow=()), who("admin"), "view", DEPLOY, True),
        (Rule(labels={"env": "prod"}, actions=("start",), allow=("group:ops",)), who(), "start", DEPLOY, False),
        (Rule(labels={"env": "prod"}, actions=("start",), allow=("group:ops",)), who(), "view", DEPLOY, True),
        (Rule(labels={"env": "test"}, allow=("group:ops",)), who(), "start", DEPLOY, True),
        (Rule(allow=("group:ops",)), who(), "view", BARE, False),
        (Rule(commands=("deploy",), actions=("start",), grant=("user:ann",)), who("viewer"), "start", DEPLOY, True),
        (Rule(commands=("deploy",), actions=("start",), grant=("user:ann",)), who("viewer"), "start", None, True),
        (Rule(commands=("deploy",), actions=("start",), grant=("user:ann",)), who("viewer"), "stop", HIS, False),
        (Rule(commands=("count",), actions=("start",), grant=("user:ann",)), who("viewer"), "start", DEPLOY, False),
        (Rule(commands=("deploy",), grant=("*",)), who("viewer"), "metrics", None, False),
    ],
)
def test_rules(rule: Rule, asks: Identity, action: Action, about: Subject | None, is_allowed: bool) -> None:
    """`allow` keeps others out, `grant` lets in, each only where the rule fits; an admin may anyway."""
    assert authorize(asks, action, about, Access(rules=(rule,))) is is_allowed


def test_every_rule_that_fits_must_allow() -> None:
    """One that does not is enough to keep somebody out."""
    rules = (Rule(commands=("deploy",), allow=("user:ann",)), Rule(labels={"env": "prod"}, allow=("group:ops",)))
    assert not authorize(who(), "start", DEPLOY, Access(rules=rules))
    assert authorize(who(groups=("ops",)), "start", DEPLOY, Access(rules=rules))


def test_a_run_that_cannot_be_read_is_held_by_every_rule() -> None:
    """Nobody knows which command it was of: whom any rule keeps out does not see it, and nobody is granted it."""
    lost = Subject(command=None, run="r", is_unreadable=True)
    rules = (Rule(commands=("deploy",), allow=("group:ops",)), Rule(commands=("count",), grant=("user:eve",)))
    access = Access(rules=rules)
    assert not authorize(who(), "view", lost, access)
    assert authorize(who(groups=("ops",)), "view", lost, access)
    assert authorize(who(role="admin"), "view", lost, access)
    assert authorize(who(), "view", lost, OPEN)
    assert not authorize(who(role="viewer", name="eve", groups=("ops",)), "stop", lost, access)


@pytest.mark.parametrize("action", ["view", "stop", "input", "pin", "share"])
def test_own_runs_only(action: Action) -> None:
    """Whoever is no admin has the runs that he started; commands stay everybody's."""
    access = Access(own_runs_only=True)
    assert authorize(who(), action, HIS, access)
    assert not authorize(who(), action, OTHERS, access)
    assert not authorize(who(), action, BARE, access)
    assert authorize(who("admin"), action, OTHERS, access)
    assert authorize(who(), "start", DEPLOY, access)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("access", [OPEN, Access(own_runs_only=True), Access(rules=(Rule(allow=("user:bob",)),))])
def test_a_link_opens_its_run_alone(action: Action, access: Access) -> None:
    """Whatever the rules say: whoever made it could see the run. Nothing else can be done by it."""
    holder = Identity(name="share", role="viewer", via="share", scope=Scope(actions=("view",), runs=("r1",)))
    assert authorize(holder, action, HIS, access) is (action == "view")
    assert not authorize(holder, action, OTHERS, access)
    assert not authorize(holder, action, DEPLOY, access)


def test_a_commands_own_allow_is_a_rule() -> None:
    """So that it holds for its runs, too."""
    access = with_commands(OPEN, Commands([Command(name="deploy", argv=("true",), allow=("group:ops",))]))
    assert not authorize(who(), "view", HIS, access)
    assert authorize(who(), "view", OTHERS, access)


def test_who_sees_all() -> None:
    """The number of runs is told to nobody from whom one may be hidden."""
    assert sees_all(who("viewer"), OPEN)
    assert sees_all(who("admin"), Access(own_runs_only=True))
    assert not sees_all(who(), Access(own_runs_only=True))
    assert not sees_all(who(), Access(rules=(Rule(allow=("*",)),)))
    assert not sees_all(who("admin", scope=Scope(commands=("deploy",))), OPEN)


@pytest.mark.parametrize(
    ("groups", "default", "role"),
    [((), "viewer", "viewer"), ((), "none", None), (("dev", "ops"), "none", "admin"), (("dev",), "none", "operator")],
)
def test_the_role_of_groups(groups: tuple[str, ...], default: Role, role: Role | None) -> None:
    """The highest of those that his groups have; else the default one; else he is turned away."""
    access = Access(default_role=default, roles={"admin": ("ops",), "operator": ("dev",)})
    assert access.role_of(groups) == role


@pytest.mark.parametrize("text", ["ann", "user:", "team:ops", "role:boss", "", ":x"])
def test_whom_a_rule_cannot_name(text: str) -> None:
    """It is told, with what can be written."""
    faults = list(Access(rules=(Rule(allow=(text,)),)).faults())
    assert [fault.subject for fault in faults] == ["rules[0].allow[0]"]
    assert faults[0].hint
