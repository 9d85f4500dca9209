"""Tailrace in applications as people build them: factories, configuration, blueprints, Flask's own helpers."""

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from flask import Blueprint, Flask, Response, request, stream_with_context
from werkzeug.test import EnvironBuilder

import tailrace
from tailrace import Query
from tailrace.core.errors import InvalidInput
from tailrace.flask import Tailrace
from tests.support.wait import wait_for
from tests.system.web.gate import gated
from tests.system.web.served import make_app


def factory(race: Tailrace, **config: object) -> Flask:
    """Make an application as a factory does, with a route that is in a blueprint of its own."""
    app = Flask(__name__)
    app.config.from_mapping(config)
    race.init_app(app)
    own = Blueprint("own", __name__)

    @own.get("/echo/<word>")
    def echo(word: str) -> Response:
        return race.stream(["echo", word])

    app.register_blueprint(own, url_prefix="/own")
    return app


def commands(state_dir: Path) -> list[str]:
    """Return what ran in a state directory, newest first."""
    return [" ".join(info.argv) for info in tailrace.connect(state_dir).list(Query()).runs]


def open_files(place: Path) -> int:
    """Return how many files below a directory this process has open."""
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return sum(name.startswith(f"{place}/runs/") for name in names)


@pytest.fixture
def two_places(state_dir: Path) -> tuple[Path, Path]:
    """Give two state directories; that they lie in the test's own ends their processes with it."""
    return state_dir / "a", state_dir / "b"


def test_one_object_serves_several_applications(two_places: tuple[Path, Path]) -> None:
    """Each has the engine of its own configuration; outside of both, which one is meant cannot be known."""
    race = Tailrace()
    first, second = (factory(race, TAILRACE_STATE_DIR=place) for place in two_places)
    assert first.test_client().get("/own/echo/one").data == b"one\n"
    assert second.test_client().get("/own/echo/two").data == b"two\n"
    assert [commands(place) for place in two_places] == [["echo one"], ["echo two"]]
    with first.app_context():
        engine = race.engine
        assert engine.list(Query()).runs[0].argv == ("echo", "one")
    with second.app_context():
        assert race.engine is not engine
    with pytest.raises(RuntimeError, match="app_context"):
        race.engine.list(Query())
    with Flask(__name__).app_context(), pytest.raises(RuntimeError, match="init_app"):
        race.engine.list(Query())


def test_with_one_application_no_context_is_needed(state_dir: Path) -> None:
    """A script that imports the application gets its engine."""
    race = Tailrace()
    app = factory(race, TAILRACE_STATE_DIR=str(state_dir))
    with app.app_context():
        engine = race.engine
    assert race.engine is engine
    assert app.extensions["tailrace"] is race


def test_the_configuration_wins(two_places: tuple[Path, Path]) -> None:
    """An argument is what counts for applications that say nothing."""
    race = Tailrace(state_dir=two_places[0])
    for app in (factory(race, TAILRACE_STATE_DIR=two_places[1]), factory(race)):
        app.test_client().get("/own/echo/word").get_data()
    assert [commands(place) for place in two_places] == [["echo word"], ["echo word"]]
    given = Tailrace(engine=tailrace.connect(two_places[0]))
    factory(given, TAILRACE_STATE_DIR=two_places[1]).test_client().get("/own/echo/again").get_data()
    assert commands(two_places[1])[0] == "echo again"


def test_an_engine_by_its_address(state_dir: Path) -> None:
    """As `tailrace.connect` takes it, in the configuration or as an argument."""
    for app in (
        factory(Tailrace(), TAILRACE_ENGINE=f"disk:{state_dir}"),
        factory(Tailrace(engine=f"disk:{state_dir}")),
    ):
        assert app.test_client().get("/own/echo/word").data == b"word\n"
    assert commands(state_dir) == ["echo word"] * 2


