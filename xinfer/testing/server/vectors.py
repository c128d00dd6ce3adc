"""Embeddings and reranking: bags of words, so that similar texts come out similar."""

from __future__ import annotations

import base64
import math
import re
import struct
import uuid
import zlib
from collections.abc import Mapping
from typing import Any

from xinfer.testing.server.answer import WHERE, Answer, as_json, refusal
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.fields import EMBEDDING, RERANK, checked
from xinfer.testing.server.models import Models
from xinfer.testing.server.served import Served
from xinfer.testing.server.tokens import count

_FRAME = 2
"""Tokens around every text: its begin and its end."""


def embed(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/embeddings``; ``dimensions`` changes nothing, as for sentence-transformers.

    A list of token ids is taken for a list of texts.
    """
    body = checked(arrived, "CreateEmbeddingRequest", EMBEDDING)
    model = models.model(body["model"])
    if model.model_type != "embedding":
        return refusal(500, f"{WHERE}Model {model.uid} is not for creating embedding.")
    input_ = body["input"]
    texts = [str(text) for text in input_] if isinstance(input_, list) else [str(input_)]
    most = model.limits.get("max_tokens", 512)
    tokens = sum(min(count(text) + _FRAME, most) for text in texts)
    written = _base64 if body.get("encoding_format") == "base64" else list
    vectors = [written(_rounded(_vector(model, text))) for text in texts]
    return as_json(
        {
            "object": "list",
            "model": model.uid,
            "model_replica": f"{model.uid}-rep0",
            "data": [
                {"index": index, "object": "embedding", "embedding": vector}
                for index, vector in enumerate(vectors)
            ],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
    )


def _vector(model: Served, text: str) -> list[float]:
    if callable(model.answer):
        return [float(number) for number in model.answer(text)]
    return bag(text, model.limits.get("dimensions", 384))


def bag(text: str, dimensions: int) -> list[float]:
    """Return a vector of length 1 that counts the words of a text, each at its place."""
    vector = [0.0] * dimensions
    # A text without words still needs a direction.
    for word in re.findall(r"\w+", text.lower()) or [""]:
        vector[zlib.crc32(word.encode()) % dimensions] += 1.0
    length = math.sqrt(sum(number * number for number in vector))
    return [number / length for number in vector]


def _rounded(vector: list[float]) -> tuple[float, ...]:
    """Round to what 32 bits hold, as the models' numbers are."""
    return struct.unpack(f"<{len(vector)}f", struct.pack(f"<{len(vector)}f", *vector))


def _base64(vector: tuple[float, ...]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def rerank(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/rerank``, the best document first."""
    body = checked(arrived, "RerankRequest", RERANK)
    model = models.model(body["model"])
    if model.model_type != "rerank":
        return refusal(500, f"{WHERE}Model {model.uid} is not for reranking.")
    documents = [str(document) for document in body["documents"]]
    score = model.answer if callable(model.answer) else likeness
    scores = [float(score(str(body["query"]), document)) for document in documents]
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    results: list[Mapping[str, Any]] = [
        {
            "index": index,
            "relevance_score": scores[index],
            "document": {"text": documents[index]} if body.get("return_documents") else None,
        }
        for index in order[: body.get("top_n") or None]
    ]
    length = sum(count(document) + count(str(body["query"])) for document in documents)
    tokens = {"input_tokens": length, "output_tokens": length} if body.get("return_len") else None
    return as_json(
        {
            "id": str(uuid.uuid1()),
            "results": results,
            "meta": {
                "api_version": None,
                "billed_units": None,
                "tokens": tokens,
                "warnings": None,
            },
        }
    )


def likeness(query: str, document: str) -> float:
    """Return how alike two texts are, above 0 and below 1."""
    left, right = (set(re.findall(r"\w+", text.lower())) for text in (query, document))
    return (1 + len(left & right)) / (2 + len(left | right))
