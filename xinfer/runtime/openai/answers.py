"""What a server answers, as values: tolerant of every shape that engines and versions send.

Chat answers are OpenAI's, with Xinference's own habits: see each reader. What is absent is empty;
what has the wrong shape altogether raises :class:`Unreadable`.
"""

from __future__ import annotations

import base64
import json
import math
import sys
from array import array
from collections.abc import Mapping
from typing import Any, Self, TypeGuard

from attrs import field, frozen

from xinfer.spec import LIMITS

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
_BESIDE_TEXT = ("reasoning_content", "reasoning", "tool_calls")


class Unreadable(Exception):
    """An answer is not what the API promises; ``str`` says what is wrong with it."""


@frozen(kw_only=True)
class ModelDescription:
    """What a server says of a running model.

    :param model_type: ``LLM``, ``embedding``, ``rerank``, ``audio``, …; empty where unsaid.
    :param abilities: empty on servers too old to list them.
    :param name: the model's own name, under which its makers publish it.
    :param family: what tells the kinds of audio models apart where abilities do not.
    :param limits: those of ``context_length``, ``max_tokens``, ``dimensions`` it reports.
    :param strict_system_first: the chat template takes a system message in first place only.
    """

    model_type: str = ""
    abilities: frozenset[str] = frozenset()
    name: str = ""
    family: str = ""
    limits: Mapping[str, int] = field(factory=dict, hash=False)
    strict_system_first: bool = False

    @classmethod
    def from_json(cls, answer: Mapping[str, Any]) -> Self:
        """Read an answer of ``GET /v1/models/{uid}``."""
        abilities = answer.get("model_ability")
        return cls(
            model_type=str(answer.get("model_type") or ""),
            abilities=frozenset(
                word
                for word in (abilities if isinstance(abilities, list) else ())
                if isinstance(word, str)
            ),
            name=str(answer.get("model_name") or ""),
            family=str(answer.get("model_family") or ""),
            limits={name: answer[name] for name in LIMITS if _is_count(answer.get(name))},
            strict_system_first=answer.get("strict_system_first") is True,
        )

    @property
    def task(self) -> str:
        """What the model is for: ``LLM``, ``embedding``, ``audio2text`` or another such word.

        Of audio models the abilities tell; older servers list none, there the family does.
        """
        if self.model_type != "audio":
            return self.model_type
        if self.abilities:
            speaks = any(word.startswith(_SPEAKING) for word in self.abilities)
            return "text2audio" if speaks else "audio2text"
        return "text2audio" if self.family.startswith(_SPEAKING_FAMILIES) else "audio2text"

    def to_json(self) -> dict[str, Any]:
        """Write what :meth:`from_json` reads."""
        return {
            "model_type": self.model_type,
            "model_ability": sorted(self.abilities),
            "model_name": self.name,
            "model_family": self.family,
            "strict_system_first": self.strict_system_first,
            **self.limits,
        }


@frozen
class Usage:
    """Tokens as the server counted them."""

    prompt_tokens: int
    completion_tokens: int


@frozen(kw_only=True)
class ToolCallDelta:
    """A piece of a tool call; the first one of a call brings its name.

    :param index: which call of the answer it belongs to; ``None`` where the server does not say.
    """

    index: int | None = None
    id: str = ""
    name: str = ""
    arguments: str = ""


@frozen(kw_only=True)
class ChatChunk:
    """A piece of an answer; an answer given at once is one piece.

    :param unmarked: the reasoning came in a delta without a ``content`` key; see
        :func:`chat_chunk`.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCallDelta, ...] = ()
    finish_reason: str | None = None
    usage: Usage | None = None
    unmarked: bool = False


@frozen(kw_only=True)
class Embeddings:
    """One vector for each input, in their order, and the tokens counted."""

    vectors: list[list[float]]
    tokens: int


def chat_chunk(answer: Mapping[str, Any]) -> ChatChunk:
    """Read one event of a stream, or a whole answer, of chat or completion."""
    choice = _first(answer.get("choices"))
    message = choice.get("delta") or choice.get("message")
    usage = _usage(answer.get("usage"))
    reason = choice.get("finish_reason")
    finish_reason = reason if isinstance(reason, str) else None
    if not isinstance(message, Mapping):
        text = _text(choice.get("text"))  # a completion
        return ChatChunk(text=text, finish_reason=finish_reason, usage=usage)
    return ChatChunk(
        text=_text(message.get("content")),
        reasoning=_text(message.get("reasoning_content") or message.get("reasoning")),
        tool_calls=_tool_calls(message.get("tool_calls")),
        finish_reason=finish_reason,
        usage=usage,
        unmarked="content" not in message,
    )


def plain_text(answer: Mapping[str, Any]) -> str | None:
    """Return the text of an event that brings nothing else, as nearly all do; else ``None``.

    What :func:`chat_chunk` would read is a :class:`ChatChunk` of this text alone.
    """
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or answer.get("usage") is not None:
        return None
    choice = choices[0]
    if not isinstance(choice, dict) or choice.get("finish_reason") is not None:
        return None
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        return None
    text = delta.get("content")
    if not isinstance(text, str) or any(map(delta.get, _BESIDE_TEXT)):
        return None
    return text


def _first(choices: object) -> Mapping[str, Any]:
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, Mapping) else {}


def _text(content: object) -> str:
    """Read a text, also where a server gives it in parts."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _tool_calls(calls: object) -> tuple[ToolCallDelta, ...]:
    if not isinstance(calls, list):
        return ()
    return tuple(_tool_call(call) for call in calls if isinstance(call, Mapping))


