"""What servers said of their models, kept for a minute: many calls ask, one request goes out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from attrs import define, field

from xinfer.runtime.xinference.answers import ModelDescription

KEPT = 60.0
"""Seconds."""

_MOST = 512
"""Models; the one asked for first goes first."""


@define
class DescriptionCache:
    """Keeps answers; failures are told to all who wait for them, and not kept.

    No lock is held while a request is under way, and callers that ask for the same model
    meanwhile wait for its answer.
    """

    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(factory=threading.Lock, init=False)
    _entries: dict[Hashable, tuple[float, Future[ModelDescription]]] = field(
        factory=dict, init=False
    )

    def get(self, key: Hashable, ask: Callable[[], ModelDescription]) -> ModelDescription:
        """Look a model up, or ask; whatever ``ask`` raises is raised."""
        with self._lock:
            until, known = self._entries.get(key, (0.0, None))
            if known is not None and self.clock() < until:
                future, mine = known, False
            else:
                future, mine = Future(), True
                self._entries.pop(key, None)
                self._entries[key] = (float("inf"), future)
                while len(self._entries) > _MOST:
                    del self._entries[next(iter(self._entries))]
        if mine:
            self._answer(key, future, ask)
        return future.result()

    def _answer(
        self, key: Hashable, future: Future[ModelDescription], ask: Callable[[], ModelDescription]
    ) -> None:
        try:
            answer = ask()
        except BaseException as error:
            self._settle(key, future, None)
            future.set_exception(error)
        else:
            self._settle(key, future, self.clock() + KEPT)
            future.set_result(answer)

    def _settle(self, key: Hashable, future: Future[ModelDescription], until: float | None) -> None:
        with self._lock:
            if self._entries.get(key, (0.0, None))[1] is not future:
                return  # pushed out meanwhile
            if until is None:
                del self._entries[key]
            else:
                self._entries[key] = (until, future)
