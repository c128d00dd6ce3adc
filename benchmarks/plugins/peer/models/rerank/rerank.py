"""A rerank model, by way of ``xinference_client``."""

from typing import Any

import dify_plugin
import model_server
from dify_plugin.entities.model import ModelType
from dify_plugin.entities.model.rerank import RerankDocument, RerankResult


class Peer(model_server.Asking, dify_plugin.RerankModel):
    kind = ModelType.RERANK

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
        answer = model_server.handle(credentials).rerank(documents=docs, query=query)
        ranked = [
            RerankDocument(
                index=row["index"], text=docs[row["index"]], score=row["relevance_score"]
            )
            for row in answer["results"]
        ]
        return RerankResult(model=model, docs=ranked)
