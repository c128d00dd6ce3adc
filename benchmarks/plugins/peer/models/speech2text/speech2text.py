"""A model that writes down what is said, by way of ``xinference_client``; here for its imports."""

from typing import IO, Any

import dify_plugin
import model_server
from dify_plugin.entities.model import ModelType


class Peer(model_server.Asking, dify_plugin.Speech2TextModel):
    kind = ModelType.SPEECH2TEXT

    def _invoke(
        self, model: str, credentials: dict[str, Any], file: IO[bytes], user: str | None = None
    ) -> str:
        heard = model_server.handle(credentials).transcriptions(audio=file.read())
        return str(heard["text"])