def test_other_settings_of_the_configuration(state_dir: Path) -> None:
    """Who asks, and whether other sites may."""
    race = Tailrace()
    app = factory(
        race,
        TAILRACE_STATE_DIR=state_dir,
        TAILRACE_USER=lambda: request.headers.get("X-User"),
        TAILRACE_CROSS_SITE=True,
    )
    headers = {"Sec-Fetch-Site": "cross-site", "X-User": "ann"}
    assert app.test_client().get("/own/echo/word", headers=headers).data == b"word\n"
    assert race.engine.list(Query()).runs[0].by == "ann"
    strict = factory(Tailrace(), TAILRACE_STATE_DIR=state_dir)
    assert strict.test_client().get("/own/echo/word", headers=headers).status_code == 403


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("TAILRACE_STATEDIR", "/x", "TAILRACE_STATE_DIR, TAILRACE_USER, TAILRACE_CROSS_SITE"),
        ("TAILRACE_", "/x", "TAILRACE_STATE_DIR"),
        ("TAILRACE_STATE_DIR", 3, "a path"),
        ("TAILRACE_ENGINE", 3, "an address"),
        ("TAILRACE_USER", "ann", "a function"),
        ("TAILRACE_CROSS_SITE", "no", "True or False"),
    ],
)
def test_a_setting_that_cannot_be(key: str, value: object, complaint: str) -> None:
    """It is refused at once, and the traceback tells what there is."""
    with pytest.raises(InvalidInput, match=key) as caught:
        factory(Tailrace(), **{key: value})
    assert complaint in caught.value.hint
    assert caught.value.__notes__ == [caught.value.hint]


def test_a_place_is_said_once() -> None:
    """An engine and a directory exclude each other."""
    with pytest.raises(InvalidInput, match="excludes"):
        factory(Tailrace(), TAILRACE_STATE_DIR="/x", TAILRACE_ENGINE="disk:/y")


def test_nothing_is_made_before_it_is_needed(state_dir: Path) -> None:
    """Setting up touches no directory, so it may be done before a server forks."""
    place = state_dir / "later"
    race = Tailrace()
    app = factory(race, TAILRACE_STATE_DIR=place)
    app.register_blueprint(race.blueprint(open=True))
    assert not place.exists()


