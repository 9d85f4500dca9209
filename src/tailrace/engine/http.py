"""The engine of another machine: runs behind a Tailrace server, by its HTTP API.

It looks at runs, follows them, stops them and writes to them as the disk engine does. What a server does not let its
clients do, it does not do: start a program of one's own choice (a server runs declared commands: `start_command`), send
one signal, remove runs, or read a spec.
"""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import NoReturn, Unpack
from urllib.parse import quote, urlencode

import msgspec

from tailrace.core import ids
from tailrace.core.errors import (
    EngineUnavailable,
    InvalidInput,
    NotAllowed,
    OffsetBeyondEnd,
    TailraceError,
    UnknownRun,
    WrongState,
)  # fmt: skip
from tailrace.core.run import RunInfo
from tailrace.core.share import Ended, Links, Shared
from tailrace.core.timeline import Stream
from tailrace.engine.base import Page, Pin, Pruned, Query, Request, Retention, StartOptions
from tailrace.engine.remote import address
from tailrace.engine.remote.answers import Reply, decoded, error_of, is_problem
from tailrace.engine.remote.connections import Connections, Unanswered
from tailrace.engine.remote.cursor import HttpCursor
from tailrace.engine.remote.headers import checked
from tailrace.engine.remote.lines import RemoteLines
from tailrace.engine.remote.multipart import FileSource, Form
from tailrace.engine.remote.parameters import Declared, fields_of
from tailrace.engine.remote.source import Source
from tailrace.engine.run import Run
from tailrace.host.messages import INPUT_BYTES, SENDING, CloseInput, Input, Resize, Signal, Stop

OK, CREATED, ACCEPTED, NO_CONTENT = 200, 201, 202, 204
SERVER_ERROR = 500
JSON, BYTES = "application/json", "application/octet-stream"
HELD_PAUSE_S, HELD_PAUSES_S = 0.05, 1.0
"""between two attempts to send on while the command has not taken what came before: the first, and the longest"""

_RUNS = msgspec.json.Decoder(RunInfo)
_PAGES = msgspec.json.Decoder(Page)
_LINKS = msgspec.json.Decoder(Shared)
_LISTED = msgspec.json.Decoder(Links)
_ENDED = msgspec.json.Decoder(Ended)
_COMMANDS = msgspec.json.Decoder(Declared)
_DOCUMENTS = msgspec.json.Decoder(dict[str, object])


