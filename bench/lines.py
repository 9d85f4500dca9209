"""Lines of 100 bytes, from the command over the disk to one viewer, against the article's server."""

from pathlib import Path
from typing import cast

from bench import machine
from bench.content import Content, numbered_lines
from bench.report import Figure, Measured, median, spread
from bench.serving import ask_client, served, state_dir

OURS_BYTES = 400 << 20
ARTICLE_BYTES = 2 << 20
ROUNDS = 5
TIMES_ARTICLE = 300.0


def measure(place: Path) -> Measured:
    """Have both servers print their file, in turn."""
    contents = {
        "ours": numbered_lines(place / "many-lines", OURS_BYTES),
        "article": numbered_lines(place / "few-lines", ARTICLE_BYTES),
    }
    commands = {name: ["cat", str(content.path)] for name, content in contents.items()}
    with state_dir(place, "lines") as state, served(state, commands) as ports:
        places = {name: f"{port}/{name}" for name, port in ports.items()}
        rounds = machine.quietly(lambda: _round(state, contents, places), ROUNDS)
    rates = {name: [one[name] for one in rounds.values] for name in contents}
    ours, article = median(rates["ours"]), median(rates["article"])
    return Measured(
        figures=[
            Figure(
                what="100-byte lines, command → disk → one viewer over HTTP, against the article's server",
                wanted=f"≥ {TIMES_ARTICLE:g} x",
                measured=f"{ours / article:.0f} x ({ours:.0f} and {article:.2f} MB/s)",
                spread=f"{spread(rates['ours'], 'MB/s', 0)}; {spread(rates['article'], 'MB/s (article)', 3)}",
                is_met=ours / article >= TIMES_ARTICLE,
                conditions=f"text; {machine.file_system(place)}; raw socket; SHA-256 right",
            )
        ],
        details=[
            f"`cat` of {OURS_BYTES >> 20} MiB here, {ARTICLE_BYTES >> 20} MiB there, from request to end of body",
            str(rounds),
        ],
    )


def _round(state: Path, contents: dict[str, Content], places: dict[str, str]) -> dict[str, float]:
    rates = {name: _rate(content, places[name]) for name, content in contents.items()}
    _forget_runs(state)
    return rates


def _rate(content: Content, where: str) -> float:
    seen = cast("dict[str, float]", ask_client("drain", str(content.size), where))
    assert seen["bytes"] == content.size
    assert seen["sha256"] == content.sha256, "the bytes are not those that the command printed"
    return content.size / seen["seconds"] / 1e6


def _forget_runs(state: Path) -> None:
    """Make room: outputs of rounds before would be written back during the next one."""
    for output in state.glob("runs/*/output"):
        output.write_bytes(b"")
