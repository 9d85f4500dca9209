"""What can be set, in the constructor and in an application's configuration, and what comes of it: where runs live."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tailrace.config.load import commands_of
from tailrace.core.coded import Coded
from tailrace.core.command import Commands
from tailrace.core.errors import InvalidInput
from tailrace.engine.base import Engine
from tailrace.web.engines import EngineHere

PREFIX = "TAILRACE_"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The constructor's arguments. In a configuration each is called `PREFIX` and its name in capitals."""

    engine: Engine | str | None = None
    state_dir: str | os.PathLike[str] | None = None
    user: Callable[[], str | None] | None = None
    cross_site: bool = False
    commands: Commands | str | os.PathLike[str] | None = None


NAMES = tuple(field.name for field in dataclasses.fields(Settings))
KEYS = {PREFIX + name.upper(): name for name in NAMES}


def configured(settings: Settings, config: Mapping[str, object]) -> Settings:
    """Return the settings with what the configuration says instead.

    Raises:
        InvalidInput: the configuration has a key of ours that means nothing, or a value that cannot be.
    """
    found = {name: value for name, value in config.items() if name.startswith(PREFIX)}
    for key, value in found.items():
        _check(key, value)
    changes = {KEYS[key]: value for key, value in found.items()}
    if changes.get("engine") is not None and changes.get("state_dir") is not None:
        raise _bad(f"{PREFIX}ENGINE", "excludes STATE_DIR", "say in one of them where runs live")
    if changes.get("state_dir") is not None:
        changes["engine"] = None
    replaced: Settings = dataclasses.replace(settings, **changes)  # type: ignore[arg-type]  # they were checked
    return replaced


def _check(key: str, value: object) -> None:
    match KEYS.get(key):
        case None:
            raise _bad(key, "is no setting", f"one of: {', '.join(KEYS)}")
        case "state_dir" if value is not None and not isinstance(value, str | os.PathLike):
            raise _bad(key, f"cannot be {value!r}", "it is a path")
        case "engine" if not (value is None or isinstance(value, str) or hasattr(value, "cursor")):
            raise _bad(key, f"cannot be {value!r}", "it is an engine, or an address as tailrace.connect takes it")
        case "user" if value is not None and not callable(value):
            raise _bad(key, f"cannot be {value!r}", "it is a function that returns who asks")
        case "cross_site" if not isinstance(value, bool):
            raise _bad(key, f"cannot be {value!r}", "it is True or False")
        case "commands" if value is not None and not isinstance(value, str | os.PathLike | Commands):
            raise _bad(key, f"cannot be {value!r}", "it is the path of a file that declares commands, or a Commands")


def _bad(key: str, what: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{key} {what}", op="configure", subject=key, hint=hint)


class Home:
    """One application's settings and commands, and its engine, which is made on first use in each process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.declared = Coded(commands_of(settings.commands))
        self._engine = EngineHere(settings.engine, settings.state_dir)

    @property
    def engine(self) -> Engine:
        """Where runs live.

        Raises:
            EngineError: it cannot be used.
        """
        return self._engine()
