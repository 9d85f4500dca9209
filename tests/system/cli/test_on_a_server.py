"""`follow URL`, `run --on URL` and the other commands with `--on`: a real server, that is killed and comes back."""

import base64
import hashlib
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import tailrace
from tailrace import Engine, Query
from tailrace.core.outcome import Exited, Stopped
from tailrace.core.run import RunInfo
from tailrace.core.timeline import Stream
from tailrace.engine.base import Engine as AnyEngine
from tailrace.testing.engine.viewer import watch
from tests.support.wait import wait_for
from tests.system.cli.conftest import Program
from tests.system.cli.distant import COMMANDS, TOKEN
from tests.system.doctor.nginx import proxied
from tests.system.web.gate import WAIT
from tests.system.web.server import Server

BOTH = "printf 'one\\ntwo\\n'; sleep 0.05; printf 'oops\\n' >&2; sleep 0.05; printf 'three'; exit 9"
BINARY = "import os, random\nr = random.Random(7)\nfor _ in range(40): os.write(1, r.randbytes(5000))"
LONG = "import os\nfor _ in range(16): os.write(1, b'x' * (1 << 16))"
MIXED = "import os\nfor n in range(2000): os.write(1, b'out %d\\n' % n); os.write(2, b'err %d \\xff\\n' % n)"
FORMS = ("/runs/{}", "/api/runs/{}", "/api/runs/{}/output?from=3#L2", "/runs/{}/")
SERVERS = {
    "werkzeug": ("-m", "tests.system.cli.distant", "{port}"),
    "gunicorn": (
        *("-m", "gunicorn", "--no-control-socket", "--graceful-timeout", "1", "--bind", "127.0.0.1:{port}"),
        *("--worker-class", "gthread", "--threads", "16", "tests.system.cli.distant:make_app()"),
    ),
    "serve": ("-m", "tailrace", "serve", str(COMMANDS), "--port", "{port}"),
}


