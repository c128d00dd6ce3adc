"""Speech to text: a recording in, its words out."""

from __future__ import annotations

import io
import os
import wave
from pathlib import Path
from typing import IO, Any

import dify_plugin

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.outgoing import measured
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.openai import BadRequest
from xinfer.spec import Credentials


def _silence() -> bytes:
    """Return a fifth of a second of silence as WAV: one channel, 16 bits, 16 kHz."""
    recording = io.BytesIO()
    with wave.open(recording, "wb") as written:
        written.setparams((1, 2, 16_000, 0, "NONE", ""))
        written.writeframes(bytes(2 * 3_200))
    return recording.getvalue()


class Speech2TextModel[C: Credentials](ServedModel[C], dify_plugin.Speech2TextModel):
    """A transcription model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Have it write down a fifth of a second of silence."""
        form = {**added(self.runtime, self.kind, call.names), **call.settings.body}
        call.client.transcribe(
            call.name, "silence.wav", _silence(), **{key: str(value) for key, value in form.items()}
        )

    def _invoke(
        self, model: str, credentials: dict[str, Any], file: IO[bytes], user: str | None = None
    ) -> str:
        """Write down what is spoken."""
        call = self.call(model, credentials, user)
        # The SDK names its file by what the first bytes tell of the container.
        name = Path(str(getattr(file, "name", None) or "audio.mp3")).name
        if not file.seek(0, os.SEEK_END):
            raise BadRequest("The recording is empty.", "音频为空。")
        form = {**added(self.runtime, self.kind, call.names), **call.settings.body}
        with self.diagnose(call):
            written = call.client.transcribe(
                call.name, name, file, **{key: str(value) for key, value in form.items()}
            )
        measured([written])
        return written
