"""A live run's bytes to one viewer, against what disk and socket give at once, and against websocketd."""

import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from bench import machine
from bench.content import Content, irregular_lines
from bench.field.contenders import FLASK, OURS, WEBSOCKETD, floor
from bench.field.solo import by_websocketd, drain, forget, live
from bench.field.verdicts import Row
from bench.field.viewers import Ask
from bench.report import Figure, Measured
from bench.serving import state_dir
from tailrace.api import connect

CONTENDERS = (OURS, WEBSOCKETD, FLASK)
BYTES = 512 << 20
ROUNDS = 5
BOUND, PEER = "the bound", "websocketd --binary"
WANTED = {BOUND: 0.8, PEER: 0.6}


def measure(place: Path) -> Measured:
    """Let each have its turn in every round."""
    content = irregular_lines(place / "irregular-lines", BYTES)
    rounds = machine.quietly(lambda: _round(place, content), ROUNDS, warm_up=0)
    rates = {name: [one[name] for one in rounds.values] for name in rounds.values[0]}
    where = f"text; {machine.file_system(place)}; SHA-256 right"
    content.path.unlink()
    return Measured(
        figures=[
            *_verdicts(rates, where),
            *(Row(f"live, binary, {name}", "MB/s", digits=0).shown(rates[name]) for name in rates),
        ],
        details=[
            f"`cat` of {BYTES >> 20} MiB of irregular lines; no process was kept to a processor",
            "ours: from before the start of the run; websocketd: from before the connection, which starts its command",
            "the bound: the slower of a run nobody watches and a file sent by `sendfile`, both at the same time",
            str(rounds),
        ],
    )


def _verdicts(rates: Mapping[str, list[float]], where: str) -> list[Figure]:
    return [
        Row(f"live, binary, one viewer, against {name}", "MB/s", where, 0).times_at_least(
            rates[OURS.name], rates[name], least
        )
        for name, least in WANTED.items()
    ]


def _round(place: Path, content: Content) -> dict[str, float]:
    argv = ["cat", str(content.path)]
    rates = {one.name: live(one, place, argv, content, "text").mb_s for one in (OURS, FLASK)}
    rates[PEER] = by_websocketd(place, argv, content, "frames", 1.1).mb_s
    disk, socket = _both_at_work(place, content)
    return {**rates, "command → disk": disk, "sendfile": socket, BOUND: min(disk, socket)}


def _both_at_work(place: Path, content: Content) -> tuple[float, float]:
    """Return the rates of a run that nobody watches and of a file that is sent, at the same time."""
    with (
        state_dir(place, "bound") as state,
        closing(connect(f"disk:{state}")) as engine,
        floor(place, content.path) as server,
        drain(content.size * 1.05, "bytes") as viewer,
    ):
        engine.start(["true"]).wait(60)
        sent: list[float] = []
        ask = Ask(port=server.port, path="/file")
        sender = threading.Thread(target=lambda: sent.append(viewer.take(ask, content).mb_s))
        sender.start()
        info = engine.start(["cat", str(content.path)]).wait(120)
        sender.join()
        forget(state)
    assert info.size == content.size
    assert info.duration_s
    return content.size / info.duration_s / 1e6, sent[0]
