"""Speech to text: a recording in, its words out."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import dify_plugin

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.openai import BadRequest
from xinfer.spec import Credentials


class Speech2TextModel[C: Credentials](ServedModel[C], dify_plugin.Speech2TextModel):
    """A transcription model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Leave it at the description: even a short recording can take a model long."""

    def _invoke(
        self, model: str, credentials: dict[str, Any], file: IO[bytes], user: str | None = None
    ) -> str:
        """Write down what is spoken."""
        call = self.call(model, credentials, user)
        # The SDK names its file by what the first bytes tell of the container.
        name = Path(str(getattr(file, "name", None) or "audio.mp3")).name
        recording = file.read()
        if not recording:
            raise BadRequest("The recording is empty.", "音频为空。")
        form = {**added(self.runtime, self.kind, call.names), **call.settings.body}
        with self.diagnose(call):
            return call.client.transcribe(
                call.name, name, recording, **{key: str(value) for key, value in form.items()}
            )
