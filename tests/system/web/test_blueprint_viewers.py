"""How many viewers an application's API lets in; what limits them is declared with the commands."""

from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from flask import Flask

from tailrace import asgi
from tailrace.core.command import Command, Commands
from tailrace.core.limits import Allowance, Limits
from tailrace.flask import Tailrace
from tailrace.web.loop.sinks import Receive, Scope, Send
from tests.support.wait import wait_for
from tests.system.web.served_asgi import plain, user_of
from tests.system.web.sites import FlaskSite, Reply, ServedSite, Site

COMMANDS = Commands(
    [Command(name="wait", argv=("sleep", "1000"), max_viewers=2), Command(name="bad", argv=("sleep", "1000"))],
    Limits(user=Allowance(max_viewers=3)),
)


class AsgiApp:
    """An application of nothing but the API."""

    def __init__(self, state_dir: Path) -> None:
        self.race = asgi.Tailrace(state_dir=state_dir, user=user_of)
        self.ops = self.race.blueprint(open=True, commands=COMMANDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if str(scope["path"]).startswith("/ops/"):
            await self.ops({**scope, "root_path": "/ops"}, receive, send)
        else:
            await plain(b"nothing", status=404)(scope, receive, send)


def site_of(kind: str, state_dir: Path, stack: ExitStack) -> Site:
    """Return the application, of this kind."""
    if kind == "flask":
        app = Flask(__name__)
        race = Tailrace(app, state_dir=state_dir, user=lambda: "ann")
        app.register_blueprint(race.blueprint(open=True, commands=COMMANDS), url_prefix="/ops")
        return FlaskSite(app)
    made = AsgiApp(state_dir)
    return stack.enter_context(closing(ServedSite(made, lambda: made.race.engine, "lent")))


@pytest.mark.parametrize("kind", ["flask", "asgi"])
def test_one_too_many(state_dir: Path, kind: str) -> None:
    """He is refused by the command's limit, then by his own; whoever leaves, and however, makes room."""
    with ExitStack() as stack:
        site = site_of(kind, state_dir, stack)
        runs = [
            site.engine.start(["sleep", "1000"], command=name, ladder=[("KILL", 0)]) for name in ("wait", "wait", "bad")
        ]
        paths = [f"/ops/api/runs/{run.id}/output?format=sse" for run in runs]

        def watched(path: str) -> Reply:
            reply = site.get(path)
            next(reply.pieces)
            return reply

        first, second = watched(paths[0]), watched(paths[1])
        refused = site.get(paths[0])
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "10")
        third = watched(paths[2])
        assert b"viewers of" in site.get(paths[2]).data
        first.close()
        wait_for(lambda: is_let_in(site, paths[1]))
        for reply in (second, third):
            reply.close()
        for run in runs:
            run.stop()


def is_let_in(site: Site, path: str) -> bool:
    """Tell whether one more is."""
    reply = site.get(path)
    reply.close()
    return reply.status_code == 200


def test_a_viewer_whose_stream_fails_has_left(state_dir: Path) -> None:
    """As often as that happens."""
    site = site_of("flask", state_dir, ExitStack())
    run = site.engine.start(["true"], command="wait")
    run.wait(60)
    (state_dir / "runs" / run.id / "output").unlink()
    for _ in range(5):
        reply = site.get(f"/ops/api/runs/{run.id}/output?format=sse")
        assert reply.status_code != 429
        reply.close()
