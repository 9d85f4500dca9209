"""How people name a run: its whole id, the beginning of one, `last`, or its address on a server."""

from collections.abc import Sequence

from tailrace.cli import place
from tailrace.core import ids
from tailrace.core.errors import InvalidInput, UnknownRun
from tailrace.engine.base import Engine, Query
from tailrace.engine.remote.address import is_url, parse_run
from tailrace.engine.run import Run

NEWEST = ("last", "latest")
SHORT = ids.TIME_CHARS
"""so much of an id is shown where space is short: the microsecond of its creation, which tells runs apart"""


def locate(name: str) -> Run:
    """Return the run that the name means, where the command line says that runs live, or at the address that it is.

    Raises:
        UnknownRun: none.
        InvalidInput: more than one, or it cannot be an id's beginning.
        EngineError: the place cannot be used.
    """
    return locate_all([name])[0]


def locate_all(names: Sequence[str]) -> list[Run]:
    """Return the runs that the names mean, as `locate` does."""
    if not any(is_url(name) for name in names):
        here = place.existing_engine()
        return [find(here, name) for name in names]
    found = [parse_run(name) for name in names]
    if len({address for address, _run_id in found}) > 1:
        raise InvalidInput(
            "these runs are on several servers", op="find", subject=names[0], hint="name those of one server at a time"
        )
    url = str(found[0][0])
    place.stay_on(url)
    there = place.server(url)
    return [Run(there, there.get(run_id).id) for _address, run_id in found]


def find(engine: Engine, name: str) -> Run:
    """Return the run that the name means.

    Raises:
        UnknownRun: none.
        InvalidInput: more than one, or it cannot be an id's beginning.
    """
    if name in NEWEST:
        return Run(engine, _newest(engine))
    text = name.lower()
    if ids.is_id(text):
        return Run(engine, engine.get(text).id)
    if not text or len(text) >= ids.LENGTH or set(text) - set(ids.ALPHABET):
        raise UnknownRun(f"there is no run {name[:40]!r} here", op="find", subject=name[:40], hint=_HINT)
    return Run(engine, _only(engine, text))


_HINT = "`tailrace list` shows the runs; give an id, the beginning of one, or `last`"


def _newest(engine: Engine) -> str:
    runs = engine.list(Query(limit=1)).runs
    if not runs:
        raise UnknownRun(
            "there is no run here yet", op="find", subject="last", hint="`tailrace run -- COMMAND` starts one"
        )
    return runs[0].id


def _only(engine: Engine, prefix: str) -> str:
    """Return the one id that begins so. Ids sort, so all that do stand together in the list."""
    above = prefix + ids.ALPHABET[-1] * (ids.LENGTH - len(prefix))
    found = [info.id for info in engine.list(Query(limit=3, cursor=above)).runs if info.id.startswith(prefix)]
    if not found:
        raise UnknownRun(f"no run's id begins with {prefix!r}", op="find", subject=prefix, hint=_HINT)
    if len(found) > 1:
        more = " and others" if len(found) > 2 else ""
        raise InvalidInput(
            f"{prefix!r} is the beginning of several ids: {', '.join(found[:2])}{more}",
            op="find",
            subject=prefix,
            hint="add a few characters, until only one is meant",
        )
    return found[0]
