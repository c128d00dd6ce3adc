"""A model that the fake server serves, and the models it serves unless told otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from attrs import field, frozen


class Reasoning(Enum):
    """Where a model's thoughts arrive.

    ``PARSED`` in ``reasoning_content``; ``INLINE`` in the text, between ``<think>`` tags;
    ``SWALLOWING`` in ``reasoning_content`` with the answer after them, the text staying empty
    (llama.cpp with the flag on); ``STREAMED`` in ``reasoning_content`` of a stream and nowhere
    otherwise (llama.cpp with the flag off).
    """

    PARSED = "parsed"
    INLINE = "inline"
    SWALLOWING = "swallowing"
    STREAMED = "streamed"


@frozen(kw_only=True)
class Served:
    """A running model.

    :param abilities: Xinference's ``model_ability``.
    :param limits: those of ``context_length``, ``dimensions``, ``max_tokens`` it reports.
    :param family: ``model_family``; decides nothing here but what the description replies.
    :param answer: instead of the usual answer. A language model's is a text, or a function from
        the request's body to a :class:`~xinfer.testing.server.Reply`; an embedding model's a
        function from a text to a list of floats; a rerank model's one from query and document to
        a score; a transcription model's a text or a function from the recording's bytes to one.
    :param thinks: unless the request says otherwise.
    :param streams: speech, when asked to.
    :param described: further keys of the description, or other values.
    :param unreported: keys of the description that this server, being older, leaves out.
    """

    uid: str
    model_type: str = "LLM"
    abilities: tuple[str, ...] = ("chat",)
    limits: Mapping[str, int] = field(factory=dict)
    name: str = ""
    family: str = "qwen2.5-instruct"
    engine: str = "Transformers"
    languages: tuple[str, ...] = ("en",)
    answer: str | Callable[..., Any] | None = None
    reasoning: Reasoning = Reasoning.PARSED
    thinks: bool = False
    streams: bool = False
    described: Mapping[str, Any] = field(factory=dict)
    unreported: tuple[str, ...] = ()

    @property
    def context_length(self) -> int:
        """In tokens."""
        return self.limits.get("context_length", 4096)

    def description(self) -> dict[str, Any]:
        """Return what ``GET /v1/models`` says of it, without its id."""
        description = {
            "model_type": self.model_type,
            "address": "127.0.0.1:34313",
            "accelerators": [],
            "model_name": self.name or f"tiny-{self.uid}",
            "model_ability": list(self.abilities),
            **_DESCRIBED[self.model_type](self),
            **self.described,
            "replica": 1,
        }
        return {key: value for key, value in description.items() if key not in self.unreported}


def _llm(model: Served) -> dict[str, Any]:
    return {
        "model_lang": list(model.languages),
        "model_description": "tiny test model",
        "model_format": "ggufv2" if model.engine == "llama.cpp" else "pytorch",
        "model_size_in_billions": "0_1",
        "model_family": model.family,
        "quantization": "f32" if model.engine == "llama.cpp" else "none",
        "multimodal_projector": None,
        "model_hub": "huggingface",
        "revision": None,
        "context_length": model.context_length,
        "strict_system_first": False,
        "model_engine": model.engine,
    }


def _embedding(model: Served) -> dict[str, Any]:
    return {
        "model_engine": model.engine,
        "model_format": "pytorch",
        **model.limits,
        "language": list(model.languages),
        "model_hub": "huggingface",
        "model_revision": None,
        "quantization": "none",
    }


def _rerank(model: Served) -> dict[str, Any]:
    return {
        "type": "normal",
        "model_engine": model.engine,
        "model_format": "pytorch",
        **model.limits,
        "language": list(model.languages),
        "model_revision": None,
        "quantization": "none",
    }


def _audio(model: Served) -> dict[str, Any]:
    return {
        "model_lang": [],
        "model_family": model.family,
        "model_revision": None,
        "model_engine": model.engine,
        "quantization": "none",
    }


def _moderation(_: Served) -> dict[str, Any]:
    return {}


_DESCRIBED: Mapping[str, Callable[[Served], dict[str, Any]]] = {
    "LLM": _llm,
    "embedding": _embedding,
    "rerank": _rerank,
    "audio": _audio,
    "moderation": _moderation,
}

_THINKING = ("chat", "reasoning", "hybrid", "tools")
_TRANSFORMER: Any = {"engine": "sentence_transformers"}
_EMBEDDING: Any = {"model_type": "embedding", "abilities": ("embed",), **_TRANSFORMER}
_RERANK: Any = {"model_type": "rerank", "abilities": ("rerank",), **_TRANSFORMER}
_WHISPER: Any = {"model_type": "audio", "abilities": ("audio2text",), "family": "whisper"}
_SPEECH: Any = {"model_type": "audio", "abilities": ("text2audio", "text2audio_zero_shot")}
_PUBLISHED = {"model_revision": "88885630388d6249d876a3ab145b78b34665b79a"}
"""Models that Xinference knows by name have a revision; registered ones have none."""

MODELS: tuple[Served, ...] = (
    Served(uid="chat", abilities=("chat", "tools")),
    Served(uid="chat-gguf", abilities=("chat", "tools"), engine="llama.cpp"),
    Served(uid="reason", abilities=_THINKING, family="qwen3", thinks=True),
    Served(
        uid="reason-gguf",
        abilities=_THINKING,
        family="qwen3",
        engine="llama.cpp",
        reasoning=Reasoning.SWALLOWING,
        thinks=True,
    ),
    Served(
        uid="reason-gguf-noparse",
        abilities=_THINKING,
        family="qwen3",
        engine="llama.cpp",
        reasoning=Reasoning.STREAMED,
        thinks=True,
    ),
    Served(
        uid="qwen3-builtin",
        name="qwen3",
        abilities=_THINKING,
        family="qwen3",
        languages=("en", "zh"),
        limits={"context_length": 40960},
        described={"model_size_in_billions": "0_6"},
        reasoning=Reasoning.INLINE,
    ),
    Served(uid="base", abilities=("generate",), family="qwen2.5"),
    Served(uid="vision", abilities=("chat", "vision", "tools"), family="Qwen3-VL-Instruct"),
    Served(
        uid="omni",
        abilities=("chat", "vision", "audio", "omni"),
        family="qwen2.5-omni",
        limits={"context_length": 32768},
    ),
    Served(uid="embed", limits={"dimensions": 384, "max_tokens": 256}, **_EMBEDDING),
    Served(
        uid="bge-small-en-v1.5",
        name="bge-small-en-v1.5",
        limits={"dimensions": 384, "max_tokens": 512},
        described=_PUBLISHED,
        **_EMBEDDING,
    ),
    Served(uid="rerank", **_RERANK),
    Served(
        uid="bge-reranker-base",
        name="bge-reranker-base",
        languages=("en", "zh"),
        described=_PUBLISHED,
        **_RERANK,
    ),
    Served(uid="whisper", engine="transformers", **_WHISPER),
    Served(
        uid="whisper-tiny",
        name="whisper-tiny",
        engine="transformers",
        described=_PUBLISHED,
        **_WHISPER,
    ),
    Served(uid="kokoro", name="Kokoro-82M", family="Kokoro", engine="PyTorch", **_SPEECH),
    Served(
        uid="cosyvoice",
        name="CosyVoice2-0.5B",
        family="CosyVoice",
        engine="PyTorch",
        streams=True,
        **_SPEECH,
    ),
)
