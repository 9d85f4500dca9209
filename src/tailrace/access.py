"""The server's roles and rules, for an application that knows its users itself.

    rules = Rules(Access(own_runs_only=True))

    def may(action, run):
        user = current_user()
        return rules.may(Identity(name=user.name, role="operator", groups=user.groups, via="app"), action, run)

    def may_command(action, command):
        return rules.may_command(Identity(…), action, command)

    app.register_blueprint(race.blueprint(authorize=may, authorize_command=may_command), url_prefix="/ops")

With `own_runs_only`, the extension's `user` must be what `Identity.name` is: it is what a run's `by` says.
"""

from tailrace.core.access import Access, Action, Rule, authorize, of_command, of_run, with_commands
from tailrace.core.command import Command, Commands
from tailrace.core.identity import Identity, Role, Scope
from tailrace.core.run import RunInfo

__all__ = ["Access", "Action", "Identity", "Role", "Rule", "Rules", "Scope"]


class Rules:
    """Who may do what.

    Args:
        access: the rules.
        commands: what is declared; `allow` of a command is a rule about it and its runs.
    """

    def __init__(self, access: Access, commands: Commands | None = None) -> None:
        self._access = access if commands is None else with_commands(access, commands)

    def may(self, who: Identity | None, action: Action, run: RunInfo | None) -> bool:
        """Tell whether somebody may do something; what a blueprint's `authorize` returns.

        Args:
            who: he; None: nobody knows him, and he may nothing.
            action: what he wants to do.
            run: what to; None: to any at all.
        """
        return who is not None and authorize(who, action, None if run is None else of_run(run), self._access)

    def may_command(self, who: Identity | None, action: Action, command: Command) -> bool:
        """Tell whether somebody may do something to a command; what a blueprint's `authorize_command` returns.

        Args:
            who: he; None: nobody knows him, and he may nothing.
            action: `list` or `start`.
            command: the command.
        """
        return who is not None and authorize(who, action, of_command(command), self._access)
