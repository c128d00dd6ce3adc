"""Models of type llm. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import llm

import provider_spec


class XinferenceLargeLanguageModel(llm.LargeLanguageModel):
    project = provider_spec.project
