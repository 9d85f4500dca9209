"""The post: of all processes that serve a state directory, one looks at its runs and tells the hooks.

Each process has a thread that tries to take the lock `STATE/hooks/lock`; who has it does the work for as long as it
lives, and the next one follows. What is due is told in a thread of each hook's own, so that a receiver that is slow
holds up no other. An event is told at least once: who is killed behind a receiver's yes, and before it is noted, is
followed by one who tells it again, with the same id.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Final

import msgspec

from tailrace.core.errors import TailraceError
from tailrace.core.hook import Hook
from tailrace.engine.disk import DiskEngine
from tailrace.hooks import errand, webhook
from tailrace.hooks.observer import Observer
from tailrace.hooks.outbox import Delivery, Outbox
from tailrace.hooks.webhook import NotDelivered
from tailrace.host.lock import open_lock, try_lock

PLACE: Final = "hooks"
"""in the state directory"""
LOOK_S: Final = 0.5
"""between two looks at what has happened, or at whether the lock is free"""
LEAVE_S: Final = 2.0
"""for what is being told, when the process ends"""

log = logging.getLogger("tailrace")


class Post:
    """The part of one process in it.

    Args:
        hooks: what is told.
        state_dir: where the runs are; None: the usual place.
        environ: has the secrets that are not in files.
        private: returns the variables of it that no hook's command gets.

    Raises:
        InvalidInput: a secret cannot be had.
    """

    def __init__(
        self,
        hooks: Sequence[Hook],
        state_dir: str | None,
        environ: Mapping[str, str],
        private: Callable[[], Iterable[str]],
    ) -> None:
        self._hooks = {hook.name: hook for hook in hooks}
        self._keys = {hook.name: webhook.secret_of(hook, environ) for hook in hooks if hook.url is not None}
        self._state_dir = state_dir
        self._private = private
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._be, name="tailrace-hooks", daemon=True)

    def start(self) -> None:
        """Begin; nothing, if there are no hooks."""
        if self._hooks:
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more, and wait a moment for what is being told; what is not is told by the next process."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    def _be(self) -> None:
        """Take part until told to stop, whatever goes wrong."""
        while not self._stop.is_set():
            try:
                self._serve()
            except (TailraceError, OSError) as error:
                log.error("hooks are not told at the moment: %s", error)  # noqa: TRY400  no traceback for a full disk
            self._stop.wait(LOOK_S * 10)

    def _serve(self) -> None:
        """Wait for the lock, and do the work.

        Raises:
            EngineError: the runs cannot be looked at.
            OSError: nothing can be kept.
        """
        engine = DiskEngine(self._state_dir)
        path = os.path.join(engine.state.path, PLACE)
        os.makedirs(path, mode=0o700, exist_ok=True)
        dir_fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        lock_fd = open_lock("lock", dir_fd=dir_fd)
        try:
            while not try_lock(lock_fd):
                if self._stop.wait(LOOK_S):
                    return
            with closing(Outbox(os.path.join(path, "outbox"))) as outbox:
                self._work(engine, outbox, dir_fd)
        finally:
            os.close(lock_fd)
            os.close(dir_fd)
            engine.close()

    def _work(self, engine: DiskEngine, outbox: Outbox, dir_fd: int) -> None:
        """Look and tell, until told to stop, or something is wrong.

        Raises:
            EngineError: the runs cannot be looked at.
            OSError: nothing can be kept.
        """
        if dropped := outbox.drop_others(frozenset(self._hooks)):
            log.warning("%d deliveries to hooks that are not declared any more are dropped", dropped)
        observer = Observer(engine, tuple(self._hooks.values()), outbox, dir_fd)
        tellers = [
            _Teller(hook, self._keys.get(hook.name, b""), engine, outbox, self._private)
            for hook in self._hooks.values()
        ]
        try:
            while not self._stop.is_set():
                observer.look()
                for teller in tellers:
                    teller.wake()
                self._stop.wait(LOOK_S)
        finally:
            for teller in tellers:
                teller.end()
            for teller in tellers:
                teller.join()


class _Teller:
    """Tells one hook what is due, one after another, in a thread that is there as long as something is."""

    def __init__(
        self, hook: Hook, key: bytes, engine: DiskEngine, outbox: Outbox, private: Callable[[], Iterable[str]]
    ) -> None:
        self._hook = hook
        self._key = key
        self._engine = engine
        self._outbox = outbox
        self._private = private
        self._thread: threading.Thread | None = None
        self._is_ending = False

    def end(self) -> None:
        """Begin nothing more."""
        self._is_ending = True

    def join(self) -> None:
        """Wait until what is being told now is told, or has failed: it uses what is about to be closed."""
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """See whether something is due."""
        if self._thread is not None and self._thread.is_alive():
            return
        if self._due() is not None:
            self._thread = threading.Thread(target=self._tell_all, name=f"tailrace-hook-{self._hook.name}", daemon=True)
            self._thread.start()

    def _tell_all(self) -> None:
        try:
            while not self._is_ending and (delivery := self._due()) is not None:
                self._tell(delivery)
        except OSError as error:
            log.error("hook %s cannot be told: %s", self._hook.name, error)  # noqa: TRY400  as above

    def _due(self) -> Delivery | None:
        return self._outbox.next_of(self._hook.name, time.time())

    def _tell(self, delivery: Delivery) -> None:
        """Tell it, and forget it; or keep it for later.

        Raises:
            OSError: it could not be kept, and is where it was.
        """
        try:
            if self._hook.url is None:
                if not errand.run(self._engine, self._hook, delivery, lambda: self._is_ending, self._private()):
                    self._outbox.put(msgspec.structs.replace(delivery, due=time.time() + errand.PATIENCE_S))
                    return
            else:
                now = int(time.time())
                webhook.send(self._hook, self._key, delivery.id, now, delivery.body.encode())
        except NotDelivered as error:
            self._keep(delivery, str(error))
        else:
            self._outbox.remove(delivery.id)

    def _keep(self, delivery: Delivery, why: str) -> None:
        now = time.time()
        later = delivery.failed(now)
        if later.due - delivery.since > self._hook.give_up:
            log.error("hook %s: %s is given up after %d times: %s", self._hook.name, delivery.id, later.attempts, why)
            self._outbox.remove(delivery.id)
            return
        log.warning("hook %s: %s is tried again in %d s: %s", self._hook.name, delivery.id, later.due - now, why)
        self._outbox.put(later)
