"""Speech to text: a recording in, its words out."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import dify_plugin

from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.openai import BadRequest, Client, ModelDescription


class Speech2TextModel(XinferenceModel, dify_plugin.Speech2TextModel):
    """A transcription model that a Xinference server runs."""

    task = "speech2text"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Leave it at the description: even a short recording can take a model long."""

    def _invoke(
        self, model: str, credentials: dict[str, Any], file: IO[bytes], user: str | None = None
    ) -> str:
        """Write down what is said."""
        entered = self.entered(credentials)
        # The SDK names its file by what the first bytes tell of the container.
        name = Path(str(getattr(file, "name", None) or "audio.mp3")).name
        language = getattr(entered, "language", None)
        form = {"language": language} if language else {}
        recording = file.read()
        if not recording:
            raise BadRequest("The recording is empty.", "录音为空。")
        client = self.client(entered)
        with self.explained(client, entered):
            return client.transcribe(entered.model_uid, name, recording, **form)