@pytest.fixture(params=["werkzeug", "serve"])
def server(request: pytest.FixtureRequest, state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give a server of the same state directory: Flask's blueprint, under `/ops`, and `tailrace serve`."""
    with closing(_server(request.param, state_dir, tmp_path)) as made:
        yield made


@pytest.fixture(params=["gunicorn", "serve"])
def strong(request: pytest.FixtureRequest, state_dir: Path, tmp_path: Path) -> Iterator[Server]:
    """Give one that is told to stop, not only killed."""
    with closing(_server(request.param, state_dir, tmp_path)) as made:
        yield made


def _server(kind: str, state_dir: Path, tmp_path: Path) -> Server:
    ping = ("/healthz", b'{"status":"ok"}') if kind == "serve" else ("/ping", b"pong")
    return Server(kind, tmp_path / "server.log", {"TAILRACE_STATE": str(state_dir)}, SERVERS[kind], ping=ping)


def base_of(server: Server) -> str:
    """Return what `--on` is to say."""
    return server.url if server.kind == "serve" else f"{server.url}/ops"


@pytest.fixture
def on(server: Server) -> str:
    """Give what `--on` is to say."""
    return base_of(server)


blueprint_alone = pytest.mark.parametrize("server", ["werkzeug"], indirect=True)
"""what is tested is of this side, or of the application: one server will do"""


class Following:
    """A `tailrace` that shows a run from the server, into files."""

    def __init__(self, program: Program, tmp_path: Path, *args: str) -> None:
        self.out, self.err = tmp_path / "out", tmp_path / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = program.start(*args, stdout=out.fileno(), stderr=err.fileno())

    def until_shown(self, size: int) -> None:
        """Wait until so many bytes have come out."""
        wait_for(lambda: self.out.stat().st_size >= size, what=f"{size} bytes of output")

    def until_said(self, text: str, times: int = 1) -> None:
        """Wait until this has been said."""
        wait_for(lambda: self.err.read_text(errors="replace").count(text) >= times, what=f"{text!r} on stderr")


def newest(engine: AnyEngine) -> RunInfo:
    """Return the newest run."""
    return engine.list(Query(limit=1)).runs[0]


def digest(data: bytes) -> str:
    """Return what is compared; a difference of a megabyte is not for people to read."""
    return hashlib.sha256(data).hexdigest()


def python(code: str, gate: Path) -> list[str]:
    """Return a command that prints what the code prints, twice: the second time when the gate is there."""
    return ["sh", "-c", f'python3 -c "$1"; {WAIT}; python3 -c "$1"; exit 3', str(gate), code]


# Following


@pytest.mark.parametrize("form", FORMS)
def test_every_address_of_a_run_is_followed(program: Program, on: str, form: str) -> None:
    """Its page, its place in the API, its output: stdout on stdout, stderr on stderr, and the run's exit code."""
    run_id = program.detached("--", "sh", "-c", BOTH)
    done = program("follow", on + form.format(run_id))
    assert (done.returncode, done.stdout, done.stderr) == (9, b"one\ntwo\nthree", b"oops\n")


@blueprint_alone
def test_options_are_the_same(program: Program, on: str) -> None:
    """From a byte, the last lines, one stream, another form; and `last`, where the server is named."""
    program("run", "--", "sh", "-c", BOTH)
    follow = ("follow", "--on", on, "last")
    assert program(*follow, "--from", "4").stdout == b"two\nthree"
    assert program(*follow, "--from", "18").stdout == b""
    tail = program(*follow, "--tail", "2")
    assert (tail.stdout, tail.stderr) == (b"three", b"oops\n")
    assert program(*follow, "--stream", "stderr").stderr == b"oops\n"
    assert b'"text":"oops\\n"' in program(*follow, "--format", "ndjson").stdout
    beyond = program(*follow, "--from", "19")
    assert beyond.returncode == 2
    assert b"beyond the output" in beyond.stderr


@blueprint_alone
def test_no_follow_shows_what_there_is(program: Program, on: str, until_printed: Callable[[str, bytes], None]) -> None:
    """All of it, a line without its end and half a character's worth of patience included; then 0."""
    run_id = program.detached("--", "sh", "-c", r"seq 20000; printf 'prompt> \303'; exec sleep 600")
    until_printed(run_id, b"prompt> \xc3")
    done = program("follow", "--no-follow", "--on", on, run_id)
    assert done.returncode == 0
    assert done.stdout.removesuffix(b"\xc3").endswith(b"\n20000\nprompt> ")
    assert program("follow", "--no-follow", "--stream", "stderr", "--on", on, run_id).stderr == b""


@pytest.mark.parametrize("code", [BINARY, LONG, MIXED], ids=["binary", "a megabyte of one line", "two streams"])
def test_a_killed_server_loses_nothing(
    program: Program, server: Server, engine: Engine, tmp_path: Path, code: str
) -> None:
    """Killed in the middle, away while the command goes on and ends, and back: every byte, once, and the exit code."""
    gate = tmp_path / "gate"
    run = engine.start(python(code, gate))
    following = Following(program, tmp_path, "follow", f"{base_of(server)}/runs/{run.id}")
    following.until_shown(10_000)
    server.kill()
    gate.touch()
    following.until_said("connection lost at byte")
    assert run.wait(60).outcome == Exited(3)
    server.restart()
    assert following.process.wait(60) == 3
    whole = watch(engine, run.id)
    assert digest(following.out.read_bytes()) == digest(whole.of(Stream.STDOUT))
    said = following.err.read_bytes().splitlines(keepends=True)
    assert digest(b"".join(line for line in said if not line.startswith(b"tailrace: "))) == digest(
        whole.of(Stream.STDERR)
    )
    assert b"resumed at byte" in b"".join(said)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_flood_survives_restarts(
    program: Program, strong: Server, engine: Engine, tmp_path: Path, number: signal.Signals
) -> None:
    """The server ends three times while it sends as fast as it can; the digest is the file's."""
    run = engine.start(["seq", "1500000"])
    following = Following(program, tmp_path, "follow", f"{base_of(strong)}/runs/{run.id}")
    for size in (1, 2_000_000, 4_000_000):
        following.until_shown(size)
        if number is signal.SIGTERM:
            strong.process.terminate()
            strong.process.wait(60)
        else:
            strong.kill()
        strong.restart()
    assert following.process.wait(100) == 0, following.err.read_text()
    assert digest(following.out.read_bytes()) == digest(watch(engine, run.id).data)


def test_a_run_that_goes_meanwhile_is_no_whole_one(
    program: Program, server: Server, engine: Engine, tmp_path: Path
) -> None:
    """Pruned while the server was away: what came is there, and 125 says that the rest is not."""
    gate = tmp_path / "gate"
    run = engine.start(python("print('begun')", gate))
    following = Following(program, tmp_path, "follow", f"{base_of(server)}/runs/{run.id}")
    following.until_shown(6)
    server.kill()
    gate.touch()
    run.wait(60)
    assert program("prune", "--keep", "0").returncode == 0
    server.restart()
    assert following.process.wait(60) == 125
    assert "has been removed" in following.err.read_text()


def test_a_server_that_is_not_there_is_said(program: Program, server: Server) -> None:
    """At first there is nothing to resume: 125, and what to look at. Other addresses are the caller's mistake."""
    run_id = program.detached("--", "true")
    server.kill()
    done = program("follow", f"{base_of(server)}/runs/{run_id}")
    assert done.returncode == 125
    assert b"cannot be reached: connection refused" in done.stderr
    assert done.stderr.count(b"\n") == 2
    for url in ("http://", "http://h/nothing", f"http://ann:secret@h/runs/{run_id}", f"http://h:x/runs/{run_id}"):
        done = program("follow", url)
        assert done.returncode == 2
        assert b"secret" not in done.stderr
        assert done.stderr.count(b"\n") == 2


# Running


def test_a_declared_command_is_run(program: Program, on: str, engine: Engine) -> None:
    """With its parameters in their types; its output and exit code are here."""
    done = program("run", "--on", on, "count", "n=5")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"1\n2\n3\n4\n5\n", b"")
    done = program("run", "--on", on, "exit", "code=7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"out\n", b"err\n")
    assert newest(engine).command == "exit"


@blueprint_alone
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["nothing"], "there is no command 'nothing' here"),
        (["count", "m=5"], "'m' is no parameter of it"),
        (["count", "n=five"], "n "),
        (["count", "five"], "'five' is not NAME=VALUE"),
        (["--pty", "count", "n=5"], "--pty is not for a command of a server"),
        (["--state-dir", "/tmp/x", "count", "n=5"], "--on and --state-dir exclude each other"),
    ],
)
def test_a_wrong_request_starts_nothing(program: Program, on: str, engine: Engine, args: list[str], said: str) -> None:
    """The server's words, or ours, and a hint; 2."""
    done = program("run", "--on", on, *args)
    assert done.returncode == 2
    assert said in done.stderr.decode()
    assert b"hint: " in done.stderr
    assert engine.list(Query()).runs == ()


