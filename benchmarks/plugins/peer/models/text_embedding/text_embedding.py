"""An embedding model, by way of ``xinference_client``; Dify asks for one text at a time."""

from typing import Any

import dify_plugin
import model_server
from dify_plugin.entities.model import EmbeddingInputType, ModelType, PriceType
from dify_plugin.entities.model.text_embedding import EmbeddingUsage, TextEmbeddingResult


class Peer(model_server.Asking, dify_plugin.TextEmbeddingModel):
    kind = ModelType.TEXT_EMBEDDING

    def properties(self, description: Any) -> dict[str, Any]:
        return {"context_size": description.get("max_tokens", 512), "max_chunks": 1}

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        texts: list[str],
        user: str | None = None,
        input_type: EmbeddingInputType = EmbeddingInputType.DOCUMENT,
    ) -> TextEmbeddingResult:
        answer = model_server.handle(credentials).create_embedding(input=texts)
        tokens = answer["usage"]["total_tokens"]
        price = self.get_price(model, credentials, PriceType.INPUT, tokens)
        return TextEmbeddingResult(
            model=model,
            embeddings=[row["embedding"] for row in answer["data"]],
            usage=EmbeddingUsage(
                tokens=tokens,
                total_tokens=tokens,
                unit_price=price.unit_price,
                price_unit=price.unit,
                total_price=price.total_amount,
                currency=price.currency,
                latency=0.0,
            ),
        )

    def get_num_tokens(self, model: str, credentials: dict[str, Any], texts: list[str]) -> Any:
        return [1 for _ in texts]
