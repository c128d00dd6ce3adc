"""Answers cached for a minute: many calls ask, one request is sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from attrs import define, field

LIFETIME = 60.0
"""Seconds."""


class _Abandoned(Exception):
    """The caller that was asking was stopped before the answer came."""


@define
class Cache[V]:
    """Caches answers; a failure goes to all who wait for it and is not cached.

    No lock is held while a request is under way, and callers that ask for the same meanwhile wait
    for its answer.

    :param most: answers; the one asked for first goes first.
    """

    most: int
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _entries: dict[Hashable, tuple[float, Future[V]]] = field(factory=dict, init=False)

    def get(self, key: Hashable, ask: Callable[[], V]) -> V:
        """Look an answer up, or ask; whatever ``ask`` raises is raised."""
        while True:
            future, is_new = self._entry(key)
            if is_new:
                return self._answer(key, future, ask)
            try:
                return future.result()
            except _Abandoned:
                continue

    def _entry(self, key: Hashable) -> tuple[Future[V], bool]:
        """Return the answer, or that to come, and whether the caller is the one to ask."""
        with self._lock:
            until, cached = self._entries.get(key, (0.0, None))
            if cached is not None and self.clock() < until:
                return cached, False
            future: Future[V] = Future()
            self._entries.pop(key, None)
            self._entries[key] = (float("inf"), future)
            while len(self._entries) > self.most:
                del self._entries[next(iter(self._entries))]
            return future, True

    def _answer(self, key: Hashable, future: Future[V], ask: Callable[[], V]) -> V:
        try:
            answer = ask()
        except BaseException as error:
            self._settle(key, future, None)
            # A caller that is stopped must not stop those who wait for its answer.
            future.set_exception(error if isinstance(error, Exception) else _Abandoned())
            raise
        self._settle(key, future, self.clock() + LIFETIME)
        future.set_result(answer)
        return answer

    def _settle(self, key: Hashable, future: Future[V], until: float | None) -> None:
        with self._lock:
            if self._entries.get(key, (0.0, None))[1] is not future:
                return  # evicted meanwhile
            if until is None:
                del self._entries[key]
            else:
                self._entries[key] = (until, future)
