"""The models that run, and which of them a request is for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from xinfer.testing.server.answer import WHERE, Answer, Refused, as_json, refusal
from xinfer.testing.server.served import Served

_REMEMBERED = 10.0
"""Seconds for which Xinference does not look again for a model it did not find."""


class Models:
    """The running models, found by uid."""

    def __init__(self, models: Iterable[Served]) -> None:
        self.models = {model.uid: model for model in models}
        self._missed: dict[str, float] = {}

    def model(self, uid: Any) -> Served:
        """Return the model to use.

        :raises Refused: with 404, none of that uid runs.
        """
        if model := self.models.get(uid):
            return model
        words = f"Model not found in the model list, uid: {uid}"
        if time.monotonic() - self._missed.get(uid, -_REMEMBERED) < _REMEMBERED:
            raise Refused(refusal(404, f"{words} (cached, retry after {_REMEMBERED}s)"))
        self._missed[uid] = time.monotonic()
        raise Refused(refusal(404, f"{WHERE}{words}. Available model uids: {list(self.models)}"))

    def described(self, uid: str) -> Answer:
        """Answer ``GET /v1/models/{uid}``: 400 for a model that does not run."""
        if model := self.models.get(uid):
            description = model.description()
            # The replicas end it, after the number of workers that only this answer tells.
            return as_json({**description, "n_worker": 1, "replica": description.pop("replica", 1)})
        return refusal(400, f"{WHERE}Model not found in the model list, uid: {uid}")

    def listed(self) -> Answer:
        """Answer ``GET /v1/models``."""
        fixed = {"object": "model", "created": 0, "owned_by": "xinference"}
        data = [{"id": m.uid, **fixed, **m.description()} for m in self.models.values()]
        return as_json({"object": "list", "data": data})
