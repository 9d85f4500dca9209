"""Tailrace for Flask.

    race = Tailrace(app)

    @app.get("/count")
    def count():
        return race.stream(["seq", "100"])

Works under any WSGI server that passes each piece on at once; waiting is cooperative under gevent and eventlet, patched
or not. Nothing is made before the first request, so it may be set up before a server forks (gunicorn `--preload`).
"""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Unpack
from weakref import WeakKeyDictionary

from flask import Blueprint, Flask, current_app, has_app_context
from flask import Response as FlaskResponse
from flask import request as flask_request
from werkzeug.exceptions import HTTPException

from tailrace._flask import blueprint
from tailrace._flask.blueprint import Adapter, Authorize, AuthorizeCommand
from tailrace._flask.commands import Program
from tailrace._flask.settings import Home, Settings, configured
from tailrace.audit.journal import journal_of
from tailrace.config.load import commands_of
from tailrace.core.audit import Audit
from tailrace.core.coded import About, Argv, P, coded
from tailrace.core.command import Command, Commands
from tailrace.core.errors import TailraceError
from tailrace.core.parameters import (
    Boolean,
    Choice,
    Choices,
    Date,
    Integer,
    Number,
    PathBelow,
    Secret,
    Text,
    Upload,
)
from tailrace.engine.base import Engine, StartOptions
from tailrace.engine.run import Run
from tailrace.web import servers
from tailrace.web.answering import USUAL, Answering, OnDisconnect, What
from tailrace.web.client import client_of
from tailrace.web.pace import Pace
from tailrace.web.requests import HEADERS, Request
from tailrace.web.responses import Response
from tailrace.web.routes.permission import checked_names
from tailrace.web.steps import Stream
from tailrace.web.stream import Body

