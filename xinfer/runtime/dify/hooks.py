"""The hooks: what a plugin's own class may change of requests and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.openai.hooks import Hooks
from xinfer.spec import Credentials


class Overridable[C: Credentials]:
    """Methods that a plugin may override; each takes and returns plain data."""

    def request(self, body: dict[str, Any], call: ModelCall[C]) -> dict[str, Any]:
        """Change the body of a request; a transcription's body is its form."""
        return body

    def chunk(self, event: dict[str, Any]) -> dict[str, Any]:
        """Change an event of a stream, or a whole answer, of chat or completion."""
        return event

    def describe(self, row: dict[str, Any]) -> Mapping[str, Any]:
        """Change what the server reports of a model, e.g. in its list, before it is read."""
        return row

    def path(self, kind: str, model: str) -> str | None:
        """Choose the path of a call, relative to the base URL; ``None`` for the dialect's.

        :param kind: ``chat``, ``completions``, ``embeddings``, ``rerank``, ``speech`` or
            ``transcriptions``.
        :param model: the name on the server.
        """
        return None

    def headers(self, call: ModelCall[C]) -> Mapping[str, str]:
        """Add headers to every request; their values count as secrets."""
        return {}

    def hooks(self, call: ModelCall[C]) -> Hooks:
        """Return the hooks that the class overrides."""
        own = {name for name in _UNCHANGED if getattr(type(self), name) is not _UNCHANGED[name]}
        return Hooks(
            on_request=(lambda body: self.request(body, call)) if "request" in own else None,
            on_chunk=self.chunk if "chunk" in own else None,
            on_row=self.describe if "describe" in own else None,
            find_path=self.path if "path" in own else None,
        )


_UNCHANGED: Mapping[str, Callable[..., Any]] = {
    name: getattr(Overridable, name) for name in ("request", "chunk", "describe", "path", "headers")
}
