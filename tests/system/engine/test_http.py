"""The engine behind a server, over a network that is held up, cut, and slow."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import tailrace
from tailrace.core.errors import EngineError, EngineUnavailable, InvalidInput, NotAllowed, StreamBroken
from tailrace.core.lineindex import RECORD_BYTES, STRIDE_BYTES
from tailrace.core.outcome import Exited, OutputLimit
from tailrace.core.piece import Counted, Reach, Spot
from tailrace.core.timeline import Stream
from tailrace.engine.base import Cursor, End
from tailrace.engine.http import HttpEngine
from tailrace.engine.remote import connections
from tailrace.engine.remote.cursor import HttpCursor
from tailrace.engine.remote.inlet import BUFFER_BYTES
from tailrace.testing.engine.viewer import Seen, cat, ended, python, shell, watch, watch_cursor, watch_until
from tests.support.relay import Relay
from tests.support.remote import Started, server
from tests.support.wait import wait_for
from tests.system.web.server import Server

__all__ = ["server"]  # a fixture, by its name here

WORDS = "import os\nfor n in range(20000): os.write(1 + n % 2, b'line %d \\xe2\\x82\\xac\\n' % n)"
SLOW = """
import signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [10])
print("ready")
signal.sigwait([10])
print(len(sys.stdin.buffer.read()))
"""
THREADS = ("--worker-class", "gthread", "--threads", "8")
NOISE = "import os, random\nr = random.Random(7)\nfor _ in range(60): os.write(1, r.randbytes(5000))"


@contextmanager
def serving(state_dir: Path, tmp_path: Path, *options: str, is_tls: bool = False) -> Iterator[Server]:
    """Have gunicorn serve the directory, with a few declared commands, under `/ops` and `/secret`."""
    gunicorn = ("-m", "gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}", *options)
    command = (*gunicorn, "tests.system.cli.distant:make_app()")
    env = {"TAILRACE_STATE": str(state_dir)}
    with closing(Server("gunicorn", tmp_path / "log", env, command, is_tls=is_tls)) as made:
        yield made


@pytest.fixture
def relay(server: Server) -> Iterator[Relay]:
    """Give a network between the engine and its server."""
    with Relay(server.port) as relay:
        yield relay


@pytest.fixture
def engine(relay: Relay, state_dir: Path) -> Iterator[Started]:
    """Give an engine behind the server, on the other side of the relay."""
    engine = Started(f"http://127.0.0.1:{relay.port}/{state_dir.name}/ops", state_dir)
    yield engine
    engine.close()


def of_disk(state_dir: Path, run_id: str) -> Seen:
    """Return what a viewer on the server's machine sees."""
    with closing(tailrace.connect(state_dir)) as disk:
        return watch(disk, run_id)


def watch_some(cursor: Cursor) -> Seen:
    """Return what comes next, when it has come."""
    changed, seen = threading.Event(), Seen()
    cursor.on_change(changed.set)
    while not seen.chunks and seen.end is None:
        changed.clear()
        match cursor.look():
            case None:
                assert changed.wait(60)
            case End(run=run):
                seen.end = run
            case list() as chunks:
                seen.chunks += chunks
            case gap:
                pytest.fail(f"{gap} is missing")
    return seen


def by_label(seen: Seen) -> list[tuple[Stream, bytes]]:
    """Return what was seen, in stretches of one stream."""
    joined: list[tuple[Stream, bytes]] = []
    for chunk in seen.chunks:
        if joined and joined[-1][0] is chunk.stream:
            joined[-1] = (chunk.stream, joined[-1][1] + chunk.data)
        else:
            joined.append((chunk.stream, chunk.data))
    return joined


@pytest.mark.parametrize("code", [WORDS, NOISE], ids=["text", "binary"])
def test_cuts_anywhere_lose_nothing(engine: Started, relay: Relay, state_dir: Path, code: str) -> None:
    """The connection is cut again and again, within events, headers and ranges: the same bytes, with their labels."""
    run = python(engine, code)
    ended(run)
    accepted = relay.accepted
    relay.cuts = [3_000, 5, 300, 700, 1500, 9_999, 20_001, 65_536, 100_000]
    with closing(engine.cursor(run.id)) as cursor:
        seen = watch_cursor(cursor)
    there = of_disk(state_dir, run.id)
    assert seen.data == there.data
    assert by_label(seen) == by_label(there)
    assert relay.accepted > accepted + 3


def test_only_what_is_no_text_is_fetched_by_itself(engine: Started, relay: Relay) -> None:
    """Text comes once, over the stream; a piece with other bytes in it once more, as a range."""
    run = python(engine, WORDS)
    watch(engine, run.id)
    assert b"Range:" not in relay.asked
    odd = shell(engine, r"echo one; printf 'a\377b\n\357\277\275\n'; exec sleep 0.01")
    seen = watch(engine, odd.id)
    assert seen.data == b"one\na\xffb\n\xef\xbf\xbd\n"
    assert b"Range: bytes=" in relay.asked


