"""Text to speech: mp3 in pieces, as the server makes it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import dify_plugin

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.dify.sentences import sentences
from xinfer.runtime.dify.voices import DEFAULT, voices
from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    ServerUnavailable,
)
from xinfer.spec import Credentials


class TTSModel[C: Credentials](ServedModel[C], dify_plugin.TTSModel):
    """A speech model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Have it speak, with the voice it will have when nobody chooses one."""
        for _ in _speech(call, "Hi.", _spoken(_first_voice(call)), self._body(call)):
            return
        raise ServerUnavailable(
            f"The model {call.name!r} answered without any sound.",
            f"模型 {call.name!r} 未返回任何音频。",
        )

    def _invoke(
        self,
        model: str,
        tenant_id: str,
        credentials: dict[str, Any],
        content_text: str,
        voice: str,
        user: str | None = None,
    ) -> Generator[bytes, None, None]:
        """Speak a text; a voice that is not listed is passed on, as cloned ones are."""
        with mapped():
            call = self.call(model, credentials, user)
            chosen = _spoken(voice or _first_voice(call))
            limit = call.declared.model_properties.word_limit
            body = self._body(call)
            with self.diagnose(call):
                for part in sentences(content_text, limit or len(content_text)):
                    yield from _speech(call, part, chosen, body)

    def get_tts_model_voices(
        self, model: str, credentials: dict[str, Any], language: str | None = None
    ) -> list[dict[str, Any]]:
        """List the declared voices, else those that the model's family has for a language."""
        with mapped():
            listed = _voices(self.call(model, credentials), language)
        return [{"name": name, "value": value} for value, name in listed.items()]

    def _body(self, call: ModelCall[C]) -> dict[str, Any]:
        kind = call.declared.model_properties.audio_type
        return {
            **({"response_format": kind} if kind else {}),
            **added(self.runtime, self.kind, call.names),
            **call.settings.body,
        }


def _voices(call: ModelCall[Any], language: str | None = None) -> dict[str, str]:
    properties = call.declared.model_properties
    return voices(call.description.family, properties.voices or (), language)


def _first_voice(call: ModelCall[Any]) -> str:
    declared = call.declared.model_properties.default_voice
    listed = _voices(call)
    return declared if declared in listed else next(iter(listed))


def _spoken(voice: str) -> str:
    return "" if voice == DEFAULT else voice


_refused_streaming: set[tuple[str, str]] = set()
"""Server and uid of the models that refused to; forgotten when they become many."""
_MOST_REMEMBERED = 512
_AT_ONCE = 200
"""Letters that a model speaks at once when it cannot stream: nobody waits for more than those."""


def _speech(
    call: ModelCall[Any], text: str, voice: str, body: Mapping[str, Any]
) -> Iterator[bytes]:
    """Speak one part; models that cannot stream are asked again without, and once only."""
    client, name = call.client, call.name
    key = (client.server.base_url, name)
    if key not in _refused_streaming:
        try:
            pieces = client.speak(name, text, voice, body, stream=True)
        except (ServerUnavailable, BadRequest) as error:
            if "stream" not in error.words.replace(name, "").lower():
                raise _with_voice(error, voice) from None
            if len(_refused_streaming) >= _MOST_REMEMBERED:
                _refused_streaming.clear()
            _refused_streaming.add(key)
        else:
            yield from pieces
            return
    for sentence in sentences(text, _AT_ONCE):
        try:
            pieces = client.speak(name, sentence, voice, body, stream=False)
        except ServerUnavailable as error:
            raise _with_voice(error, voice) from None
        yield from pieces


def _with_voice(error: CallError, voice: str) -> CallError:
    """Name the voice: of one that it does not have, a model speaks as of a missing file."""
    if not voice or error.has_fix or not isinstance(error, ServerUnavailable):
        return error
    return error.adding(
        f"The voice was {voice!r}: see whether the model has it.",
        f"所用音色为 {voice!r}：请确认该模型支持此音色。",
    )
