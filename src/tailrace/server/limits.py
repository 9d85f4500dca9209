"""How many viewers a run and an address may have at the same time. For the loop's thread."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from http import HTTPStatus

from tailrace.web.problems import problem
from tailrace.web.responses import Response

RETRY_S = 10
"""after which a refused viewer may try again"""


class Limits:
    """One process's.

    Args:
        per_run: of one run; 0: any number.
        per_address: from one address; 0: any number.
    """

    def __init__(self, per_run: int, per_address: int) -> None:
        self._per_run = per_run
        self._per_address = per_address
        self._runs: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    def refusal(self, address: str) -> Response | None:
        """Return the answer to one more viewer from the address, whatever it wants to see; None: there is room.

        Where no address is known, as behind a Unix socket whose proxy does not say it, they are not counted by it: all
        would be taken for one. From any thread.
        """
        if self._per_address and address and self._addresses[address] >= self._per_address:
            return _refusal(f"{self._per_address} viewers from this address", "close some of them")
        return None

    def enter(self, address: str, run_ids: Sequence[str], *, has_begun: bool) -> Callable[[], None] | Response:
        """Let a viewer in: return what is to be called once when it leaves; or the refusal.

        Args:
            address: where it is.
            run_ids: what it is to see.
            has_begun: there was room at its address when it asked, and a run has been started for it since: it is not
                refused for its address now, since it would try again, and start another.
        """
        if not has_begun and (refusal := self.refusal(address)) is not None:
            return refusal
        for run_id in run_ids:
            if self._per_run and self._runs[run_id] >= self._per_run:
                return _refusal(f"{self._per_run} viewers of run {run_id}", "wait until some have left")
        self._addresses[address] += 1
        self._runs.update(run_ids)
        return partial(self._leave, address, run_ids)

    def _leave(self, address: str, run_ids: Sequence[str]) -> None:
        _take(self._addresses, address)
        for run_id in run_ids:
            _take(self._runs, run_id)


def _take(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def _refusal(what: str, hint: str) -> Response:
    refusal = problem(HTTPStatus.TOO_MANY_REQUESTS, f"there are {what} already, as many as are let in", hint)
    headers = (*refusal.headers, ("Retry-After", str(RETRY_S)))
    return Response(status=refusal.status, headers=headers, body=refusal.body)