__all__ = [
    "Audit",
    "Boolean",
    "Choice",
    "Choices",
    "Command",
    "Commands",
    "Date",
    "Integer",
    "Number",
    "Pace",
    "PathBelow",
    "Secret",
    "Tailrace",
    "Text",
    "Upload",
]

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Tailrace:
    """The extension. One object may serve several applications, each with its own configuration and engine.

    Each argument may also stand in an application's configuration, as `TAILRACE_STATE_DIR` and so on; that one then
    counts for the application. The configuration is read by `init_app`.

    Args:
        app: the application; or call `init_app` later.
        engine: where runs live, or its address as `tailrace.connect` takes it; by default the one at `state_dir`.
        state_dir: the state directory; by default TAILRACE_STATE, else `$XDG_STATE_HOME/tailrace`.
        user: called within a request, returns who asks, or None. A run that was started for one user is not resumed by
            another.
        cross_site: whether pages of other sites may start a run (see `tailrace.web.starting`).
        commands: what the API of a `blueprint` may start: the path of a file that declares commands
            (`tailrace.toml`, of which `[server]` means nothing here), or a `Commands`. By default nothing.

    Raises:
        InvalidInput: the file cannot be read, or something in it is wrong; all that is wrong is told.
    """

    def __init__(  # noqa: PLR0913  each but the application is a setting, given by its name
        self,
        app: Flask | None = None,
        *,
        engine: Engine | str | None = None,
        state_dir: str | os.PathLike[str] | None = None,
        user: Callable[[], str | None] | None = None,
        cross_site: bool = False,
        commands: Commands | str | os.PathLike[str] | None = None,
    ) -> None:
        settings = Settings(engine=engine, state_dir=state_dir, user=user, cross_site=cross_site, commands=commands)
        self._default = Home(settings)
        self._coded: list[Command] = []
        self._homes: WeakKeyDictionary[Flask, Home] = WeakKeyDictionary()
        if app is not None:
            if not isinstance(app, Flask):
                raise TypeError(f"Tailrace(app) takes the Flask application, not {app!r}")
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Register with the application, as `app.extensions["tailrace"]`, and as its command `flask tailrace`.

        Raises:
            InvalidInput: its configuration has a `TAILRACE_` key that does not exist, or a value that cannot be.
        """
        home = self._homes[app] = Home(configured(self._default.settings, app.config))
        for each in self._coded:
            home.declared.add(each)
        app.extensions["tailrace"] = self
        app.cli.add_command(Program(home))

    @property
    def engine(self) -> Engine:
        """Where the current application's runs live; made on first use in each process.

        Outside of any application's context, those of the only one.

        Raises:
            EngineError: the state directory cannot be used.
            RuntimeError: there are several applications, and none is current; or another one is.
        """
        return self._home.engine

    @property
    def _answering(self) -> Answering:
        return Answering(engine=lambda: self.engine, log=_log, cross_site=self._home.settings.cross_site)

    @property
    def _home(self) -> Home:
        homes = self._homes
        if not homes:
            if has_app_context():
                raise RuntimeError("this Tailrace serves no application yet: Tailrace(app), or init_app(app)")
            return self._default
        if has_app_context():
            if (home := homes.get(_current())) is not None:
                return home
            raise RuntimeError("this Tailrace does not serve this application: call init_app(app)")
        if len(homes) > 1:
            raise RuntimeError("this Tailrace serves several applications: use it within `with app.app_context():`")
        return next(iter(homes.values()))

    def blueprint(  # noqa: PLR0913  all that can be said of it
        self,
        *,
        authorize: Authorize | None = None,
        authorize_command: AuthorizeCommand | None = None,
        open: bool = False,  # noqa: A002  the word that whoever mounts it so is to read
        hosts: Collection[str] = (),
        name: str = "tailrace",
        commands: Commands | str | os.PathLike[str] | None = None,
        audit: Audit | str | os.PathLike[str] | None = None,
    ) -> Blueprint:
        """Return the HTTP API, to be mounted anywhere: `app.register_blueprint(…, url_prefix="/ops")`.

        Args:
            authorize: called within each request, before anything is read or done, as `authorize(action, None)`: may
                the caller do this at all? The action is `list`, `view`, `start`, `stop`, `input`, `pin` or `share`.
                Then, where a run is concerned, as `authorize("view", run)` and `authorize(action, run)`, with its
                `RunInfo`. It returns True, or False, or a response that is sent instead (a redirect to the login);
                it may `abort`.
            authorize_command: called likewise, as `authorize_command(action, command)`: may the caller `list` this
                command, or `start` it? Of one that he may do neither to, he is told nothing. Without it, whoever may
                start anything may start every command, but those that say who may (`allow`): nobody starts these.
            open: True, instead of `authorize`: anybody who can reach the server may do anything.
            hosts: names by which the server may be asked, besides its addresses and `localhost`. Without any, an open
                blueprint knows no other names, and one with `authorize` does not look.
            name: the blueprint's name; each on one application needs its own.
            commands: what may be started by it, instead of the application's `commands`: a file, or a `Commands`.
            audit: a file in which it records who did what, or an `Audit`, which says more about it.

        Raises:
            InvalidInput: the file with the commands cannot be read, or something in it is wrong; or the audit cannot be
                written.
            TypeError: neither `authorize` nor `open=True`, or both.
        """
        names = checked_names(authorize, hosts, is_open=open is True)
        own = None if commands is None else commands_of(commands)
        adapter = Adapter(
            engine=lambda: self.engine,
            request=lambda: self._request(None, USUAL),
            response=_flask_response,
            commands=lambda: self._home.declared() if own is None else own,
            auditor=journal_of(audit),
            authorize_command=authorize_command,
        )
        return blueprint.make(adapter, authorize, names, name)

    def command(self, **about: Unpack[About]) -> Callable[[Callable[P, Argv]], Callable[P, Argv]]:
        """Return a decorator that declares a command: a function that returns its argv.

        Its parameters are those of the function, by their type hints; see `tailrace.core.coded`. The function is called
        within the request.

        Args:
            **about: the command's `name`, by default the function's with `-` for `_`, and its other fields, as of
                `Command`.

        Raises:
            InvalidValues: something about it is wrong, or there is a command of this name.
        """

        def declare(function: Callable[P, Argv]) -> Callable[P, Argv]:
            made = coded(function, about)
            for home in {self._default, *self._homes.values()}:
                home.declared.add(made)
            self._coded.append(made)
            return function

        return declare

    def stream(
        self,
        what: What,
        *,
        wire: str | None = None,
        pace: Pace = USUAL,
        on_disconnect: OnDisconnect = "keep",
        **options: Unpack[StartOptions],
    ) -> FlaskResponse:
        """Return a response that streams a run's output to whoever asked, as it comes.

        Args:
            what: a command as a list of arguments: start it, and stream it. Or a run, or its id: only watch it. Whether
                this user may watch it is for the route to decide.
            wire: `text`, `lines`, `sse`, `ndjson` or `cast`; by default what `?format=` or `Accept` ask for.
            pace: what the viewer gets while the command is silent: heartbeats, and interval messages if wanted.
            on_disconnect: what becomes of a run that is started here when its last viewer has left: `stop` is
                `unwatched_timeout=10`, unless that is given; so a browser that reconnects finds its run.
            **options: more about the run that is started, as for `Engine.start`.

        Raises:
            TypeError: an option that does not exist, or one for a run that is there already: the route's mistake.

        Returns:
            The stream; or, if it cannot be had, a problem document (RFC 9457) with its status. A viewer that leaves, or
            never reads, does nothing to the run.
        """
        request = self._request(wire, pace)
        if (refusal := servers.refusal(flask_request.environ)) is not None:
            return _flask_response(refusal)
        return _flask_response(self._answering.stream(request, what, options, on_disconnect))

    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:
        """Start a run, for a route that answers with something else than its output: a redirect, the run's id.

        Args:
            argv: the command as a list of arguments.
            **options: more about the run, as for `Engine.start`.

        Raises:
            TypeError: an option that does not exist: the route's mistake.
            werkzeug.exceptions.HTTPException: the request may not start anything (a page of another site sent it, or a
                browser that fetches ahead), or nothing could be started; with a problem document (RFC 9457).
        """
        run = self._answering.start(self._request(None, USUAL), argv, options)
        if isinstance(run, Response):
            raise HTTPException(response=_flask_response(run))
        return run

    def _request(self, wire: str | None, pace: Pace) -> Request:
        asked, user = flask_request, self._home.settings.user
        servers.prepare(asked.environ)
        if (warning := servers.warning(asked.environ)) is not None:
            current_app.logger.warning(warning)
        return Request(
            method=asked.method,
            path=asked.script_root + asked.path,
            query=asked.args.to_dict(),
            headers={name: asked.headers[name] for name in HEADERS if name in asked.headers},
            user=user() if user is not None else None,
            wire=wire,
            pace=pace,
            scheme=asked.scheme,
            client=asked.remote_addr or "",
            http_version=str(asked.environ.get("SERVER_PROTOCOL", "")).removeprefix("HTTP/"),
        )


def _current() -> Flask:
    """Return the application itself, not what stands for whichever is current."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001  Flask documents it
    return app


