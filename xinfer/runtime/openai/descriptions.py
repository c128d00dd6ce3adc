"""What servers report of a model, read alike from all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Self

from attrs import evolve, field, frozen

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.answers import is_count
from xinfer.runtime.openai.text import shortened, whole

_LIMITS: Mapping[str, tuple[str, ...]] = {
    "context_length": (
        "loaded_instances.config.context_length",
        "meta.n_ctx",
        "meta.max_model_len",
        "default_generation_settings.n_ctx",
        "max_model_len",
        "context_length",
        "max_total_tokens",
        "max_input_length",
        "max_input_tokens",
        "model_info.max_input_tokens",
        "max_context_length",
    ),
    "max_tokens": ("max_tokens", "max_input_length"),
    "dimensions": ("dimensions", "meta.n_embd"),
}
"""Where servers tell a number: what is loaded comes before what was trained."""

_LISTS = (
    "capabilities",
    "input_modalities",
    "architecture.input_modalities",
    "supported_parameters",
    "model_ability",
)
"""Where servers list words for what a model can do."""

_FLAGS: Mapping[str, tuple[str, ...]] = {
    "tools": (
        "capabilities.trained_for_tool_use",
        "chat_template_caps.supports_tools",
        "model_info.supports_function_calling",
        "tool_call_parser",
    ),
    "vision": (
        "capabilities.vision",
        "modalities.vision",
        "has_image_understanding",
        "model_info.supports_vision",
    ),
    "audio": (
        "modalities.audio",
        "has_audio_understanding",
        "model_info.supports_audio_input",
    ),
    "video": ("modalities.video", "has_video_understanding"),
    "reasoning": (
        "capabilities.reasoning",
        "reasoning_parser",
        "model_info.supports_reasoning",
    ),
}
"""Where servers tell of one ability: present and not empty or false means yes, false means no."""

_WORDS: Mapping[str, str] = {
    "completion": "chat",
    "image": "vision",
    "multimodal": "vision",
    "thinking": "reasoning",
    "tool_use": "tools",
    "function_calling": "tools",
    "embed": "embedding",
}
"""Servers' words for abilities, by those that a declaration uses."""

_TASK = ("type", "mode", "task", "model_info.mode")
"""Where servers tell what a model is for."""

_TASKS: Mapping[str, str] = {
    "llm": "llm",
    "vlm": "llm",
    "chat": "llm",
    "completion": "llm",
    "generate": "llm",
    "embedding": "text-embedding",
    "embeddings": "text-embedding",
    "rerank": "rerank",
    "reranker": "rerank",
    "audio_transcription": "speech2text",
    "audio_speech": "tts",
    "automatic-speech-recognition": "speech2text",
    "text-to-speech": "tts",
}
"""Dify's model type by the words of servers."""


TASKS: Mapping[str, str] = {
    "llm": "LLM",
    "text-embedding": "Text Embedding",
    "rerank": "Rerank",
    "speech2text": "Speech2text",
    "tts": "TTS",
}
"""Dify's names of its model types."""


