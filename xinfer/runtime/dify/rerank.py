"""Rerank: documents in the order of how well they answer a query, the best first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import dify_plugin
from dify_plugin.entities.model.rerank import (
    MultiModalRerankResult,
    RerankDocument,
    RerankResult,
)
from dify_plugin.entities.model.text_embedding import MultiModalContent

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.media import inputs, one_input
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.outgoing import shortened
from xinfer.runtime.dify.parameters import added
from xinfer.runtime.openai import Input
from xinfer.spec import Credentials, Rerank
from xinfer.spec.conditions import value_of
from xinfer.spec.runtime import matching

_DEFAULT = Rerank()


class RerankModel[C: Credentials](ServedModel[C], dify_plugin.RerankModel):
    """A rerank model."""

    def probe(self, call: ModelCall[C]) -> None:
        """Score one word."""
        self._scores(call, "Hi", ["Hi"], None)

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
        """Score texts."""
        ranked = self._ranked(
            model, credentials, query, list(docs), docs, score_threshold, top_n, user
        )
        return RerankResult(model=model, docs=ranked)

    def _invoke_multimodal(
        self,
        model: str,
        credentials: dict[str, Any],
        query: MultiModalContent,
        docs: Sequence[MultiModalContent],
        score_threshold: float | None = None,
        top_n: int | None = None,
        user: str | None = None,
    ) -> MultiModalRerankResult:
        """Score texts and images."""
        contents = [document.content for document in docs]
        query_input, documents = one_input(query), inputs(docs)
        ranked = self._ranked(
            model, credentials, query_input, documents, contents, score_threshold, top_n, user
        )
        return MultiModalRerankResult(model=model, docs=ranked)

    def _ranked(
        self,
        model: str,
        credentials: dict[str, Any],
        query: Input,
        documents: list[Input],
        contents: list[str],
        score_threshold: float | None,
        top_n: int | None,
        user: str | None,
    ) -> list[RerankDocument]:
        """Score documents; their contents are ours, because servers do not all send them back."""
        if not documents:
            return []
        call = self.call(model, credentials, user)
        # Dify sends 0 for a threshold and a number of results that nobody set.
        with self.diagnose(call):
            scores = self._scores(call, query, documents, top_n or None)
        results = [
            (index, score)
            for index, score in scores[: top_n or None]
            if not score_threshold or score >= score_threshold
        ]
        texts = shortened([contents[index] for index, _ in results])
        return [
            RerankDocument(index=index, text=text, score=score)
            for (index, score), text in zip(results, texts, strict=True)
        ]

    def _scores(
        self, call: ModelCall[C], query: Input, documents: list[Input], top_n: int | None
    ) -> list[tuple[int, float]]:
        """Score documents, in as many requests as the server's limit makes of them."""
        policy = matching(self.runtime.rerank, call.names, _DEFAULT)
        body = {**added(self.runtime, self.kind, call.names), **policy.body, **call.settings.body}
        size = call.dialect.largest_batch or len(documents)
        scores: list[tuple[int, float]] = []
        for start in range(0, len(documents), size):
            batch = documents[start : start + size]
            part = call.client.rerank(call.name, query, batch, body, top_n=top_n)
            scores += [(start + index, score) for index, score in part]
        how = value_of(policy.scores, call.info)
        if how == "sigmoid" or (how == "dialect" and call.dialect.logits):
            scores = [(index, _sigmoid(score)) for index, score in scores]
        return sorted(scores, key=lambda scored: -scored[1])


def _sigmoid(score: float) -> float:
    """Bring a logit to the range 0 to 1, without overflow."""
    if score >= 0:
        return 1 / (1 + math.exp(-score))
    grown = math.exp(score)
    return grown / (1 + grown)