class _LiveResponse(FlaskResponse):
    """Has its headers sent at once also by servers that wait for the first byte of the body."""

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        body, status, headers = self.get_wsgi_response(environ)
        write = start_response(status, headers)
        if isinstance(self.response, Body) and servers.waits_for_write(environ):
            servers.send_headers(write, self.response)
        return body


def _flask_response(response: Response) -> FlaskResponse:
    body = response.body
    stream = Body(body, client_of(flask_request.environ)) if isinstance(body, Stream) else None
    made = _LiveResponse(stream or _bytes(body), status=response.status)
    if stream is not None:
        stream.report = _reporter()
        made.call_on_close(stream.close)  # also if what reads it was put into a generator, and nobody began to read
    made.headers.clear()  # among them a Content-Type, which a 204 has not
    made.headers.extend(response.headers)
    return made


def _bytes(body: bytes | Stream | None) -> Iterable[bytes] | bytes:
    return body if isinstance(body, bytes) else iter(())


def _reporter() -> Callable[[Exception], None]:
    """Return what logs to the application of this request, also when the request is over."""
    logger = current_app.logger
    return lambda error: logger.error("a stream stopped early: %s", error)


def _log(error: TailraceError) -> None:
    current_app.logger.error("%s (%s)", error.message, error.hint)
