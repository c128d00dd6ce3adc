"""Authentication: which keys may do what, and when an address is locked out."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from xinfer.testing.server.answer import Refused, refusal
from xinfer.testing.server.arrived import Arrived

_MOST_FAILURES = 10
"""Wrong keys after which every key from this address is refused; a missing one does not count."""
_OF_KEYS = frozenset({"models:read", "models:list"})
"""The scopes that a key can have."""


class Keys:
    """The keys that a server accepts.

    :param known: each key with the uids it may use, or ``None`` for all; empty for a server
        without authentication.
    """

    def __init__(self, scopes: Mapping[str, Collection[str] | None]) -> None:
        self._scopes = scopes
        self._failures = 0
        self._lock = threading.Lock()

    @property
    def required(self) -> bool:
        """What ``GET /v1/cluster/auth`` tells."""
        return bool(self._scopes)

    def check(self, arrived: Arrived, scope: str) -> None:
        """Let a request pass.

        :param scope: what it needs, by Xinference's name.
        :raises Refused: 401 for a missing or wrong key, 403 for one without the right, 429 after
            too many wrong ones.
        """
        if not self.required:
            return
        if self._failures >= _MOST_FAILURES:
            raise Refused(refusal(429, "Too many failed attempts. IP temporarily banned."))
        header = {"www_authenticate": f'Bearer scope="{scope}"'}
        kind, _, key = arrived.headers.get("authorization", "").partition(" ")
        key = key.strip() if kind.lower() == "bearer" else ""
        if key not in self._scopes:
            with self._lock:
                self._failures += bool(key)
            raise Refused(refusal(401, "Could not validate credentials", **header))
        if scope not in _OF_KEYS:
            words = "API keys can only access model query and inference endpoints"
            raise Refused(refusal(403, words, **header))
        allowed = self._scopes[key]
        body = arrived.body if isinstance(arrived.body, dict) else {}
        uid = body.get("model")
        if scope == "models:read" and uid and allowed is not None and uid not in allowed:
            raise Refused(refusal(403, f"API key does not have access to model: {uid}"))