def _tool_call(call: Mapping[str, Any]) -> ToolCallDelta:
    function = call.get("function")
    function = function if isinstance(function, Mapping) else {}
    arguments = function.get("arguments")
    if arguments is not None and not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    index = call.get("index")
    return ToolCallDelta(
        index=index if _is_count(index) else None,
        id=_text(call.get("id")),
        name=_text(function.get("name")),
        arguments=arguments or "",
    )


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not _is_count(prompt):
        return None
    return Usage(prompt, completion if _is_count(completion) else 0)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def embeddings(answer: Mapping[str, Any], expected: int) -> Embeddings:
    """Read vectors into the order of the inputs, whatever order they came in.

    :raises Unreadable: there is not one vector of finite numbers for each input.
    """
    rows = answer.get("data")
    if not isinstance(rows, list):
        raise Unreadable("an answer without vectors")
    vectors: list[list[float] | None] = [None] * expected
    for place, row in enumerate(rows):
        index = row.get("index", place) if isinstance(row, Mapping) else None
        if not _is_count(index) or index >= expected or vectors[index] is not None:
            raise Unreadable(f"{len(rows)} vectors, not one for each of {expected} inputs")
        vectors[index] = _vector(row.get("embedding"), index)
    complete = [vector for vector in vectors if vector is not None]
    if len(complete) != expected:
        raise Unreadable(f"{len(complete)} vectors for {expected} inputs")
    if len({len(vector) for vector in complete}) > 1:
        raise Unreadable("vectors of different lengths")
    usage = answer.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    tokens = usage.get("total_tokens") or usage.get("prompt_tokens")
    return Embeddings(vectors=complete, tokens=tokens if _is_count(tokens) else 0)


def _vector(given: object, index: int) -> list[float]:
    """Read a vector: numbers, or the Base64 of 32-bit floats, the lowest byte first."""
    # Dify's daemon would read NaN, and null, as zero.
    numbers = _floats(given) if isinstance(given, str) else given
    if not isinstance(numbers, list) or not numbers:
        raise Unreadable(f"no vector for input {index}")
    try:
        finite = math.isfinite(sum(numbers))
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise Unreadable(f"a vector for input {index} that holds something else than numbers")
    return numbers


def _floats(text: str) -> list[float]:
    """Decode Base64; what is none gives no numbers."""
    try:
        numbers = array("f", base64.b64decode(text, validate=True))
    except ValueError:
        return []
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def scores(answer: Mapping[str, Any], documents: int) -> list[tuple[int, float]]:
    """Read the index and score of each document, the best first.

    Some models give scores as text, or none at all, which counts as 0.

    :raises Unreadable: a result is of no document that was sent.
    """
    results = answer.get("results")
    if not isinstance(results, list):
        raise Unreadable("an answer without results")
    read: dict[int, float] = {}
    for place, result in enumerate(results):
        index = result.get("index", place) if isinstance(result, Mapping) else None
        if not _is_count(index) or index >= documents:
            raise Unreadable(f"a result for document {index!r}, of {documents} sent")
        read[index] = _score(result.get("relevance_score"))
    return sorted(read.items(), key=lambda scored: -scored[1])


def _score(score: object) -> float:
    try:
        number = float(score)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def listed(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Read the description of each model of ``GET /v1/models``, by uid."""
    rows = answer.get("data")
    return {
        str(row["id"]): row
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping) and row.get("id")
    }
