"""Models of type rerank. Made from provider_spec.py by xinfer; edit that file, then run xinfer build."""

from xinfer.runtime.dify import rerank

import provider_spec


class XinferenceRerankModel(rerank.RerankModel):
    credentials_class = provider_spec.project.credentials
    declared = provider_spec.project.customizable_model("rerank")
