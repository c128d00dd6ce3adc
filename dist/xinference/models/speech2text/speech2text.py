"""Models of type speech2text. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import speech2text

import provider_spec


class XinferenceSpeech2TextModel(speech2text.Speech2TextModel):
    project = provider_spec.project
