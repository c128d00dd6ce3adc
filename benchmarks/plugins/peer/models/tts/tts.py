"""A model that speaks, by way of ``xinference_client``; here for its imports."""

from typing import Any

import dify_plugin
import model_server
from dify_plugin.entities.model import ModelType


class Peer(model_server.Asking, dify_plugin.TTSModel):
    kind = ModelType.TTS

    def _invoke(
        self,
        model: str,
        tenant_id: str,
        credentials: dict[str, Any],
        content_text: str,
        voice: str,
        user: str | None = None,
    ) -> bytes:
        sound: bytes = model_server.handle(credentials).speech(input=content_text, voice=voice)
        return sound

    def get_tts_model_voices(self, *_: Any, **__: Any) -> list[Any]:
        return []
