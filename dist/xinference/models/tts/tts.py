"""Models of type tts. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import tts

import provider_spec


class XinferenceTTSModel(tts.TTSModel):
    credentials_class = provider_spec.project.credentials
    declared = provider_spec.project.customizable_model("tts")
