"""One call to a model through its plugin: what Dify asks for each type, from texts and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from xinfer.daemon.session import RunningPlugin
from xinfer.spec import ModelType


@frozen(kw_only=True)
class Invocation:
    """What to ask of which model.

    :param credentials: as Dify stores them; replaced by what validation leaves of them.
    :param inputs: one or several texts, or the path of a recording; a query and documents for a
        rerank model.
    :param parameters: of a language model, as the user sets them.
    """

    provider: str
    model_type: ModelType
    model: str
    credentials: Mapping[str, Any]
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any]
    stream: bool = True

    def run(self, plugin: RunningPlugin, *, customizable: bool) -> Iterator[dict[str, Any]]:
        """Validate the credentials, then yield what the model answers.

        :raises CallError: the credentials or the call were refused.
        """
        common: dict[str, Any] = {"provider": self.provider, "credentials": dict(self.credentials)}
        model = {"model_type": self.model_type.value, "model": self.model}
        if customizable:
            (validated,) = plugin.call("validate_model_credentials", **common, **model)
        else:
            (validated,) = plugin.call("validate_provider_credentials", **common)
        common["credentials"] = validated.get("credentials") or common["credentials"]
        action, fields = CALLS[self.model_type](self)
        yield from plugin.call(action, **common, **model, **fields)


type _Request = tuple[str, dict[str, Any]]


def _llm(asked: Invocation) -> _Request:
    message = {"role": "user", "content": "\n".join(asked.inputs), "name": "", "tool_calls": []}
    return "invoke_llm", {
        "prompt_messages": [message],
        "model_parameters": dict(asked.parameters),
        "stop": None,
        "tools": None,
        "stream": asked.stream,
    }


def _embedding(asked: Invocation) -> _Request:
    return "invoke_text_embedding", {"texts": list(asked.inputs), "input_type": "document"}


def _rerank(asked: Invocation) -> _Request:
    query, *documents = asked.inputs
    # Dify sends 0 for what nobody set.
    unset = {"score_threshold": 0, "top_n": 0}
    return "invoke_rerank", {"query": query, "docs": documents, **unset}


def _transcription(asked: Invocation) -> _Request:
    return "invoke_speech2text", {"file": Path(asked.inputs[0]).read_bytes().hex()}


def _speech(asked: Invocation) -> _Request:
    text = "\n".join(asked.inputs)
    return "invoke_tts", {"content_text": text, "voice": "", "tenant_id": "xinfer"}


CALLS: Mapping[ModelType, Callable[[Invocation], _Request]] = {
    ModelType.LLM: _llm,
    ModelType.TEXT_EMBEDDING: _embedding,
    ModelType.RERANK: _rerank,
    ModelType.SPEECH2TEXT: _transcription,
    ModelType.TTS: _speech,
}
"""The daemon's action, and the fields of its own, for each type of model."""
