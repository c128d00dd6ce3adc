"""A language model that has its answer ready."""

import time
from collections.abc import Iterator
from typing import Any

import dify_plugin
import ready
from dify_plugin.entities.model import ModelType

PACES = {"slow": 0.001, "steady": 0.033}
"""Seconds between two tokens, as from the benchmark's server."""


class Floor(ready.Ready, dify_plugin.LargeLanguageModel):
    kind = ModelType.LLM

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[Any],
        model_parameters: dict[str, Any],
        tools: list[Any] | None = None,
        stop: list[str] | None = None,
        stream: bool = True,
        user: str | None = None,
    ) -> Any:
        tokens = model_parameters.get("max_tokens", 200)
        if not stream:
            return ready.answer(model, tokens)
        chunks = ready.chunks(model, tokens)
        return _paced(chunks, PACES[model]) if model in PACES else (chunk for chunk in chunks)

    def get_num_tokens(self, *_: Any) -> int:
        return 1


def _paced(chunks: list[Any], pace: float) -> Iterator[Any]:
    for chunk in chunks:
        yield chunk
        time.sleep(pace)