def test_importing_the_adapter_imports_no_command_line() -> None:
    """Web workers have none of it in memory."""
    code = (
        "import sys, flask, tailrace.flask\n"
        "app = flask.Flask('x'); race = tailrace.flask.Tailrace(app)\n"
        "app.register_blueprint(race.blueprint(open=True))\n"
        "print([name for name in sys.modules if name.startswith('tailrace.cli')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_stream_with_context(state_dir: Path) -> None:
    """A generator of one's own may follow a run, and use the request while it does."""
    race = Tailrace(state_dir=state_dir)
    app = factory(race)

    @app.get("/mine")
    def mine() -> Response:
        run = race.engine.start(["seq", "3"])

        def lines() -> Iterator[bytes]:
            for chunk in run.follow():
                yield chunk.data
            yield f"for {request.args['who']}, exit {race.engine.get(run.id).outcome}".encode()

        return Response(stream_with_context(lines()), mimetype="text/plain")

    @app.get("/ours")
    def ours() -> Response:
        made = race.stream(["seq", "3"])
        made.response = stream_with_context(cast("Iterator[bytes]", made.response))
        return made

    assert app.test_client().get("/mine?who=ann").data == b"1\n2\n3\nfor ann, exit Exited(code=0)"
    assert app.test_client().get("/ours").data == b"1\n2\n3\n"


@pytest.mark.parametrize("reads", [True, False], ids=["half-read", "unread"])
@pytest.mark.parametrize("place", ["/own/go", "/ops/api/runs/{run}/output"])
def test_closing_a_response_lets_go_of_it(state_dir: Path, tmp_path: Path, place: str, *, reads: bool) -> None:
    """The test client's response, closed before its end: nothing stays open, and the run goes on."""
    race = Tailrace(state_dir=state_dir)
    app = factory(race)
    app.register_blueprint(race.blueprint(open=True), url_prefix="/ops")
    gate = tmp_path / "gate"
    run = race.engine.start(gated("echo half", gate, "echo whole"))
    wait_for(lambda: run.info().size == 5)

    @app.get("/own/go")
    def go() -> Response:
        return race.stream(run)

    response = app.test_client().get(place.format(run=run.id), buffered=False)
    assert open_files(state_dir) > 0
    if reads:
        assert b"half\n" in next(part for part in response.iter_encoded() if part)
    response.close()
    gc.collect()
    wait_for(lambda: open_files(state_dir) == 0)
    gate.touch()
    assert run.wait(60).size == 11


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_disconnect": "kill"}, "on_disconnect is 'keep' or 'stop', not 'kill'"),
        ({"pace": 5}, "pace is a Pace"),
        ({"wire": "eventsource"}, "wires: text, lines, sse, ndjson, cast"),
        ({"timout": 3}, "did you mean 'timeout'?"),
        ({"elsewhere": 3}, "options: .*timeout"),
    ],
)
def test_a_routes_mistake_says_what_is_possible(state_dir: Path, options: dict[str, object], message: str) -> None:
    """It is raised at the route's author, and nothing is started."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    with app.test_request_context("/"), pytest.raises((TypeError, ValueError), match=message):
        race.stream(["true"], **options)  # type: ignore[arg-type]
    assert not commands(state_dir)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("stdin", "hello", "stdin is True or False, not 'hello'"),
        ("pty", 1, "pty is True or False, not 1"),
        ("labels", ["a"], "labels must be a dictionary, got"),
        ("env", ["A=1"], "env must be a dictionary, got"),
        ("key", 5, "key cannot be 5"),
    ],
)
def test_an_option_that_cannot_be(state_dir: Path, option: str, value: object, message: str) -> None:
    """An error of ours, whose traceback tells what to do as well."""
    with pytest.raises(InvalidInput, match=message) as caught:
        tailrace.connect(state_dir).start(["true"], **{option: value})  # type: ignore[arg-type]
    assert caught.value.__notes__ == [caught.value.hint]


def test_a_user_must_be_text(state_dir: Path) -> None:
    """An integer is not guessed at; the message names the function."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir, user=lambda: 5)  # type: ignore[arg-type, return-value]
    with app.test_request_context("/"), pytest.raises(TypeError, match="`user` must return text"):
        race.stream(["true"])


def test_a_forgotten_init_app(state_dir: Path) -> None:
    """The application's settings would not count, and runs would go elsewhere; so it is an error."""
    app = Flask(__name__)
    app.config["TAILRACE_STATE_DIR"] = str(state_dir)
    race = Tailrace()
    with app.test_request_context("/"), pytest.raises(RuntimeError, match="init_app"):
        race.stream(["true"])
    with pytest.raises(TypeError, match="takes the Flask application"):
        Tailrace("app")  # type: ignore[arg-type]


def test_a_program_that_is_not_there_is_named_in_the_log(state_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The text is cut, since nothing was printed; why, stands in the log."""
    app = Flask(__name__)
    race = Tailrace(app, state_dir=state_dir)
    app.add_url_rule("/", view_func=lambda: race.stream(["nosuchprogram"]))
    with pytest.raises(ConnectionResetError):
        app.test_client().get("/").get_data()
    assert "nosuchprogram: command not found" in caplog.text


def test_a_client_that_leaves_before_the_headers_leaves_nothing(state_dir: Path) -> None:
    """The server's `write` fails, and then nobody else would close the body."""
    app = make_app(state_dir)
    race: Tailrace = app.extensions["tailrace"]
    run = race.engine.start(["sh", "-c", "echo one; read go"], stdin=True)

    def write(_data: bytes) -> None:
        raise BrokenPipeError

    environ = EnvironBuilder(f"/watch/{run.id}").get_environ() | {"SERVER_SOFTWARE": "waitress"}
    environ["waitress.client_disconnected"] = lambda: True
    with pytest.raises(BrokenPipeError):
        app(environ, lambda *_head: write)
    links = [str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
    assert not [link for link in links if link.startswith(f"{state_dir}/runs/{run.id}")]
    run.stop(now=True)
