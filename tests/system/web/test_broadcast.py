"""Many viewers of one run: read once, framed once, and each gets what it would get alone."""

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tailrace import Engine, Run
from tailrace.core.errors import TailraceError
from tailrace.engine.base import Retention
from tailrace.web import broadcast
from tests.support.wait import wait_for
from tests.system.web.conftest import EACH_PATH
from tests.system.web.gate import gated
from tests.system.web.sites import Site
from tests.system.web.told import assert_stopped_by_ladder
from tests.unit.core.wires.event_source import parse

pytestmark = EACH_PATH

WIRES = ("text", "lines", "sse", "ndjson", "cast")
PRINTS = """
import os, random, sys, time
chance = random.Random(7)
text = "é日本\\U0001f600 line\\nhalf\\rmore\\x1b[31m\\n\\n".encode() * 20
for _ in range(300):
    begin = chance.randrange(len(text))
    os.write(chance.choice((1, 1, 1, 2)), text[begin : begin + chance.randrange(1, 200)])
    if chance.random() < 0.2:
        time.sleep(chance.random() / 50)
"""
"""writes scraps: of characters, of lines, of both streams, with silences before and beyond 50 ms"""


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    assert not broadcast.going()


class Viewer:
    """Watches in a thread, from somewhere on; `held` stops it between two pieces."""

    def __init__(self, app: Site, path: str) -> None:
        self.path = path
        self.pieces: list[bytes] = []
        self.error: BaseException | None = None
        self.goes_on = threading.Event()
        self.goes_on.set()
        self._response = app.get(path)
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    @property
    def seen(self) -> bytes:
        """What has come."""
        return b"".join(self.pieces)

    def done(self) -> bytes:
        """Return everything, when it has ended."""
        self._thread.join(60)
        assert not self._thread.is_alive(), self.path
        return self.seen

    def _watch(self) -> None:
        try:
            for piece in self._response.pieces:
                self.pieces.append(piece)
                self.goes_on.wait()
        except ConnectionResetError as error:
            self.error = error
        finally:
            self._response.close()


def _is_past(run: Run, size: int) -> bool:
    info = run.info()
    return info.size > size or info.is_finished


def _has(viewer: Viewer, size: int) -> bool:
    return len(viewer.seen) >= size


def output_of(wire: str, body: bytes) -> list[object]:
    """Return what the body says of the output, without states, and with stretches of one stream joined."""
    if wire == "text":
        return [body.decode("latin-1")]
    if wire == "lines":
        return [(event.data, event.last_event_id) for event in parse(body) if event.type not in ("state", "end")]
    if wire == "cast":
        rows = [json.loads(row) for row in body.splitlines()[1:]]
        return ["".join(text for _time, kind, text in rows if kind == "o")]
    if wire == "sse":
        objects = [json.loads(event.data) for event in parse(body) if event.type == "output"]
    else:
        objects = [row for row in map(json.loads, body.splitlines()) if row["type"] == "output"]
    assert [row["offset"] for row in objects] == sorted({row["offset"] for row in objects})
    return ["".join(row["text"] for row in objects), sorted({row["stream"] for row in objects})]


@pytest.mark.parametrize("wire", WIRES)
def test_all_get_what_one_gets_alone(app: Site, engine: Engine, wire: str) -> None:
    """They come at any time, and each has the whole."""
    run = engine.start(["python3", "-c", PRINTS])
    path = f"/watch/{run.id}?format={wire}"
    viewers = [Viewer(app, path)]
    for number in range(1, 20):
        wait_for(partial(_is_past, run, 800 * number))
        viewers.append(Viewer(app, path))
    run.wait(60)
    alone = app.get(path).data
    expected = output_of(wire, alone)
    assert expected
    for viewer in viewers:
        assert output_of(wire, viewer.done()) == expected
        assert viewer.error is None


