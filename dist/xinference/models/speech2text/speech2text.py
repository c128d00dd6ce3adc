"""Models of type speech2text. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import speech2text

import provider_spec


class XinferenceSpeech2TextModel(speech2text.Speech2TextModel):
    credentials_class = provider_spec.project.credentials
    declared = provider_spec.project.customizable_model("speech2text")