@blueprint_alone
def test_detached_it_is_only_started(program: Program, on: str, engine: Engine) -> None:
    """The id is printed, and nothing else."""
    done = program("run", "--detach", "--on", on, "polite")
    assert done.returncode == 0
    assert done.stdout.decode().strip() == newest(engine).id


@blueprint_alone
def test_who_joins_a_run_does_not_stop_it(program: Program, on: str, engine: Engine, tmp_path: Path) -> None:
    """It is somebody else's, of the same key: ^C only ends the watching."""
    first = program("run", "--detach", "--on", on, "shared").stdout.decode().strip()
    joining = Following(program, tmp_path, "run", "--on", on, "shared")
    joining.until_shown(6)
    joining.until_said(f"joined {first}, already running under key shared")
    joining.process.send_signal(signal.SIGINT)
    assert joining.process.wait(60) == 130
    assert not engine.get(first).is_finished


def test_interrupt_stops_the_run(program: Program, on: str, engine: Engine, tmp_path: Path) -> None:
    """^C asks the server for the end: 130, and each rung is told."""
    running = Following(program, tmp_path, "run", "--on", on, "polite")
    running.until_shown(6)
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(60) == 130
    assert "tailrace: stopping; ^C again hurries\n" in running.err.read_text()
    assert "tailrace: sent INT to 1 process" in running.err.read_text()
    assert isinstance(newest(engine).outcome, Stopped)


@blueprint_alone
def test_a_second_interrupt_hurries(program: Program, on: str, tmp_path: Path) -> None:
    """A command that ignores INT and TERM is killed at the third."""
    running = Following(program, tmp_path, "run", "--on", on, "stubborn")
    running.until_shown(6)
    for rung in ("INT", "TERM", "KILL"):
        running.process.send_signal(signal.SIGINT)
        running.until_said(f"sent {rung}")
    assert running.process.wait(60) == 130


