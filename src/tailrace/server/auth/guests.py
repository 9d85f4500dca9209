"""Those whose streams go on: whoever is not known any more, or may view nothing, has his cut, within some seconds.

Each of those who come by the same cookie, token or header is asked about once a look, however many they are.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias, cast

from tailrace.server.auth.guard import TRUSTED, Guard
from tailrace.web.loop.hall import hall_of
from tailrace.web.loop.sinks import Scope
from tailrace.web.loop.work import beside
from tailrace.web.routes.call import Refused
from tailrace.web.steps import Stream

LOOK_S: Final = 3.0
"""between two looks"""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
Credentials: TypeAlias = tuple[str, bool, Headers]
"""all of a request that says who asks; the rest of it is let go"""


class Guests:
    """One process's. For its loop's thread.

    Args:
        guard: what knows callers.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._guests: dict[int, Credentials] = {}
        """by the number of what each is sent"""
        self._looking: asyncio.Task[None] | None = None

    def enter(self, scope: Scope, stream: Stream) -> Callable[[], None]:
        """Look after a stream, and return what is to be called once when it is over."""
        self._guests[id(stream)] = self._credentials(scope)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.get_running_loop().create_task(self._look())
        return partial(self._leave, id(stream))

    def _leave(self, number: int) -> None:
        self._guests.pop(number, None)

    async def _look(self) -> None:
        while self._guests:
            await asyncio.sleep(LOOK_S)
            unknown = await beside(self._unwelcome, set(self._guests.values()))
            for delivery in list(hall_of(asyncio.get_running_loop()).deliveries):
                if unknown and self._guests.get(delivery.viewer_number) in unknown:
                    delivery.evict()

    def _unwelcome(self, seen: set[Credentials]) -> set[Credentials]:
        return {credentials for credentials in seen if not self._is_welcome(credentials)}

    def _is_welcome(self, credentials: Credentials) -> bool:
        scheme, is_trusted, headers = credentials
        visit = self._guard.visit(
            {"type": "http", "scheme": scheme, TRUSTED: is_trusted, "headers": list(headers), "path": "/"}
        )
        try:
            return visit.may("view", None)
        except Refused:
            return False

    def _credentials(self, scope: Scope) -> Credentials:
        names = self._guard.header_names
        headers = cast("list[tuple[bytes, bytes]]", scope["headers"])
        found = tuple((bytes(name), bytes(value)) for name, value in headers if bytes(name) in names)
        return str(scope.get("scheme", "http")), bool(scope.get(TRUSTED)), found
