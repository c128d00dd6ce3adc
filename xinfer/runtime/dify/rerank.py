"""Rerank: documents by how well they answer a query, the best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dify_plugin
from dify_plugin.entities.model.rerank import (
    MultiModalRerankResult,
    RerankDocument,
    RerankResult,
)
from dify_plugin.entities.model.text_embedding import MultiModalContent

from xinfer.runtime.dify.media import inputs, one_input
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.openai import Client, Input, ModelDescription


class RerankModel(XinferenceModel, dify_plugin.RerankModel):
    """A rerank model that a Xinference server runs."""

    task = "rerank"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Score one word."""
        client.rerank(entered.model_uid, "Hi", ["Hi"])

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
        ranked = self._ranked(credentials, query, list(docs), docs, score_threshold, top_n)
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
        asked, documents = one_input(query), inputs(docs)
        ranked = self._ranked(credentials, asked, documents, contents, score_threshold, top_n)
        return MultiModalRerankResult(model=model, docs=ranked)

    def _ranked(
        self,
        credentials: dict[str, Any],
        query: Input,
        documents: list[Input],
        contents: list[str],
        score_threshold: float | None,
        top_n: int | None,
    ) -> list[RerankDocument]:
        """Score documents; their contents are ours, because servers do not all send them back."""
        if not documents:
            return []
        entered = self.entered(credentials)
        # Dify sends 0 for a threshold and a number of results that nobody set.
        client = self.client(entered)
        with self.explained(client, entered):
            scores = client.rerank(entered.model_uid, query, documents, top_n=top_n or None)
        return [
            RerankDocument(index=index, text=contents[index], score=score)
            for index, score in scores[: top_n or None]
            if not score_threshold or score >= score_threshold
        ]