def test_an_interrupt_is_kept_for_a_server_that_is_away(
    program: Program, server: Server, on: str, engine: Engine, tmp_path: Path
) -> None:
    """The run is stopped when the server is back; a second ^C before that leaves, and says so."""
    running = Following(program, tmp_path, "run", "--on", on, "polite")
    running.until_shown(6)
    server.kill()
    running.until_said("connection lost")
    running.process.send_signal(signal.SIGINT)
    running.until_said("stopping")
    server.restart()
    assert running.process.wait(60) == 130
    assert isinstance(newest(engine).outcome, Stopped)

    leaving = Following(program, tmp_path, "run", "--on", on, "polite")
    leaving.until_shown(6)
    server.kill()
    for said in ("stopping", f"resume: tailrace follow {newest(engine).id} --from 6 --on {on}"):
        leaving.process.send_signal(signal.SIGINT)
        leaving.until_said(said)
    assert leaving.process.wait(60) == 130
    assert not newest(engine).is_finished


@blueprint_alone
def test_terminate_and_another_shell_give_143(program: Program, on: str, tmp_path: Path) -> None:
    """SIGTERM here, or a stop from elsewhere."""
    running = Following(program, tmp_path, "run", "--on", on, "polite")
    running.until_shown(6)
    running.process.terminate()
    assert running.process.wait(60) == 143
    running = Following(program, tmp_path, "run", "--on", on, "polite")
    running.until_shown(6)
    stopped = program("stop", "--on", on, "last")
    assert (stopped.returncode, running.process.wait(60)) == (0, 143)
    assert b"tailrace: sent INT to 1 process" in stopped.stderr


@blueprint_alone
def test_who_closes_the_pipe_wants_it_no_more(program: Program, on: str, engine: Engine) -> None:
    """`head` leaves, and so the run is stopped, as one of this machine's is."""
    done = program.shell(f'"$@" run --on {on} ticking | head -n 1')
    assert done.stdout == b"tick\n"
    wait_for(lambda: newest(engine).is_finished)
    assert isinstance(newest(engine).outcome, Stopped)


def test_a_gated_run_goes_through_a_restart(program: Program, server: Server, on: str, tmp_path: Path) -> None:
    """Started over HTTP, watched over a restart, to its own exit code."""
    running = Following(program, tmp_path, "run", "--on", on, "gated", f"gate={tmp_path / 'gate'}")
    running.until_shown(6)
    server.kill()
    server.restart()
    running.until_said("resumed at byte 6")
    (tmp_path / "gate").touch()
    assert running.process.wait(60) == 3
    assert running.out.read_bytes() == b"begun\ndone\n"