@frozen(kw_only=True)
class ModelDescription:
    """What a server tells of a model; whatever it does not tell is empty.

    :param task: Dify's model type, or the server's own word for what Dify has no type for.
    :param abilities: what the model can do, e.g. ``chat``, ``tools``, ``vision``.
    :param lacks: abilities that the server says the model does not have; what is in neither is
        unknown.
    :param name: the model's own name, under which its makers publish it.
    :param family: tells models apart that share abilities and differ in habits.
    :param engine: what runs the model.
    :param limits: ``context_length``, ``max_tokens`` and ``dimensions``, those that are told.
    :param strict_system_first: the chat template takes a system message in first place only.
    :param sound: the type of sound that the model answered with when it was tried, e.g. ``wav``.
    """

    task: str = ""
    abilities: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    name: str = ""
    family: str = ""
    engine: str = ""
    limits: Mapping[str, int] = field(factory=dict, hash=False)
    strict_system_first: bool = False
    sound: str = ""

    def to_json(self) -> dict[str, Any]:
        """Write what :meth:`from_json` reads."""
        return {
            "task": self.task,
            "abilities": sorted(self.abilities),
            "lacks": sorted(self.lacks),
            "name": self.name,
            "family": self.family,
            "engine": self.engine,
            "limits": dict(self.limits),
            "strict_system_first": self.strict_system_first,
            "sound": self.sound,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_json` wrote."""
        limits = stored.get("limits")
        limits = limits if isinstance(limits, Mapping) else {}
        return cls(
            task=text_of(stored, "task"),
            abilities=frozenset(words_of(stored, "abilities")),
            lacks=frozenset(words_of(stored, "lacks")),
            name=text_of(stored, "name"),
            family=text_of(stored, "family"),
            engine=text_of(stored, "engine"),
            limits={str(key): value for key, value in limits.items() if is_count(value)},
            strict_system_first=stored.get("strict_system_first") is True,
            sound=text_of(stored, "sound"),
        )

    def completed_by(self, other: ModelDescription) -> ModelDescription:
        """Fill in what this leaves open from the answer to a second question."""
        return evolve(
            self,
            task=self.task or other.task,
            abilities=self.abilities | (other.abilities - self.lacks),
            lacks=self.lacks | (other.lacks - self.abilities),
            name=self.name or other.name,
            family=self.family or other.family,
            engine=self.engine or other.engine,
            limits={**other.limits, **self.limits},
        )


def description(row: Mapping[str, Any]) -> ModelDescription:
    """Read a row of a list of models, or the answer to another question about one."""
    words = {
        _WORDS.get(word, word)
        for place in _LISTS
        for value in _at(row, place)
        for word in _of(value)
    }
    flags = {
        ability: bool(value)
        for ability, places in _FLAGS.items()
        for place in reversed(places)
        for value in _at(row, place)
    }
    return ModelDescription(
        task=_task(row),
        abilities=frozenset(words | {ability for ability, has in flags.items() if has}),
        lacks=frozenset({ability for ability, has in flags.items() if not has} - words),
        name=text_of(row, "id"),
        engine=text_of(row, "owned_by"),
        limits=told_limits(row),
    )


def told_limits(row: Mapping[str, Any]) -> dict[str, int]:
    """Read the numbers that a row tells, each from the first place that has it."""
    return {
        name: counts[0]
        for name, places in _LIMITS.items()
        if (counts := [n for place in places for n in _at(row, place) if is_count(n) and n])
    }


def _task(row: Mapping[str, Any]) -> str:
    kind = row.get("model_type")
    kinds = [value for place in _TASK for value in _at(row, place)]
    kinds += list(kind) if isinstance(kind, Mapping) else [kind]
    return next((_TASKS[word] for word in kinds if isinstance(word, str) and word in _TASKS), "")


def _at(row: object, place: str) -> Iterator[Any]:
    """Yield what stands at a place; a list on the way is entered."""
    if isinstance(row, list):
        for item in row:
            yield from _at(item, place)
    elif isinstance(row, Mapping):
        key, _, rest = place.partition(".")
        value = row.get(key)
        if rest:
            yield from _at(value, rest)
        elif value is not None:
            yield value


def _of(value: object) -> Iterator[str]:
    yield from (word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def enumerated(
    rows: Mapping[str, Mapping[str, Any]], read: Callable[[Mapping[str, Any]], ModelDescription]
) -> tuple[str, str]:
    """List the models of a server, in English and in Chinese."""
    if not rows:
        return "The server runs no model yet.", "该服务器上尚未运行任何模型。"
    tasks = [
        (shortened(whole(model), limits.NAME), read(row).task)
        for model, row in islice(rows.items(), limits.MODELS)
    ]
    more = ["…"] if len(rows) > limits.MODELS else []
    names = [(model, TASKS.get(task, task)) for model, task in tasks]
    english = ", ".join([*(f"{model} ({task or 'unknown'})" for model, task in names), *more])
    chinese = "、".join([*(f"{model}（{task or '类型未知'}）" for model, task in names), *more])
    return (
        f"These models run there: {english}.",
        f"没有运行此名称的模型。正在运行的模型：{chinese}。",
    )


def text_of(row: Mapping[str, Any], key: str) -> str:
    """Return a text, empty where there is none."""
    value = row.get(key)
    return value if isinstance(value, str) else ""


def words_of(row: Mapping[str, Any], key: str) -> Iterator[str]:
    """Yield the texts of a list."""
    return _of(row.get(key))
