"""Text to speech: mp3 in pieces, as the server makes it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import dify_plugin

from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.dify.sentences import sentences
from xinfer.runtime.dify.voices import DEFAULT, voices
from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    Client,
    ModelDescription,
    ServerUnavailable,
)


class TTSModel(XinferenceModel, dify_plugin.TTSModel):
    """A speech model that a Xinference server runs."""

    task = "tts"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Have it speak, with the voice it will have when nobody chooses one."""
        voice = _spoken(next(iter(voices(described.family, _own_voices(entered)))))
        for _ in _speech(client, entered.model_uid, "Hi.", voice):
            return
        raise ServerUnavailable(
            f"The model {entered.model_uid!r} answered without any sound.",
            f"模型“{entered.model_uid}”返回的音频为空。",
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
            entered = self.entered(credentials)
            described = self.described(credentials, entered)
            client = self.client(entered)
            chosen = voice or next(iter(voices(described.family, _own_voices(entered))))
            limit = self.known(model, credentials, entered).model_properties.word_limit
            with self.explained(client, entered):
                for part in sentences(content_text, limit or len(content_text)):
                    yield from _speech(client, entered.model_uid, part, _spoken(chosen))

    def get_tts_model_voices(
        self, model: str, credentials: dict[str, Any], language: str | None = None
    ) -> list[dict[str, Any]]:
        """List the user's own voices, else those that the model's family has for a language."""
        with mapped():
            entered = self.entered(credentials)
            family = self.described(credentials, entered).family
        return [
            {"name": name, "value": value}
            for value, name in voices(family, _own_voices(entered), language).items()
        ]


def _own_voices(entered: Any) -> str | None:
    return getattr(entered, "voices", None)


def _spoken(voice: str) -> str:
    return "" if voice == DEFAULT else voice


_refused_streaming: set[tuple[str, str]] = set()
"""Server and uid of the models that refused to; forgotten when they become many."""
_MOST_REMEMBERED = 512
_AT_ONCE = 200
"""Letters that a model speaks at once when it cannot stream: nobody waits for more than those."""


def _speech(client: Client, uid: str, text: str, voice: str) -> Iterator[bytes]:
    """Speak one part; models that cannot stream are asked again without, and once only."""
    key = (client.server.base_url, uid)
    if key not in _refused_streaming:
        try:
            pieces = client.speak(uid, text, voice, stream=True)
        except (ServerUnavailable, BadRequest) as error:
            if "stream" not in error.words.replace(uid, "").lower():
                raise _with_voice(error, voice) from None
            if len(_refused_streaming) >= _MOST_REMEMBERED:
                _refused_streaming.clear()
            _refused_streaming.add(key)
        else:
            yield from pieces
            return
    for sentence in sentences(text, _AT_ONCE):
        try:
            pieces = client.speak(uid, sentence, voice, stream=False)
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