def test_a_run_is_read_once(app: Site, engine: Engine, state_dir: Path, tmp_path: Path) -> None:
    """Ten viewers that have all there is hold one descriptor of the output, and get the next line at the same time."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one", gate, "echo two"))
    viewers = [Viewer(app, f"/watch/{run.id}") for _ in range(10)]
    output = state_dir / "runs" / run.id / "output"

    def open_outputs() -> int:
        links = [entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return links.count(output)

    wait_for(lambda: [viewer.seen for viewer in viewers] == [b"one\n"] * 10 and open_outputs() == 1)
    assert [shared.members for shared in broadcast.going()] == [10]
    gate.touch()
    assert [viewer.done() for viewer in viewers] == [b"one\ntwo\n"] * 10
    assert open_outputs() == 0


def test_who_falls_behind_reads_on_alone(app: Site, engine: Engine) -> None:
    """One stops while more is printed than the broadcast keeps; then it goes on, and misses nothing."""
    run, line = engine.start(["cat"], stdin=True), b"x" * 1023 + b"\n"
    slow, fast = (Viewer(app, f"/watch/{run.id}") for _ in range(2))
    run.send(line)
    wait_for(lambda: slow.seen == fast.seen == line)
    wait_for(lambda: [shared.members for shared in broadcast.going()] == [2])
    slow.goes_on.clear()
    run.send(line)  # which it gets, and holds
    for number in range(1, 39):
        run.send(line * 64)
        wait_for(partial(_has, fast, (2 + 64 * number) << 10))
    assert len(slow.seen) < 1 << 20
    slow.goes_on.set()
    wait_for(lambda: slow.seen == fast.seen)
    wait_for(lambda: [shared.members for shared in broadcast.going()] == [2], what="it to be back")
    run.send(b"last\n")
    run.close_input()
    assert slow.done() == fast.done() == line * (2 + 38 * 64) + b"last\n"


def test_a_lost_run_is_told_to_all(app: Site, engine: Engine) -> None:
    """The keeper is killed: nobody takes the text for whole, and the wires that can tell do so."""
    run = engine.start(["sh", "-c", "echo begun; read go; kill -9 $PPID; sleep 1000"], stdin=True)
    viewers = [Viewer(app, f"/watch/{run.id}?format={wire}") for wire in ("text", "ndjson") for _ in range(5)]
    wait_for(lambda: all(b"begun" in viewer.seen for viewer in viewers))
    wait_for(lambda: sorted(shared.members for shared in broadcast.going()) == [5, 5])
    with suppress(TailraceError):  # the keeper is killed before it can answer
        run.send(b"\n")
    ends = [viewer.done() for viewer in viewers]
    assert [viewer.error is None for viewer in viewers] == [False] * 5 + [True] * 5
    assert {json.loads(end.splitlines()[-1])["outcome"]["kind"] for end in ends[5:]} == {"lost"}


def test_states_are_told_to_all(app: Site, engine: Engine) -> None:
    """Each sees once that the run is being stopped, by whom, by which signals, and then its end."""
    ladder = [("INT", 1.0), ("KILL", 0.0)]
    run = engine.start(["sh", "-c", "trap '' INT; echo ready; while :; do sleep 0.1; done"], ladder=ladder)
    viewers = [Viewer(app, f"/watch/{run.id}?format=sse") for _ in range(5)]
    wait_for(lambda: all(_counts(viewer, b'"ready\\n"', 1) for viewer in viewers))
    run.stop(by="test")
    for viewer in viewers:
        assert_stopped_by_ladder(parse(viewer.done()))


def test_half_a_line_comes_to_all_after_a_silence(app: Site, engine: Engine) -> None:
    """A prompt without its newline."""
    run = engine.start(["sh", "-c", "echo one; read go; printf 'your name? '; read name; echo $name"], stdin=True)
    viewers = [Viewer(app, f"/watch/{run.id}?format=ndjson") for _ in range(5)]
    wait_for(lambda: [shared.members for shared in broadcast.going()] == [5])
    run.send(b"\n")
    wait_for(lambda: all(b'"your name? "' in viewer.seen for viewer in viewers))
    late = Viewer(app, f"/watch/{run.id}?format=ndjson")
    wait_for(lambda: b'"your name? "' in late.seen)
    run.send(b"Ada\n")
    assert {str(output_of("ndjson", viewer.done())) for viewer in (*viewers, late)} == {
        "['one\\nyour name? Ada\\n', ['stdout']]"
    }


def test_a_run_that_is_removed_is_shown_to_its_end(app: Site, engine: Engine) -> None:
    """Pruned when it has just ended: who watches has it all the same, or is told that it has not."""
    runs = [engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True) for _ in range(10)]
    viewers = {run.id: [Viewer(app, f"/watch/{run.id}?format=lines") for _ in range(5)] for run in runs}
    wait_for(lambda: sorted(shared.members for shared in broadcast.going()) == [5] * 10)
    pruning = threading.Thread(target=_prune_until_gone, args=(engine, runs))
    pruning.start()
    for run in runs:
        run.send(b"\n")
    pruning.join(60)
    for some in viewers.values():
        assert {tuple(event.data for event in parse(viewer.done()) if event.type == "message") for viewer in some} == {
            ("one", "two")
        }


def _prune_until_gone(engine: Engine, runs: list[Run]) -> None:
    removed = 0
    while removed < len(runs):
        removed += engine.prune(Retention(count=0)).runs


def test_alone_or_together_with_intervals_and_ranges(app: Site, engine: Engine, tmp_path: Path) -> None:
    """Viewers with wishes of their own do not share, and hear the same."""
    gate = tmp_path / "gate"
    run = engine.start(gated("echo one; echo err >&2", gate, "echo two"))
    paths = (f"/watch/{run.id}?stream=stdout", f"/paced/{run.id}?interval=60&format=text")
    viewers = [Viewer(app, path) for path in paths]
    wait_for(lambda: all(b"one\n" in viewer.seen for viewer in viewers))
    gate.touch()
    assert viewers[0].done() == b"one\ntwo\n"
    assert sorted(viewers[1].done().splitlines()) == [b"err", b"one", b"two"]


@pytest.mark.parametrize("wire", ["sse", "ndjson"])
def test_a_prompt_that_waits_already_comes_to_the_first_viewer(app: Site, engine: Engine, wire: str) -> None:
    """It was printed before anybody came, and nothing is printed after it."""
    run = engine.start(["sh", "-c", "printf 'your name? '; read name; echo $name"], stdin=True)
    wait_for(lambda: run.info().size == len("your name? "))
    viewer = Viewer(app, f"/watch/{run.id}?format={wire}")
    wait_for(lambda: b'"your name? "' in viewer.seen)
    run.send(b"Ada\n")
    viewer.done()


@pytest.mark.parametrize("count", [1, 3])
def test_a_run_whose_keeper_and_runner_are_killed_is_settled_by_its_viewers(
    app: Site, engine: Engine, state_dir: Path, count: int
) -> None:
    """Nobody else is there to find it dead."""
    run = engine.start(["sh", "-c", "echo begun; exec sleep 1000"])
    viewers = [Viewer(app, f"/watch/{run.id}?format={wire}") for wire in ("sse", "ndjson") for _ in range(count)]
    wait_for(lambda: sorted(shared.members for shared in broadcast.going()) == [count, count])
    keeper = json.loads((state_dir / "runs" / run.id / "live.json").read_bytes())["keeper"]["pid"]
    os.kill(int((state_dir / "runner.lock").read_text().split()[0]), signal.SIGKILL)
    os.kill(keeper, signal.SIGKILL)
    for viewer in viewers:
        assert b'"kind":"lost"' in viewer.done()


def test_a_recording_ends_when_its_run_did(app: Site, engine: Engine) -> None:
    """The last marker has the time of the last event, also for who shared."""
    run = engine.start(["sh", "-c", "echo one; read go; echo two"], stdin=True)
    viewers = [Viewer(app, f"/watch/{run.id}?format=cast") for _ in range(3)]
    wait_for(lambda: [shared.members for shared in broadcast.going()] == [3])
    run.send(b"\n")
    for viewer in viewers:
        *_head, last, marker = map(json.loads, viewer.done().splitlines())
        assert (last[1], marker[1]) == ("o", "m")
        assert marker[0] == last[0] > 0


def test_who_stalls_still_learns_of_the_state(app: Site, engine: Engine) -> None:
    """The news has left the log before it was taken."""
    ladder = [("INT", 60.0), ("KILL", 0.0)]
    run = engine.start(["sh", "-c", "trap 'echo no' INT; echo ready; while :; do sleep 0.1; done"], ladder=ladder)
    slow, fast = (Viewer(app, f"/watch/{run.id}?format=sse") for _ in range(2))
    wait_for(lambda: all(_counts(viewer, b'"ready\\n"', 1) for viewer in (slow, fast)))  # and the trap is set
    wait_for(lambda: [shared.members for shared in broadcast.going()] == [2])
    slow.goes_on.clear()
    for count in (1, 2):
        run.signal(signal.SIGINT)
        wait_for(partial(_counts, fast, b'"no\\n"', count))
    run.stop(by="test")
    wait_for(lambda: b'"stopping"' in fast.seen)
    [shared] = broadcast.going()
    wait_for(lambda: not shared.log.pieces, what="the log to be emptied")
    slow.goes_on.set()
    wait_for(lambda: b'"stopping"' in slow.seen)
    run.stop(now=True)
    slow.done()
    fast.done()


def _counts(viewer: Viewer, what: bytes, count: int) -> bool:
    """Tell whether it was seen so often. A text in JSON needs its quotes: a run's state has its argv, all of it."""
    return viewer.seen.count(what) >= count