class HttpEngine:
    """Runs behind a server. Safe to use from several threads, and after a fork."""

    def __init__(self, url: str, *, token: str | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Take note of where the server is; nothing is connected yet.

        Args:
            url: `http://host:port`, `https://host/prefix`: the address below which the server's `/api` is.
            token: is sent to it as `Authorization: Bearer`, unless a header says otherwise.
            headers: sent with every request, for what stands before the server: a proxy's login.

        Raises:
            InvalidInput: the address, the token or a header cannot be one.
        """
        self._connections = Connections(address.parse(url), token, checked((headers or {}).items()))
        self._held: set[str] = set()
        """runs whose keeper still had input for them when it was last asked to take some"""

    @property
    def url(self) -> str:
        """Where the server is."""
        return str(self._connections.address)

    def __repr__(self) -> str:
        """Return how to connect to it again; the token and the headers are not told."""
        return f"tailrace.connect({self.url!r})"

    def start(self, argv: Sequence[str], **options: Unpack[StartOptions]) -> Run:  # noqa: ARG002  the protocol's
        """Refuse: see `start_command`.

        Raises:
            NotAllowed: always.
        """
        raise NotAllowed(
            "a server runs declared commands only",
            op="start",
            subject=self.url,
            hint="start one by its name: start_command(NAME, {...}), or `tailrace run --on URL NAME PARAMETER=VALUE`",
        )

    def start_command(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, FileSource] | None = None,
    ) -> Run:
        """Start a run of a command that the server declares, or join the one of its key, and return it.

        See `start_or_join`.
        """
        return self.start_or_join(name, parameters, files=files)[0]

    def start_or_join(
        self,
        name: str,
        parameters: Mapping[str, object] | None = None,
        *,
        files: Mapping[str, FileSource] | None = None,
    ) -> tuple[Run, bool]:
        """Start a run of a command that the server declares; return it, and whether it was going already.

        Args:
            name: the command's.
            parameters: their values, as JSON has them; those left out have their defaults.
            files: those that are sent along, by the names of their parameters: the path of each, or its content.

        Raises:
            UnknownCommand: there is no such command.
            InvalidInput: the parameters or the files are not usable; nothing was started.
            KeyBusy: a run of the same key is going.
            NotAllowed: the caller may not.
            NoSpace: the server's disk is too full to take a run.
            EngineUnavailable: the server cannot be reached; or, and the message says so, nobody knows whether the run
                was started. It is never asked for twice.
        """
        try:
            reply = self._begin(f"/api/commands/{quote(name, safe='')}/runs", parameters or {}, files or {})
        except Unanswered as error:
            raise self._unknown_start(name, error.message) from None
        if reply.status >= SERVER_ERROR and not is_problem(reply):  # the words of what stands between, or of a bug
            raise self._unknown_start(name, error_of(reply, op="start", subject=name).message)
        info = decoded(_wanted(reply, "start", name, CREATED, OK), _RUNS, self.url)
        return Run(self, info.id), reply.status == OK

    def command(self, name: str) -> Declared:
        """Return what the server tells of a command that it declares.

        Raises:
            UnknownCommand: there is none of this name.
        """
        reply = self._connections.get(f"/api/commands/{quote(name, safe='')}")
        return decoded(_wanted(reply, "start", name, OK), _COMMANDS, self.url)

    def described(self, name: str) -> dict[str, object]:
        """Return all that the server tells of a command that it declares, as it stands in its JSON.

        Raises:
            UnknownCommand: there is none of this name.
        """
        reply = self._connections.get(f"/api/commands/{quote(name, safe='')}")
        return decoded(_wanted(reply, "start", name, OK), _DOCUMENTS, self.url)

    def introduce(self) -> None:
        """See that the server knows who asks, however little he may.

        Raises:
            NotAllowed: it does not.
            EngineUnavailable: the server cannot be asked.
        """
        reply = self._connections.get("/api/me")
        if reply.status != HTTPStatus.FORBIDDEN or not is_problem(reply):
            _wanted(reply, "list", self.url, OK)

    def share(self, run_id: str, expires: float) -> Shared:
        """Return a link by which whoever has it may watch the run.

        Args:
            run_id: of the run.
            expires: how many seconds it is to be good.

        Raises:
            UnknownRun: there is no such run, or not for this caller.
            NotAllowed: the caller may not share it.
            InvalidInput: that is too long.
            EngineUnavailable: the server does not answer.
        """
        body = msgspec.json.encode({"expires": expires})
        reply = self._post(run_id, f"{self._path(run_id)}/share", body, JSON)
        return decoded(_wanted(reply, "share", run_id, CREATED), _LINKS, self.url)

    def shares(self, run_id: str) -> Links:
        """Return the links to the run that are good.

        Raises:
            UnknownRun, NotAllowed, EngineUnavailable: see `share`.
        """
        reply = self._connections.get(f"{self._path(run_id)}/shares")
        return decoded(_wanted(reply, "share", run_id, OK), _LISTED, self.url)

    def unshare(self, run_id: str, link_id: str | None = None) -> int:
        """End a link to the run, or all of them, and return how many.

        Args:
            run_id: of the run.
            link_id: of the link; None: all.

        Raises:
            UnknownRun: there is no such run, or link, or not for this caller.
            NotAllowed, EngineUnavailable: see `share`.
        """
        body = msgspec.json.encode({"id": link_id})
        reply = self._post(run_id, f"{self._path(run_id)}/unshare", body, JSON)
        return decoded(reply, _ENDED, self.url).ended

    def get(self, run_id: str, *, usage: bool = False) -> RunInfo:  # noqa: ARG002  the server always tells
        """See `Engine.get`."""
        return decoded(_wanted(self._connections.get(self._path(run_id)), "get", run_id, OK), _RUNS, self.url)

    def spec(self, run_id: str) -> NoReturn:
        """Refuse, if there is such a run.

        Raises:
            UnknownRun: there is none.
            NotAllowed: there is.
        """
        self.get(run_id)
        raise NotAllowed(
            "a server does not give specs away",
            op="read",
            subject=run_id,
            hint="`tailrace show` there tells its limits",
        )

    def list(self, query: Query) -> Page:
        """See `Engine.list`."""
        said = {
            "command": query.command,
            "by": query.by,
            "q": query.q,
            "since": None if query.since is None else query.since.isoformat(),
            "until": None if query.until is None else query.until.isoformat(),
            "limit": str(query.limit),
            "cursor": query.cursor,
        }
        pairs = [(name, value) for name, value in said.items() if value is not None]
        pairs += [("state", state) for state in query.states]
        pairs += [("label", f"{name}={value}") for name, value in query.labels.items()]
        reply = self._connections.get(f"/api/runs?{urlencode(pairs)}")
        return decoded(_wanted(reply, "list", self.url, OK), _PAGES, self.url)

    def cursor(  # noqa: PLR0913  as the protocol
        self,
        run_id: str,
        offset: int = 0,
        *,
        tail: int | None = None,
        line: int | None = None,
        stream: Stream | None = None,
        labelled: bool = True,  # noqa: ARG002  they come in any case
        counted: bool = True,  # noqa: ARG002  a server counts whoever reads from it
    ) -> HttpCursor:
        """See `Engine.cursor`. It is fed by a thread of its own, and connects again by itself."""
        self._path(run_id)
        if line is not None:
            offset = RemoteLines(self._connections, run_id).begin(line)
        if offset < 0 or (tail is not None and tail < 0):
            raise InvalidInput(
                "the offset or the tail is below 0",
                op="follow",
                subject=run_id,
                hint="an offset counts bytes from the start, a tail lines from the end",
            )
        if offset >= 1 << 63:
            raise OffsetBeyondEnd(
                f"offset {offset} is beyond any output",
                op="follow",
                subject=run_id,
                hint="resume from an offset that a stream of this run gave you",
            )
        return HttpCursor(Source(self._connections, run_id), offset, tail=tail, stream=stream)

    def control(self, run_id: str, request: Request) -> None:
        """See `Engine.control`: stop, input, close-input and pin. Who asked is for the server to know.

        Input of which the command has not taken all after some seconds is held by its keeper, and this returns.
        Nothing is asked twice: if the answer is lost, `EngineUnavailable` says that nobody knows.

        Raises:
            NotAllowed: a signal, or a size; a server takes none.
        """
        path = self._path(run_id)
        match request:
            case Stop(now=now):
                self._post(run_id, f"{path}/stop", msgspec.json.encode({"now": now}), JSON)
            case Pin(on=on):
                self._post(run_id, f"{path}/{'pin' if on else 'unpin'}")
            case Input(data=data):
                self._send(run_id, data)
            case CloseInput():
                self._offer(run_id, f"{path}/input?close=1", b"")
            case Signal() | Resize():
                raise NotAllowed(
                    f"a server takes no {'signal' if isinstance(request, Signal) else 'size'} for a run",
                    op="control",
                    subject=run_id,
                    hint="do it on the machine where the run is; `stop` ends it from here",
                )

    def prune(self, retention: Retention) -> Pruned:  # noqa: ARG002  the protocol's
        """Refuse.

        Raises:
            NotAllowed: always.
        """
        raise NotAllowed(
            "runs on a server are removed there", op="prune", subject=self.url, hint="`tailrace prune` on that machine"
        )

    def close(self) -> None:
        """See `Engine.close`."""
        self._connections.close()

    # Requests

    def _begin(self, path: str, parameters: Mapping[str, object], files: Mapping[str, FileSource]) -> Reply:
        """Ask for a start: with JSON, or with a form, which alone can have files.

        Raises:
            Unanswered: there was no answer.
            InvalidInput: a file cannot be read.
        """
        if not files:
            return self._connections.post(path, msgspec.json.encode({"parameters": dict(parameters)}), JSON)
        with Form(list(fields_of(parameters)), files) as form:
            return self._connections.post_form(path, form)

    def _path(self, run_id: str) -> str:
        if not ids.is_id(run_id):
            raise UnknownRun(
                f"there is no run {run_id[:40]!r} here",
                op="find",
                subject=run_id[:40],
                hint="the list of runs has those that there are",
            )
        return f"/api/runs/{run_id}"

    def _post(self, run_id: str, path: str, body: bytes = b"", content_type: str | None = None) -> Reply:
        try:
            reply = self._connections.post(path, body, content_type)
        except Unanswered as error:
            raise EngineUnavailable(
                f"{error.message}; it is not known whether this was done",
                op="control",
                subject=run_id,
                hint="look at the run before you try again",
            ) from None
        return _wanted(reply, "control", run_id, OK, CREATED, ACCEPTED, NO_CONTENT)

    def _send(self, run_id: str, data: bytes) -> None:
        """Send input in pieces of the size that is taken whole; without any, only see that the run can be asked."""
        if not data and self.get(run_id).is_finished:
            raise WrongState(
                f"run {run_id} is finished", op="control", subject=run_id, hint="nothing can be sent to it any more"
            )
        for begin in range(0, len(data), INPUT_BYTES):
            self._offer(run_id, f"{self._path(run_id)}/input", data[begin : begin + INPUT_BYTES])

    def _offer(self, run_id: str, path: str, data: bytes) -> None:
        """Send one message of input; wait while the keeper still has the one before, if that was ours."""
        pause_s = HELD_PAUSE_S
        while True:
            try:
                reply = self._post(run_id, path, data, BYTES if data else None)
            except WrongState as error:
                if run_id not in self._held or not error.message.endswith(SENDING):
                    self._held.discard(run_id)
                    raise
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, HELD_PAUSES_S)
            else:
                break
        (self._held.add if reply.status == ACCEPTED else self._held.discard)(run_id)

    def _unknown_start(self, name: str, why: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"{why}; it is not known whether {name} was started",
            op="start",
            subject=name,
            hint=f"`tailrace list --on {self.url} --command {name}` shows it, if it was; it is not started again",
        )


def _wanted(reply: Reply, op: str, subject: str, *statuses: int) -> Reply:
    """Return the reply, if it has one of the statuses.

    Raises:
        TailraceError: what another one tells of.
    """
    if reply.status in statuses:
        return reply
    error: TailraceError = error_of(reply, op=op, subject=subject)
    raise error
