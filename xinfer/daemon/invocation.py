"""One call to a model through its plugin: what Dify asks for each type, from texts and files."""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from xinfer.daemon.session import RunningPlugin
from xinfer.spec import ModelType


@frozen(kw_only=True)
class Invocation:
    """What to ask of which model.

    :param credentials: as Dify stores them.
    :param inputs: one or several texts, or the path of a recording; a query and documents for a
        rerank model.
    :param customizable: whether the user added the model by hand; its credentials are the model's
        own then, and the provider's otherwise.
    :param parameters: of a language model, as the user sets them.
    :param history: messages before the one of ``inputs``, see :func:`message`.
    :param files: images, audio, video and documents that go with the text.
    :param tools: functions that the model may call: name, description, parameters.
    :param voice: of a text-to-speech model; empty for its default.
    """

    provider: str
    model_type: ModelType
    model: str
    credentials: Mapping[str, Any]
    inputs: tuple[str, ...]
    customizable: bool = True
    parameters: Mapping[str, Any] = {}
    stream: bool = True
    history: tuple[Mapping[str, Any], ...] = ()
    files: tuple[Path, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    stop: tuple[str, ...] = ()
    voice: str = ""

    def run(self, plugin: RunningPlugin) -> Iterator[dict[str, Any]]:
        """Validate the credentials, then yield what the model answers.

        :raises CallError: the credentials or the call were refused.
        """
        yield from self.validated(plugin).call(plugin)

    def validated(self, plugin: RunningPlugin) -> Invocation:
        """Validate the credentials as Dify does when it saves them, and keep what comes back.

        :raises CallError: they were refused.
        """
        if self.customizable:
            (answer,) = plugin.call("validate_model_credentials", **self._of_model())
        else:
            (answer,) = plugin.call("validate_provider_credentials", **self._of_provider())
        return evolve(self, credentials=answer.get("credentials") or self.credentials)

    def request(self) -> tuple[str, dict[str, Any]]:
        """Return the daemon's action and the fields of its request."""
        action, fields = CALLS[self.model_type](self)
        return action, {**self._of_model(), **fields}

    def call(self, plugin: RunningPlugin) -> Iterator[dict[str, Any]]:
        """Yield what the model answers.

        :raises CallError: the call was refused.
        """
        action, fields = self.request()
        yield from plugin.call(action, **fields)

    def schema(self, plugin: RunningPlugin) -> dict[str, Any] | None:
        """Ask the plugin to describe a customizable model; ``None`` when it does not.

        :raises CallError: the plugin answered with an error.
        """
        (answer,) = plugin.call("get_ai_model_schemas", **self._of_model())
        schema: dict[str, Any] | None = answer.get("model_schema")
        return schema

    def tokens(self, plugin: RunningPlugin) -> int:
        """Ask the plugin how many tokens the texts are, as Dify does before a call.

        :raises CallError: the plugin answered with an error.
        """
        if self.model_type is ModelType.LLM:
            _, fields = self.request()
            arguments = {name: fields[name] for name in ("prompt_messages", "tools")}
            (answer,) = plugin.call("get_llm_num_tokens", **self._of_model(), **arguments)
            return int(answer["num_tokens"])
        texts = {"texts": list(self.inputs)}
        (answer,) = plugin.call("get_text_embedding_num_tokens", **self._of_model(), **texts)
        return sum(answer["num_tokens"])

    def voices(self, plugin: RunningPlugin, language: str | None = None) -> list[dict[str, str]]:
        """Ask the plugin which voices a model speaks with, each a name and a value.

        :raises CallError: the plugin answered with an error.
        """
        (answer,) = plugin.call("get_tts_model_voices", **self._of_model(), language=language)
        voices: list[dict[str, str]] = answer["voices"]
        return voices

    def _of_provider(self) -> dict[str, Any]:
        return {"provider": self.provider, "credentials": dict(self.credentials)}

    def _of_model(self) -> dict[str, Any]:
        return {
            **self._of_provider(),
            "model_type": self.model_type.value,
            "model": self.model,
        }


def message(
    role: str,
    text: str,
    files: Sequence[Path] = (),
    *,
    tool_calls: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Write a message of a conversation as Dify sends it.

    :param role: ``system``, ``user``, ``assistant`` or ``tool``.
    """
    content: Any = text
    if files:
        content = [{"type": "text", "data": text}, *map(_part, files)]
    calls = {"tool_calls": list(tool_calls)} if role == "assistant" else {}
    return {"role": role, "content": content, "name": "", **calls}


def _part(file: Path) -> dict[str, Any]:
    mime = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    family = mime.partition("/")[0]
    return {
        "type": family if family in ("image", "audio", "video") else "document",
        "format": file.suffix.removeprefix("."),
        "base64_data": base64.b64encode(file.read_bytes()).decode(),
        "mime_type": mime,
        "filename": file.name,
    }


type _Request = tuple[str, dict[str, Any]]


def _llm(invocation: Invocation) -> _Request:
    return "invoke_llm", {
        "prompt_messages": [
            *invocation.history,
            message("user", "\n".join(invocation.inputs), invocation.files),
        ],
        "model_parameters": dict(invocation.parameters),
        "stop": list(invocation.stop) or None,
        "tools": [dict(tool) for tool in invocation.tools] or None,
        "stream": invocation.stream,
    }


def _embedding(invocation: Invocation) -> _Request:
    return "invoke_text_embedding", {"texts": list(invocation.inputs), "input_type": "document"}


def _rerank(invocation: Invocation) -> _Request:
    query, *documents = invocation.inputs
    # Dify sends 0 for what is not set.
    unset = {"score_threshold": 0, "top_n": 0}
    return "invoke_rerank", {"query": query, "docs": documents, **unset}


def _transcription(invocation: Invocation) -> _Request:
    return "invoke_speech2text", {"file": Path(invocation.inputs[0]).read_bytes().hex()}


def _speech(invocation: Invocation) -> _Request:
    text = "\n".join(invocation.inputs)
    return "invoke_tts", {"content_text": text, "voice": invocation.voice, "tenant_id": "xinfer"}


def _moderation(invocation: Invocation) -> _Request:
    return "invoke_moderation", {"text": "\n".join(invocation.inputs)}


CALLS: Mapping[ModelType, Callable[[Invocation], _Request]] = {
    ModelType.LLM: _llm,
    ModelType.TEXT_EMBEDDING: _embedding,
    ModelType.RERANK: _rerank,
    ModelType.SPEECH2TEXT: _transcription,
    ModelType.TTS: _speech,
    ModelType.MODERATION: _moderation,
}
"""The daemon's action, and the fields of its own, for each type of model."""
