"""Models of type rerank. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import rerank

import provider_spec


class XinferenceRerankModel(rerank.RerankModel):
    project = provider_spec.project
