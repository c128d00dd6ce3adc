"""What Xinference reports of a running model, in answers of ``GET /v1/models`` and below it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from xinfer.runtime.openai.descriptions import ModelDescription, text_of, told_limits, words_of

_TASKS: Mapping[str, str] = {"LLM": "llm", "embedding": "text-embedding", "rerank": "rerank"}
_SPEAKING = ("text2audio", "text-to-audio")
_SPEAKING_FAMILIES = (
    "ChatTTS",
    "CosyVoice",
    "F5-TTS",
    "FishAudio",
    "IndexTTS",
    "Kokoro",
    "MegaTTS",
    "MeloTTS",
)
"""The families of audio models that speak; older servers list no abilities to tell by."""


_SEEING = re.compile(
    r"gme-Qwen2-VL|jina-clip|jina-embeddings-v4|jina-embeddings-v5-omni|Qwen3-VL-Embedding",
    re.IGNORECASE,
)
"""The embedding models that take images though a server before 3.0 lists no abilities of theirs.

Its rerank models take texts only: the server refuses anything else.
"""


def description(row: Mapping[str, Any]) -> ModelDescription:
    """Read what the server reports of a model."""
    abilities = frozenset(words_of(row, "model_ability"))
    family, name = text_of(row, "model_family"), text_of(row, "model_name")
    if not abilities and row.get("model_type") == "embedding" and _SEEING.match(name):
        abilities = frozenset({"embed", "embed_vision"})
    return ModelDescription(
        task=_task(text_of(row, "model_type"), abilities, family),
        abilities=abilities,
        name=name,
        family=family,
        engine=text_of(row, "model_engine"),
        limits=told_limits(row),
        strict_system_first=row.get("strict_system_first") is True,
    )


def _task(model_type: str, abilities: frozenset[str], family: str) -> str:
    if model_type != "audio":
        return _TASKS.get(model_type, model_type)
    if not abilities:
        return "tts" if family.startswith(_SPEAKING_FAMILIES) else "speech2text"
    if any(ability.startswith(_SPEAKING) for ability in abilities):
        return "tts"
    # Others tell speakers apart, or make music.
    return "speech2text" if "audio2text" in abilities else min(abilities)
