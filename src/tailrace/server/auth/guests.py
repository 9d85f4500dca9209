"""Those whose streams go on: whoever is not known any more, or may not view the runs, has his cut, within some seconds.

Each of those who see the same runs by the same cookie, token or header is asked about once a look, however many they
are.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple, TypeAlias, cast

from tailrace.core.errors import TailraceError
from tailrace.core.run import RunInfo
from tailrace.server.auth.guard import TRUSTED, Guard, Visit
from tailrace.server.logs import report
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.sinks import Scope
from tailrace.web.loop.work import beside
from tailrace.web.routes.call import Refused
from tailrace.web.steps import Stream

LOOK_S: Final = 3.0
"""between two looks"""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class Guest(NamedTuple):
    """All of a request that says who asks, and what he is shown; the rest of it is let go."""

    scheme: str
    is_trusted: bool
    headers: Headers
    run_ids: tuple[str, ...]


class Guests:
    """One process's. For its loop's thread.

    Args:
        guard: what knows callers.
        get: returns a run as it is now. For any thread.
    """

    def __init__(self, guard: Guard, get: Callable[[str], RunInfo]) -> None:
        self._guard = guard
        self._get = get
        self._guests: dict[int, Guest] = {}
        """by the number of what each is sent"""
        self._looking: asyncio.Task[None] | None = None

    def enter(self, scope: Scope, stream: Stream) -> Callable[[], None]:
        """Look after a stream, and return what is to be called once when it is over."""
        self._guests[id(stream)] = self._guest(scope, stream.run_ids)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())
        return partial(self._leave, id(stream))

    def _leave(self, number: int) -> None:
        self._guests.pop(number, None)

    async def _look(self) -> None:
        while self._guests:
            await asyncio.sleep(LOOK_S)
            try:
                unwelcome = await beside(self._unwelcome, set(self._guests.values()))
            except Exception as error:  # noqa: BLE001  callers cannot be known now: nobody comes in, and the next look tells
                report(error)
                continue
            for delivery in list(hall_of(asyncio.get_running_loop()).deliveries):
                if unwelcome and self._guests.get(delivery.viewer_number) in unwelcome:
                    delivery.evict()

    def _unwelcome(self, seen: set[Guest]) -> set[Guest]:
        return {guest for guest in seen if not self._is_welcome(guest)}

    def _is_welcome(self, guest: Guest) -> bool:
        scheme, is_trusted, headers, _run_ids = guest
        visit = self._guard.visit(
            {"type": "http", "scheme": scheme, TRUSTED: is_trusted, "headers": list(headers), "path": "/"}
        )
        try:
            return visit.may("view", None) and all(self._may_view(visit, run_id) for run_id in guest.run_ids)
        except Refused:
            return False

    def _may_view(self, visit: Visit, run_id: str) -> bool:
        try:
            info = self._get(run_id)
        except TailraceError:
            return True  # it is gone, or cannot be read: its stream tells
        return visit.may("view", info)

    def _guest(self, scope: Scope, run_ids: tuple[str, ...]) -> Guest:
        names = self._guard.header_names
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        found = tuple((bytes(name), bytes(value)) for name, value in headers if bytes(name) in names)
        return Guest(str(scope.get("scheme", "http")), bool(scope.get(TRUSTED)), found, run_ids)
