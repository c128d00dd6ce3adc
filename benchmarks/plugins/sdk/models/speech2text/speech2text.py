"""A listener that always hears the same."""

from typing import Any

import dify_plugin
import ready
from dify_plugin.entities.model import ModelType


class Floor(ready.Ready, dify_plugin.Speech2TextModel):
    kind = ModelType.SPEECH2TEXT

    def _invoke(self, *_: Any, **__: Any) -> str:
        return "Hello"
