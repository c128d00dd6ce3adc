"""A rerank model that likes every document alike."""

from typing import Any

import dify_plugin
import ready
from dify_plugin.entities.model import ModelType


class Floor(ready.Ready, dify_plugin.RerankModel):
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
    ) -> Any:
        return ready.ranking(model, docs)
