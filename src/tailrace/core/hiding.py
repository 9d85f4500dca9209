"""What a declaration may not do with secrets: show them, or hand them over in a way that would show them."""

from collections.abc import Iterator, Mapping, Sequence

from tailrace.core.errors import Fault
from tailrace.core.masking import LONGEST, SHORTEST
from tailrace.core.parameters import Parameter, Secret


def env_faults(names: Sequence[str], env: Mapping[str, str]) -> Iterator[Fault]:
    """Yield what is wrong with `secret_env`.

    Args:
        names: of the variables whose values are secret.
        env: the variables that stand in the declaration.
    """
    for index, name in enumerate(names):
        if not name or "=" in name or "\0" in name:
            yield Fault(f"secret_env[{index}]", f"cannot be {name[:40]!r}", "the name of a variable")
        elif name in env and not SHORTEST <= len(env[name].encode()) <= LONGEST:
            hint = f"a secret that can be masked has {SHORTEST} to {LONGEST} bytes"
            yield Fault(f"secret_env[{index}]", f"names {name[:40]!r}, which is too short or too long", hint)


def delivery_faults(parameters: Mapping[str, Parameter], *, is_pty: bool, has_user: bool) -> Iterator[Fault]:
    """Yield the secret parameters that the command cannot get in the way that they say."""
    for name, parameter in parameters.items():
        deliver = parameter.deliver if isinstance(parameter, Secret) else None
        subject = f"parameters.{name}.deliver"
        if deliver == "stdin" and is_pty:
            yield Fault(subject, 'and pty exclude each other: "stdin" would be echoed', 'say deliver = "file" or "env"')
        if deliver == "file" and has_user:
            yield Fault(subject, "and user exclude each other: that user could not read it", 'say deliver = "env"')


def place_faults(name: str, parameter: Secret, *, in_key: bool, in_argv: bool) -> Iterator[Fault]:
    """Yield what is wrong with where a template has a secret, or has not."""
    if in_key:
        yield Fault("key", f"has {{{name}}}, which is secret", "everybody can see a key: leave it out there")
    if in_argv and not parameter.is_argument:
        hint = 'everybody can see arguments: leave it out there, or say deliver = "file", whose path it is then'
        yield Fault("argv", f"has {{{name}}}, which is secret", hint)
    if not in_argv and parameter.is_argument and parameter.variable is None:
        hint = f"put {{{name}}}, the path of its file, into argv, or name a `variable` for it"
        yield Fault(f"parameters.{name}", "is not used", hint)
