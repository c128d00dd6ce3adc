"""Speech to text: a recording in, its words out."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import dify_plugin

from xinfer.runtime.dify.model import XinferenceModel


class Speech2TextModel(XinferenceModel, dify_plugin.Speech2TextModel):
    """A transcription model that a Xinference server runs."""

    server_type = "audio"

    def _invoke(
        self, model: str, credentials: dict[str, Any], file: IO[bytes], user: str | None = None
    ) -> str:
        entered = self.entered(credentials)
        name = Path(getattr(file, "name", None) or "audio.mp3").name
        return self.client(entered).transcribe(entered.model_uid, name, file.read())
