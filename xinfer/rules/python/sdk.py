"""What Dify's SDK asks of a plugin's Python, as data; a test holds it to the SDK itself.

Source: ``dify_plugin`` 0.10.2, ``interfaces/model`` and ``entities/model``.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen
class SdkClass:
    """A class to derive from.

    :param serves: the model type that it is registered for.
    :param abstract: what a class derived from it must bring.
    :param brings: what it has itself of what others ask for.
    :param describes_custom_models: it has a ``get_customizable_model_schema``.
    """

    bases: tuple[str, ...] = ()
    serves: str | None = None
    abstract: frozenset[str] = frozenset()
    brings: frozenset[str] = frozenset()
    describes_custom_models: bool = False


def _model(serves: str, *abstract: str) -> SdkClass:
    return SdkClass(("AIModel",), serves, frozenset(abstract))


def _compatible(*bases: str, brings: str, describes: bool = False) -> SdkClass:
    return SdkClass(bases, brings=frozenset(brings.split()), describes_custom_models=describes)


CLASSES: Mapping[str, SdkClass] = {
    "ModelProvider": SdkClass(abstract=frozenset({"validate_provider_credentials"})),
    "OAICompatProvider": _compatible("ModelProvider", brings="validate_provider_credentials"),
    "AIModel": SdkClass(abstract=frozenset({"validate_credentials", "_invoke_error_mapping"})),
    "LargeLanguageModel": _model("llm", "_invoke", "get_num_tokens"),
    "TextEmbeddingModel": _model("text-embedding", "_invoke", "get_num_tokens"),
    "RerankModel": _model("rerank", "_invoke"),
    "TTSModel": _model("tts", "_invoke"),
    "Speech2TextModel": _model("speech2text", "_invoke"),
    "ModerationModel": _model("moderation", "_invoke"),
    "_CommonOaiApiCompat": _compatible(brings="_invoke_error_mapping"),
    "OAICompatLargeLanguageModel": _compatible(
        "_CommonOaiApiCompat",
        "LargeLanguageModel",
        brings="_invoke get_num_tokens validate_credentials",
        describes=True,
    ),
    "OAICompatEmbeddingModel": _compatible(
        "_CommonOaiApiCompat",
        "TextEmbeddingModel",
        brings="_invoke get_num_tokens validate_credentials",
        describes=True,
    ),
    "OAICompatRerankModel": _compatible(
        "RerankModel",
        brings="_invoke validate_credentials _invoke_error_mapping",
        describes=True,
    ),
    "OAICompatSpeech2TextModel": _compatible(
        "_CommonOaiApiCompat", "Speech2TextModel", brings="_invoke validate_credentials"
    ),
    "OAICompatText2SpeechModel": _compatible(
        "_CommonOaiApiCompat", "TTSModel", brings="_invoke validate_credentials", describes=True
    ),
}
"""By the last part of the name that imports use."""


@frozen
class Call:
    """How the SDK calls a method: so many arguments by place, the others by name."""

    by_place: int = 0
    by_name: tuple[str, ...] = ()


PROVIDER_CALLS: Mapping[str, Call] = {"validate_provider_credentials": Call(1)}
_EACH = {
    "validate_credentials": Call(2),
    "get_customizable_model_schema": Call(2),
}
_SPEECH = ("model", "credentials", "content_text", "voice", "user", "tenant_id")
CALLS: Mapping[str, Mapping[str, Call]] = {
    "llm": {**_EACH, "_invoke": Call(8), "get_num_tokens": Call(4)},
    "text-embedding": {
        **_EACH,
        "_invoke": Call(5),
        "_invoke_multimodal": Call(5),
        "get_num_tokens": Call(3),
    },
    "rerank": {**_EACH, "_invoke": Call(7), "_invoke_multimodal": Call(7)},
    "tts": {**_EACH, "_invoke": Call(by_name=_SPEECH), "get_tts_model_voices": Call(3)},
    "speech2text": {**_EACH, "_invoke": Call(4)},
    "moderation": {**_EACH, "_invoke": Call(4)},
}
"""How methods are called, by the model type they serve."""

STREAMS = frozenset({"llm", "tts"})
"""The model types whose ``_invoke`` may be a generator."""

RESULTS: Mapping[str, frozenset[str]] = {
    "LLMResult": frozenset({"model", "message", "usage"}),
    "LLMResultChunk": frozenset({"model", "delta"}),
    "LLMResultChunkDelta": frozenset({"index", "message"}),
    "RerankDocument": frozenset({"index", "text", "score"}),
    "RerankResult": frozenset({"model", "docs"}),
    "TextEmbeddingResult": frozenset({"model", "embeddings", "usage"}),
    "EmbeddingUsage": frozenset(
        {
            "tokens",
            "total_tokens",
            "unit_price",
            "price_unit",
            "total_price",
            "currency",
            "latency",
        }
    ),
}
"""What must be said of each entity that a model returns."""


def sdk_name(dotted: str) -> str | None:
    """Name the class of :data:`CLASSES` that an import leads to."""
    root, _, rest = dotted.partition(".")
    name = rest.rpartition(".")[2]
    return name if root == "dify_plugin" and name in CLASSES else None
