"""A finished run's text to one viewer, against `sendfile` of the same file."""

from pathlib import Path

from bench import machine
from bench.content import irregular_lines
from bench.field import nginx
from bench.field.contenders import FLASK, NCHAN, OURS, Tailrace, floor
from bench.field.servers import Server
from bench.field.solo import Taken, drain, finished, warm
from bench.field.verdicts import Row
from bench.field.viewers import Ask
from bench.report import Measured

CONTENDERS = (OURS, NCHAN, FLASK)
BYTES = 512 << 20
ROUNDS = 5
SENDFILE, NGINX = "sendfile", "nginx, a file"
WANTED = 0.8


def measure(place: Path) -> Measured:
    """Let each have its turn in every round, all on one file."""
    content = irregular_lines(place / "irregular-lines", BYTES)

    def file(server: Server, path: str) -> Taken:
        with drain(content.size * 1.05, "bytes") as viewer:
            return viewer.take(Ask(port=server.port, path=path, is_closing=True), content)

    def ours(contender: Tailrace) -> Taken:
        with warm(contender, place) as (engine, _, server):
            run = engine.start(["cat", str(content.path)])
            run.wait(120)
            return finished(server, run.id, content)

    def one_round() -> dict[str, float]:
        rates = {one.name: ours(one).mb_s for one in (OURS, FLASK)}
        with floor(place, content.path) as server:
            rates[SENDFILE] = file(server, "/file").mb_s
        with nginx.served(place, place) as server:
            rates[NGINX] = file(server, f"/files/{content.path.name}").mb_s
        return rates

    rounds = machine.quietly(one_round, ROUNDS, warm_up=0)
    rates = {name: [one[name] for one in rounds.values] for name in rounds.values[0]}
    content.path.unlink()
    where = f"text; {machine.file_system(place)}; SHA-256 right"
    against = Row(f"finished output, one viewer, against {SENDFILE}", "MB/s", where, 0)
    verdict = against.times_at_least(rates[OURS.name], rates[SENDFILE], WANTED)
    return Measured(
        figures=[verdict, *(Row(f"finished output, {name}", "MB/s", digits=0).shown(rates[name]) for name in rates)],
        details=[f"{BYTES >> 20} MiB, from the page cache", str(rounds)],
    )