def test_a_silent_connection_is_noticed(engine: Started, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where not even a heartbeat comes any more, another connection is made, which goes on."""
    monkeypatch.setattr(connections, "SILENCE_S", 0.5)
    run = cat(engine)
    with closing(engine.cursor(run.id)) as cursor:
        run.send(b"one\n")
        watch_cursor(cursor, until=b"one\n")
        accepted = relay.accepted
        wait_for(lambda: relay.accepted > accepted)
        run.send(b"two\n")
        run.close_input()
        assert watch_cursor(cursor).data == b"two\n"
        assert isinstance(cursor, HttpCursor)
        news = cursor.take_news()
        assert news[0] == "connection lost at byte 4 (nothing came, not even a heartbeat); trying again"
        assert "resumed at byte 4" in news


def test_who_does_not_read_has_a_full_buffer_and_no_more(engine: Started, state_dir: Path) -> None:
    """The network is not read on until there is room; then everything is there."""
    run = engine.start(["seq", "3000000"])
    ended(run)
    with closing(engine.cursor(run.id)) as cursor:
        assert isinstance(cursor, HttpCursor)
        inlet = cursor._inlet
        wait_for(lambda: inlet._size >= BUFFER_BYTES)
        assert inlet._size < BUFFER_BYTES + (1 << 17)
        seen = watch_cursor(cursor)
    assert seen.data == of_disk(state_dir, run.id).data


def test_a_look_waits_for_what_is_known_to_be_there(engine: Started) -> None:
    """As on a disk, what there was when one began to look is not "nothing yet"; what is held up for long is."""
    run = shell(engine, "echo one; exec sleep 600")
    watch_until(engine, run.id, b"one\n")
    with closing(engine.cursor(run.id)) as cursor:
        chunks = cursor.look()
        assert isinstance(chunks, list)
        assert chunks[0].data == b"one\n"
        assert cursor.look() is None


def test_closing_ends_the_connection(engine: Started) -> None:
    """At once, although the run is silent, and the thread with it; also if nobody closes and all is forgotten."""
    run = cat(engine)

    def threads() -> int:
        return sum(thread.name == "tailrace inlet" for thread in threading.enumerate())

    wait_for(lambda: threads() == 0)
    cursor = engine.cursor(run.id)
    forgotten = engine.cursor(run.id)
    assert threads() == 2
    cursor.close()
    wait_for(lambda: threads() == 1)
    del forgotten
    wait_for(lambda: threads() == 0)


def test_gaps_are_told(engine: Started) -> None:
    """What an output limit left out, and how the run ended."""
    run = engine.start(["yes"], max_output=1000, ladder=[("KILL", 0.0)])
    seen = watch(engine, run.id)
    assert seen.end is not None
    assert (seen.end.outcome, len(seen.data)) == (OutputLimit(), 1000)
    assert [(gap.begin, gap.end) for gap in seen.gaps] == [(1000, 1000 + seen.end.dropped)]


def test_connections_are_used_again(state_dir: Path, tmp_path: Path) -> None:
    """Many looks take one connection; when it has been closed meanwhile, another is made without a word."""
    with serving(state_dir, tmp_path, *THREADS) as gunicorn, Relay(gunicorn.port) as relay:
        engine = Started(f"http://127.0.0.1:{relay.port}/ops", state_dir)
        with closing(engine):
            run = shell(engine, "exit 4")
            wait_for(lambda: engine.get(run.id).outcome == Exited(4))
            accepted = relay.accepted
            for _ in range(20):
                engine.get(run.id)
            assert relay.accepted <= accepted + 1
            relay.cut()
            assert engine.get(run.id).outcome == Exited(4)


def test_slow_commands_take_their_input_when_they_like(engine: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a server waits for: the next message waits until the keeper has got rid of the one before."""
    asked = threading.Event()
    post = connections.Connections.post

    def noted(self: connections.Connections, path: str, body: bytes = b"", content_type: str | None = None) -> object:
        reply = post(self, path, body, content_type)
        if reply.status == 409:
            asked.set()
        return reply

    monkeypatch.setattr(connections.Connections, "post", noted)
    run = python(engine, SLOW, stdin=True)

    def send() -> None:
        run.send(bytes(200_000))
        run.close_input()

    sender = threading.Thread(target=send)
    sender.start()
    assert asked.wait(60)
    with closing(tailrace.connect(engine._disk.state.path)) as disk:
        tailrace.Run(disk, run.id).signal(10)
    assert watch(engine, run.id).data == b"ready\n200000\n"
    sender.join()


def test_a_server_that_is_away_is_told_from_one_that_refuses(relay: Relay, state_dir: Path) -> None:
    """Nothing there; something else there; no API there."""
    with closing(tailrace.connect("http://127.0.0.1:1")) as nowhere, pytest.raises(EngineUnavailable):
        nowhere.list(tailrace.Query())
    with closing(tailrace.connect(f"http://127.0.0.1:{relay.port}")) as other, pytest.raises(EngineError):
        other.list(tailrace.Query())
    url = f"http://127.0.0.1:{relay.port}/{state_dir.name}/none"
    with closing(tailrace.connect(url)) as none, pytest.raises(InvalidInput) as caught:
        none.list(tailrace.Query())
    assert str(caught.value) in {"the server answers 404 Not Found", "there is nothing at this address"}


def test_a_token_is_sent_and_not_shown(relay: Relay, monkeypatch: pytest.MonkeyPatch, state_dir: Path) -> None:
    """From the environment or as an argument, which wins; never in what is printed."""
    monkeypatch.setenv("TAILRACE_TOKEN", "first")
    url = f"http://127.0.0.1:{relay.port}/{state_dir.name}/ops"
    for token, sent in ((None, b"first"), ("second", b"second")):
        with closing(tailrace.connect(url, token=token)) as engine:
            engine.list(tailrace.Query())
            assert b"Authorization: Bearer %b\r\n" % sent in relay.asked
            assert sent.decode() not in repr(engine)
    for bad in ("a b", "a\r\nX: y", "\u00e9"):
        with pytest.raises(InvalidInput) as caught:
            tailrace.connect(url, token=bad)
        assert bad not in str(caught.value)


def test_nothing_of_http_is_imported_without_need(state_dir: Path) -> None:
    """Neither by `import tailrace`, nor by an engine of this machine, nor by its commands."""
    code = """
import sys
import tailrace, tailrace.cli.run, tailrace.cli.follow, tailrace.cli.stop, tailrace.cli.list
tailrace.connect().list(tailrace.Query())
print([name for name in ("http.client", "ssl", "tailrace.engine.http") if name in sys.modules])
"""
    assert state_dir.is_dir()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_tls_is_verified(state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody trusts is refused, one that SSL_CERT_FILE names is taken, and the stream follows."""
    key, certificate = tmp_path / "key", tmp_path / "certificate"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    make += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    options = ("--certfile", str(certificate), "--keyfile", str(key))
    with serving(state_dir, tmp_path, *THREADS, *options, is_tls=True) as server:
        url = f"https://127.0.0.1:{server.port}/ops"
        with closing(tailrace.connect(url)) as engine, pytest.raises(EngineError) as caught:
            engine.list(tailrace.Query())
        assert "SSL_CERT_FILE" in caught.value.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        with closing(HttpEngine(url)) as engine:
            run = engine.start_command("gated", {"gate": str(tmp_path / "gate")})
            with closing(engine.cursor(run.id)) as cursor, closing(engine.cursor(run.id)):
                watch_cursor(cursor, until=b"begun\n")
                server.kill()
                server.restart()
                (tmp_path / "gate").touch()
                seen = watch_cursor(cursor)
            assert (seen.data, seen.end and seen.end.outcome) == (b"done\n", Exited(3))


def test_a_refusal_in_the_middle_is_final(state_dir: Path, tmp_path: Path) -> None:
    """Who may not see the run any more is told so, behind what came before."""
    with serving(state_dir, tmp_path, *THREADS) as other, Relay(other.port) as relay:
        engine = HttpEngine(f"http://127.0.0.1:{relay.port}/secret", token="let-me-in")
        with closing(tailrace.connect(state_dir)) as disk, closing(engine):
            run = shell(disk, "echo one; exec sleep 600")
            with closing(engine.cursor(run.id)) as cursor:
                watch_cursor(cursor, until=b"one\n")
                engine._connections._headers["Authorization"] = "Bearer expired"
                relay.cut()
                with pytest.raises(StreamBroken, match="you may not view any run"):
                    watch_cursor(cursor)
            engine.close()
            with pytest.raises(NotAllowed):
                engine.get(run.id)


def test_lines_that_are_being_counted(engine: Started, state_dir: Path) -> None:
    """Who has to know where a line is waits until the server does; what is found backwards is there at once."""
    size = 210_000_000
    run = shell(engine, f"yes 'a line' | head -c {size}")
    ended(run)
    index = state_dir / "runs" / run.id / "lines"
    wait_for(lambda: index.exists() and index.stat().st_size == size // STRIDE_BYTES * RECORD_BYTES)
    index.unlink()
    with closing(engine.cursor(run.id)) as cursor:
        lines = cursor.lines()
        assert lines.back(200_000_001, 10, 1 << 20) == Reach(10, 7 * (200_000_000 // 7 - 9))
        assert lines.count(1).size == size
        assert lines.at(196_000_000) == Spot(28_000_001, 196_000_000)
        assert lines.count() == Counted(size // 7, size, size)
    index.unlink()
    with closing(engine.cursor(run.id, line=28_000_001)) as cursor:
        assert cursor.offset == 196_000_000
