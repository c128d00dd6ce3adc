"""Text to speech: mp3 in pieces, as the server makes it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import dify_plugin

from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.dify.sentences import sentences
from xinfer.runtime.dify.voices import DEFAULT, voices
from xinfer.runtime.xinference import Client, ModelDescription, ServerUnavailable, XinferenceError


class TTSModel(XinferenceModel, dify_plugin.TTSModel):
    """A speech model that a Xinference server runs."""

    task = "text2audio"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Have it speak, with the voice it will have when nobody chooses one."""
        voice = _spoken(next(iter(voices(described.family, entered.voices))))
        for _ in _speech(client, entered.model_uid, "Hi.", voice):
            return
        raise ServerUnavailable(f"The model {entered.model_uid!r} answered without any sound.")

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
            chosen = voice or next(iter(voices(described.family, entered.voices)))
            limit = self.known(model, credentials, entered).model_properties.word_limit
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
            for value, name in voices(family, entered.voices, language).items()
        ]


def _spoken(voice: str) -> str:
    return "" if voice == DEFAULT else voice


_REFUSED_STREAMING: dict[tuple[str, str], bool] = {}


def _speech(client: Client, uid: str, text: str, voice: str) -> Iterator[bytes]:
    """Speak one part; models that cannot stream are asked again without, and once only."""
    key = (client.server.base_url, uid)
    if not _REFUSED_STREAMING.get(key):
        try:
            pieces = client.speak(uid, text, voice, stream=True)
        except XinferenceError as error:
            if "stream" not in str(error).lower():
                raise
            _REFUSED_STREAMING[key] = True
        else:
            yield from pieces
            return
    yield from client.speak(uid, text, voice, stream=False)
