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

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.media import inputs
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.openai import BadRequest, Embeddings, Input
from xinfer.runtime.openai.tokens import count, cut
from xinfer.spec import Credentials, Embedding
from xinfer.spec.conditions import value_of
from xinfer.spec.runtime import matching

_MOST_NUMBERS = 200_000
"""Numbers in one answer: as JSON they fit into 5 MiB, the longest line that Dify's daemon reads."""
_DEFAULT = Embedding()


class TextEmbeddingModel[C: Credentials](ServedModel[C], dify_plugin.TextEmbeddingModel):
    """An embedding model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Turn one word into a vector."""
        call.client.embed(call.name, ["Hi"], self._body(call, EmbeddingInputType.DOCUMENT))

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        texts: list[str],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> TextEmbeddingResult:
        """Turn texts into vectors."""
        embedding = self._embed(self.call(model, credentials, user), list(texts), input_type)
        usage = self._usage(model, credentials, embedding.tokens)
        return TextEmbeddingResult(model=model, embeddings=embedding.vectors, usage=usage)

    def _invoke_multimodal(
        self,
        model: str,
        credentials: dict[str, Any],
        documents: list[MultiModalContent],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> MultiModalEmbeddingResult:
        """Turn texts and images into vectors."""
        embedding = self._embed(self.call(model, credentials, user), inputs(documents), input_type)
        usage = self._usage(model, credentials, embedding.tokens)
        return MultiModalEmbeddingResult(model=model, embeddings=embedding.vectors, usage=usage)

    def _embed(
        self, call: ModelCall[C], inputs: list[Input], input_type: EmbeddingInputType
    ) -> Embeddings:
        """Ask in batches of the size that the schema names; Dify asks in such batches itself."""
        size = call.declared.model_properties.max_chunks or 1
        size = min(size, call.dialect.largest_batch or size)
        body = self._body(call, input_type)
        prefix = self._prefix(call, input_type)
        texts = [prefix + text if isinstance(text, str) else text for text in inputs]
        longest = call.description.limits.get("max_tokens")
        if longest and self._truncates(call) and not call.dialect.truncate:
            texts = [cut(text, longest) if isinstance(text, str) else text for text in texts]
        vectors: list[list[float]] = []
        tokens = 0
        for start in range(0, len(texts), size):
            batch = texts[start : start + size]
            with self.diagnose(call):
                part = call.client.embed(call.name, batch, body)
            vectors += part.vectors
            tokens += part.tokens or sum(count(text) for text in batch if isinstance(text, str))
            if vectors and len(vectors[0]) * len(inputs) > _MOST_NUMBERS:
                most = _MOST_NUMBERS // len(vectors[0])
                raise BadRequest(
                    f"{len(inputs)} vectors of {len(vectors[0])} numbers are more than Dify can "
                    f"receive at once: enter at most {most} as Texts per embedding call.",
                    f"{len(inputs)} 个 {len(vectors[0])} 维向量超出 Dify 单次可接收的上限："
                    f"请将「单次嵌入的文本数量」设为 {most} 或更小。",
                )
        return Embeddings(vectors=vectors, tokens=tokens)

    def _policy(self, call: ModelCall[C]) -> Embedding:
        return matching(self.runtime.embedding, call.names, _DEFAULT)

    def _truncates(self, call: ModelCall[C]) -> bool:
        condition = self._policy(call).truncate
        return condition is not None and condition.holds(call.info)

    def _body(self, call: ModelCall[C], input_type: EmbeddingInputType) -> dict[str, Any]:
        policy = self._policy(call)
        of_type = policy.query if input_type is EmbeddingInputType.QUERY else policy.document
        encoding = {"encoding_format": policy.encoding_format} if policy.encoding_format else {}
        key = call.dialect.truncate
        return {
            **added(self.runtime, self.kind, call.names),
            **encoding,
            **({key: -1} if key and self._truncates(call) else {}),
            **of_type,
            **call.settings.body,
        }

    def _prefix(self, call: ModelCall[C], input_type: EmbeddingInputType) -> str:
        policy = self._policy(call)
        is_query = input_type is EmbeddingInputType.QUERY
        prefix = policy.query_prefix if is_query else policy.document_prefix
        text = str(value_of(prefix, call.info) or "")
        # Dify's form strips what users enter; "query:" is meant to be "query: ".
        return f"{text} " if text and text[-1].isascii() and not text[-1].isspace() else text

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
