"""Text to speech: mp3 in pieces, as the server makes it."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import dify_plugin
from dify_plugin.entities.model import ModelPropertyKey

from xinfer.runtime.dify.errors import invoke_error
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.xinference import XinferenceError


class TTSModel(XinferenceModel, dify_plugin.TTSModel):
    """A speech model that a Xinference server runs."""

    server_type = "audio"

    def _invoke(
        self,
        model: str,
        tenant_id: str,
        credentials: dict[str, Any],
        content_text: str,
        voice: str,
        user: str | None = None,
    ) -> Generator[bytes, None, None]:
        entered = self.entered(credentials)
        client = self.client(entered)
        # "default" is Dify's word for a voice nobody chose; the server knows its own then.
        chosen = "" if voice == "default" else voice
        limit = self._get_model_word_limit(model, credentials) or len(content_text)
        try:
            for sentences in self._split_text_into_sentences(content_text, limit):
                yield from client.speak(entered.model_uid, sentences, chosen)
        except XinferenceError as error:
            raise invoke_error(error) from error

    def get_tts_model_voices(
        self, model: str, credentials: dict[str, Any], language: str | None = None
    ) -> list[dict[str, Any]]:
        """List the voices declared for the model, or the one it has by default."""
        schema = self.get_model_schema(model, credentials)
        voices = (schema and schema.model_properties.get(ModelPropertyKey.VOICES)) or ()
        listed = [
            {"name": voice["name"], "value": voice["mode"]}
            for voice in voices
            if not language or language in voice["language"]
        ]
        return listed or [{"name": "Default", "value": "default"}]
