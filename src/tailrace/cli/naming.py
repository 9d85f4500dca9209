"""How people name a run: its whole id, the beginning of one, or `last`."""

from tailrace.core import ids
from tailrace.core.errors import InvalidInput, UnknownRun
from tailrace.engine.base import Engine, Query
from tailrace.engine.run import Run

NEWEST = ("last", "latest")
SHORT = ids.TIME_CHARS
"""so much of an id is shown where space is short: the microsecond of its creation, which tells runs apart"""


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
