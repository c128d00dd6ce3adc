"""Text embedding: one vector for each text, in the order of the texts."""

from __future__ import annotations

from typing import Any

import dify_plugin
from dify_plugin.entities.model import EmbeddingInputType, PriceType
from dify_plugin.entities.model.text_embedding import EmbeddingUsage, TextEmbeddingResult

from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.dify.tokens import estimate


class TextEmbeddingModel(XinferenceModel, dify_plugin.TextEmbeddingModel):
    """An embedding model that a Xinference server runs."""

    server_type = "embedding"

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        texts: list[str],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> TextEmbeddingResult:
        entered = self.entered(credentials)
        size = self._get_max_chunks(model, credentials)
        client = self.client(entered)
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(texts), size):
            part = client.embed(entered.model_uid, texts[start : start + size])
            vectors += part.vectors
            tokens += part.tokens
        return TextEmbeddingResult(
            model=model, embeddings=vectors, usage=self._usage(model, credentials, tokens)
        )

    def get_num_tokens(
        self, model: str, credentials: dict[str, Any], texts: list[str]
    ) -> list[int]:
        """Estimate the tokens of each text."""
        return [estimate(text) for text in texts]

    def _usage(self, model: str, credentials: dict[str, Any], tokens: int) -> EmbeddingUsage:
        price = self.get_price(model, credentials, PriceType.INPUT, tokens)
        return EmbeddingUsage(
            tokens=tokens,
            total_tokens=tokens,
            unit_price=price.unit_price,
            price_unit=price.unit,
            total_price=price.total_amount,
            currency=price.currency,
            latency=0.0,
        )
