"""Models of type text-embedding. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import text_embedding

import provider_spec


class XinferenceTextEmbeddingModel(text_embedding.TextEmbeddingModel):
    project = provider_spec.project
