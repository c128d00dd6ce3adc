"""Results that are made before anyone asks for them, so that what remains is the SDK's own work."""

import random
import struct
from decimal import Decimal
from functools import cache
from typing import Any

from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import (
    AIModelEntity,
    EmbeddingInputType,
    FetchFrom,
    ModelPropertyKey,
    ModelType,
    ParameterRule,
    ParameterType,
)
from dify_plugin.entities.model.llm import (
    LLMResult,
    LLMResultChunk,
    LLMResultChunkDelta,
    LLMUsage,
)
from dify_plugin.entities.model.message import AssistantPromptMessage
from dify_plugin.entities.model.rerank import RerankDocument, RerankResult
from dify_plugin.entities.model.text_embedding import EmbeddingUsage, TextEmbeddingResult

DIMENSIONS = 768
WORDS = ("Hello", " there", ",", " how", " are", " you", " today", "?", " Fine", " 好的")


class Ready:
    """Mixed into each of the SDK's classes: validates nothing and maps no error."""

    kind: ModelType

    def validate_credentials(self, model: str, credentials: dict[str, Any]) -> None:
        pass

    def get_customizable_model_schema(
        self, model: str, credentials: dict[str, Any]
    ) -> AIModelEntity:
        return schema(model, self.kind)

    @property
    def _invoke_error_mapping(self) -> dict[type, list[type]]:
        return {}


@cache
def schema(model: str, kind: ModelType) -> AIModelEntity:
    """Make a schema with the parameters that the benchmark sets."""
    rules = [
        ParameterRule(name="max_tokens", type=ParameterType.INT, label=I18nObject(en_us="Most")),
        ParameterRule(
            name="temperature", type=ParameterType.FLOAT, label=I18nObject(en_us="Temperature")
        ),
    ]
    return AIModelEntity(
        model=model,
        label=I18nObject(en_us=model),
        model_type=kind,
        fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
        model_properties={ModelPropertyKey.CONTEXT_SIZE: 4096, ModelPropertyKey.MAX_CHUNKS: 64},
        parameter_rules=rules if kind is ModelType.LLM else [],
    )


@cache
def chunks(model: str, tokens: int) -> list[LLMResultChunk]:
    """Make an answer of as many pieces as it has tokens, and the one that ends it."""
    pieces = [_chunk(model, WORDS[place % len(WORDS)]) for place in range(tokens)]
    end = _chunk(model, "")
    end.delta.usage, end.delta.finish_reason = _usage(tokens), "stop"
    return [*pieces, end]


@cache
def answer(model: str, tokens: int) -> LLMResult:
    """Make an answer given at once."""
    message = AssistantPromptMessage(content="".join(WORDS))
    return LLMResult(model=model, message=message, usage=_usage(tokens))


@cache
def embeddings(model: str, count: int) -> TextEmbeddingResult:
    """Make as many vectors as there are texts."""
    chance = random.Random(0)
    wide = [chance.uniform(-0.1, 0.1) for _ in range(DIMENSIONS)]
    vector = list(struct.unpack(f"{DIMENSIONS}f", struct.pack(f"{DIMENSIONS}f", *wide)))
    return TextEmbeddingResult(
        model=model,
        embeddings=[list(vector) for _ in range(count)],
        usage=EmbeddingUsage(
            tokens=count,
            total_tokens=count,
            unit_price=Decimal(0),
            price_unit=Decimal(0),
            total_price=Decimal(0),
            currency="USD",
            latency=0.0,
        ),
    )


def ranking(model: str, documents: list[str]) -> RerankResult:
    """Rank texts in the order they came in."""
    ranked = [
        RerankDocument(index=place, text=text, score=1.0) for place, text in enumerate(documents)
    ]
    return RerankResult(model=model, docs=ranked)


def _chunk(model: str, text: str) -> LLMResultChunk:
    message = AssistantPromptMessage(content=text)
    return LLMResultChunk(model=model, delta=LLMResultChunkDelta(index=0, message=message))


def _usage(tokens: int) -> LLMUsage:
    usage = LLMUsage.empty_usage()
    usage.prompt_tokens, usage.completion_tokens, usage.total_tokens = 30, tokens, 30 + tokens
    return usage


DOCUMENT = EmbeddingInputType.DOCUMENT