def test_input_goes_there(program: Program, on: str) -> None:
    """More than any pipe or message holds, then its end."""
    data = b"some words\n" * 30_000
    done = program("run", "--input", "--on", on, "upper", stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert digest(done.stdout) == digest(data.upper())


@blueprint_alone
def test_a_lost_answer_starts_nothing_twice(program: Program, on: str, engine: Engine) -> None:
    """Nobody knows whether it has started; it is said how to find out, and that is so."""
    done = program("run", "--on", on, "lost")
    assert done.returncode == 125
    assert b"it is not known whether lost was started" in done.stderr
    assert f"`tailrace list --on {on} --command lost` shows it".encode() in done.stderr
    assert [info.command for info in engine.list(Query()).runs] == ["lost"]
    assert newest(engine).id[:11].encode() in program("list", "--on", on, "--command", "lost").stdout


# The other commands


def test_runs_are_listed_shown_and_written_to(program: Program, on: str, engine: Engine) -> None:
    """As those of this machine are, by any name that they have."""
    run = engine.start(["cat"], stdin=True, labels={"a": "b"})
    assert b"cat" in program("list", "--on", on).stdout
    wait_for(lambda: engine.get(run.id).state == "running")
    page = program("list", "--on", on, "--label", "a=b", "--json").stdout
    assert page == program("list", "--json").stdout
    assert program("list", "--on", on, "--label", "a=c").stderr == b"tailrace: no runs\n"
    for name in (run.id[:11], "last", f"{on}/runs/{run.id}"):
        place = () if "/" in name else ("--on", on)
        assert run.id.encode() in program("show", *place, name).stdout
        assert program("send", *place, name, "hello").returncode == 0
    assert program("send", "--on", on, "last", "--close").returncode == 0
    assert watch(engine, run.id).data == b"hello\n" * 3
    assert program("pin", f"{on}/runs/{run.id}").returncode == 0
    assert engine.get(run.id).pinned
    signalled = program("send", "--on", on, "last", "--signal", "TERM")
    assert signalled.returncode == 2
    assert b"takes no signal" in signalled.stderr
    late = program("send", "--on", on, "last", "more")
    assert late.returncode == 2
    assert b"is finished" in late.stderr


@blueprint_alone
def test_a_token_opens_what_is_closed(program: Program, server: Server) -> None:
    """It comes from the environment, and is never printed."""
    run_id = program.detached("--", "echo", "hi")
    url = f"{server.url}/secret/runs/{run_id}"
    assert program("follow", url, TAILRACE_TOKEN=TOKEN).stdout == b"hi\n"
    for token in ("", "wrong-token", "no token\n"):
        done = program("follow", url, TAILRACE_TOKEN=token)
        assert done.returncode == 2
        assert not token or token.encode() not in done.stderr
        assert done.stderr.count(b"\n") == 2


@blueprint_alone
def test_a_login_that_a_proxy_wants(program: Program, server: Server, tmp_path: Path) -> None:
    """It is said by an option, a file or the environment, to all commands; hints do not repeat it."""
    (tmp_path / "users").write_text("ann:{PLAIN}let me in\n")
    login = f"Authorization: Basic {base64.b64encode(b'ann:let me in').decode()}"
    (tmp_path / "login").write_text(f"# for the proxy\n{login}\n")
    headers = f"@{tmp_path / 'login'}"
    run_id = program.detached("--", "echo", "hi")
    inside = f'auth_basic "ops"; auth_basic_user_file {tmp_path / "users"};'
    with proxied(tmp_path, server.port, prefix="/ops", inside=inside) as url:
        for said in (login, headers):
            assert program("follow", f"{url}/runs/{run_id}", "--header", said).stdout == b"hi\n"
            assert program("follow", f"{url}/runs/{run_id}", TAILRACE_HEADERS=said).stdout == b"hi\n"
        options = ("--header", login)
        assert run_id.encode() in program("list", "--on", url, *options, "--json").stdout
        assert program("run", "--on", url, *options, "count", "n=2").stdout == b"1\n2\n"
        waiting = Following(program, tmp_path, "run", "--on", url, *options, "polite")
        waiting.until_shown(6)
        waiting.process.send_signal(signal.SIGHUP)
        waiting.process.wait(60)
        begun = newest(tailrace.connect(program.state_dir)).id
        waiting.until_said(f"tailrace follow {begun} --from 6 --on {url} --header 'Authorization: …'")
        assert program("stop", "--on", url, "last", *options).returncode == 0
        refused = program("follow", f"{url}/runs/{run_id}")
    assert refused.returncode == 2
    assert b"401" in refused.stderr
    assert b"TAILRACE_HEADERS" in refused.stderr


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("list", "--header", "X: y"), "none is named"),
        (("run", "--header", "X: y", "--", "true"), "none is named"),
        (("list", "--on", "http://h", "--header", "secret"), "this is no header"),
        (("list", "--on", "http://h", "--header", "Host: secret"), "said by the client itself"),
        (("list", "--on", "http://h", "--header", "@/nowhere"), "no such file"),
        (("follow", "http://h"), "tailrace list --on http://h"),
        (("follow", "http://h/ops/"), "tailrace list --on http://h/ops"),
    ],
    ids=str,
)
def test_what_is_said_wrongly(program: Program, args: tuple[str, ...], words: str) -> None:
    """It is refused before anything is asked, with what to do; no header's value is repeated."""
    done = program(*args)
    assert done.returncode in (2, 125)
    assert words in done.stderr.decode()
    assert b"hint: " in done.stderr
    assert b"secret" not in done.stderr


@blueprint_alone
def test_input_for_a_command_that_takes_none(program: Program, on: str, engine: Engine) -> None:
    """It is said before anything is started."""
    done = program("run", "--on", on, "--input", "count", "n=2", stdin=b"x")
    assert done.returncode == 2
    assert b"the command count takes no input" in done.stderr
    assert engine.list(Query()).runs == ()


@blueprint_alone
def test_stopping_names_one_server_at_a_time(program: Program, on: str) -> None:
    """Runs of several servers, or a server said twice, are refused."""
    run_id = program.detached("--", "true")
    for args in (
        (f"{on}/runs/{run_id}", f"http://other/runs/{run_id}"),
        ("--on", on, f"{on}/runs/{run_id}"),
    ):
        done = program("stop", *args)
        assert done.returncode == 2
        assert b"hint: " in done.stderr
