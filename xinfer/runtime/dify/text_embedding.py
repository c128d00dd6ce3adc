"""Text embedding: one vector for each text, in the order of the texts; images where models can."""

from __future__ import annotations

from typing import Any

import dify_plugin
from dify_plugin.entities.model import EmbeddingInputType, PriceType
from dify_plugin.entities.model.text_embedding import (
    EmbeddingUsage,
    MultiModalContent,
    MultiModalEmbeddingResult,
    TextEmbeddingResult,
)

from xinfer.runtime.dify.media import inputs
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.openai import BadRequest, Client, Embeddings, Input, ModelDescription
from xinfer.runtime.openai.tokens import count

_MOST_NUMBERS = 200_000
"""In one answer: written as JSON they stay below the 5 MiB at which Dify's daemon gives up a line
and the plugin with it."""

_TASKS = {
    EmbeddingInputType.QUERY: "retrieval.query",
    EmbeddingInputType.DOCUMENT: "retrieval.passage",
}
_TOLD_THE_TASK = "jina-embeddings-v"
"""The models that tell queries from documents when asked to; others fail on the word."""


class TextEmbeddingModel(XinferenceModel, dify_plugin.TextEmbeddingModel):
    """An embedding model that a Xinference server runs."""

    task = "text-embedding"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Turn one word into a vector."""
        client.embed(entered.model_uid, ["Hi"])

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        texts: list[str],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> TextEmbeddingResult:
        """Turn texts into vectors."""
        found = self._embed(model, credentials, list(texts), input_type)
        usage = self._usage(model, credentials, found.tokens)
        return TextEmbeddingResult(model=model, embeddings=found.vectors, usage=usage)

    def _invoke_multimodal(
        self,
        model: str,
        credentials: dict[str, Any],
        documents: list[MultiModalContent],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> MultiModalEmbeddingResult:
        """Turn texts and images into vectors."""
        found = self._embed(model, credentials, inputs(documents), input_type)
        usage = self._usage(model, credentials, found.tokens)
        return MultiModalEmbeddingResult(model=model, embeddings=found.vectors, usage=usage)

    def _embed(
        self,
        model: str,
        credentials: dict[str, Any],
        given: list[Input],
        input_type: EmbeddingInputType,
    ) -> Embeddings:
        """Ask in batches of the size that the schema names; Dify asks in such batches itself."""
        entered = self.entered(credentials)
        client = self.client(entered)
        described = self.described(credentials, entered)
        told = described.name.lower().startswith(_TOLD_THE_TASK)
        more = {"task": _TASKS[input_type]} if told and input_type in _TASKS else None
        size = self.known(model, credentials, entered).model_properties.max_chunks or 1
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(given), size):
            batch = given[start : start + size]
            with self.explained(client, entered):
                part = client.embed(entered.model_uid, batch, more)
            vectors += part.vectors
            tokens += part.tokens or sum(count(text) for text in batch if isinstance(text, str))
            if vectors and len(vectors[0]) * len(given) > _MOST_NUMBERS:
                most = _MOST_NUMBERS // len(vectors[0])
                raise BadRequest(
                    f"{len(given)} vectors of {len(vectors[0])} numbers are more than Dify can "
                    f"receive at once: enter at most {most} as Texts in one embedding call.",
                    f"一次返回的向量过多，Dify 无法接收：“单次嵌入的文本数量”请填写不超过 {most} "
                    "的值。",
                )
        return Embeddings(vectors=vectors, tokens=tokens)

    def get_num_tokens(
        self, model: str, credentials: dict[str, Any], texts: list[str]
    ) -> list[int]:
        """Estimate the tokens of each text."""
        return [count(text) for text in texts]

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
