"""A speaker that says nothing."""

from typing import Any

import dify_plugin
import ready
from dify_plugin.entities.model import ModelType


class Floor(ready.Ready, dify_plugin.TTSModel):
    kind = ModelType.TTS

    def _invoke(self, *_: Any, **__: Any) -> bytes:
        return b""

    def get_tts_model_voices(self, *_: Any, **__: Any) -> list[Any]:
        return []
