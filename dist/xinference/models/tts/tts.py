"""Models of type tts. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import tts

import provider_spec


class XinferenceTTSModel(tts.TTSModel):
    project = provider_spec.project
