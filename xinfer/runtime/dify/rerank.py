"""Rerank: documents by how well they answer a query, the best first."""

from __future__ import annotations

from typing import Any

import dify_plugin
from dify_plugin.entities.model.rerank import RerankDocument, RerankResult

from xinfer.runtime.dify.model import XinferenceModel


class RerankModel(XinferenceModel, dify_plugin.RerankModel):
    """A rerank model that a Xinference server runs."""

    server_type = "rerank"

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        query: str,
        docs: list[str],
        score_threshold: float | None = None,
        top_n: int | None = None,
        user: str | None = None,
    ) -> RerankResult:
        if not docs:
            return RerankResult(model=model, docs=[])
        entered = self.entered(credentials)
        # Dify sends 0 for a threshold and a number of results that nobody set.
        scores = self.client(entered).rerank(entered.model_uid, query, docs, top_n=top_n or None)
        return RerankResult(
            model=model,
            docs=[
                RerankDocument(index=index, text=docs[index], score=score)
                for index, score in scores
                if not score_threshold or score >= score_threshold
            ],
        )
