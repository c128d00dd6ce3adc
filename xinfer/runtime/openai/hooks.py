"""What a plugin's own Python may change about a call; plain data in, plain data out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

type Json = dict[str, Any]


@frozen(kw_only=True, eq=False)
class Hooks:
    """Functions of a call, each ``None`` where nothing is changed.

    :param on_request: from the body of a request to the one that is sent; a transcription's body
        is its form.
    :param on_chunk: from an event of a stream, or a whole answer of chat or completion, to the
        one that is read.
    :param on_row: from what the server tells of a model to what is read of it.
    :param find_path: from the kind of a call (``chat``, ``embeddings``, ``rerank``, …) and the
        model's name to its path, or ``None`` for the dialect's.
    """

    on_request: Callable[[Json], Json] | None = None
    on_chunk: Callable[[Json], Json] | None = None
    on_row: Callable[[Json], Mapping[str, Any]] | None = None
    find_path: Callable[[str, str], str | None] | None = None

    def request(self, body: Json) -> Json:
        """Change the body of a request."""
        return self.on_request(body) if self.on_request else body

    def chunks(self, events: list[Any]) -> list[Any]:
        """Change events."""
        if self.on_chunk is None:
            return events
        return [self.on_chunk(event) if isinstance(event, dict) else event for event in events]

    def describe(self, row: Json) -> Mapping[str, Any]:
        """Change what a server tells of a model."""
        return self.on_row(row) if self.on_row else row

    def path(self, kind: str, model: str) -> str | None:
        """Find the path of a call."""
        return self.find_path(kind, model) if self.find_path else None


NO_HOOKS = Hooks()
