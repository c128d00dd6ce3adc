"""What a server answers, as values: tolerant of every shape that servers and versions send.

What is absent is empty; what has the wrong shape altogether raises :class:`Unreadable`.
"""

from __future__ import annotations

import base64
import json
import math
import re
import sys
from array import array
from collections.abc import Mapping
from typing import Any, TypeGuard

from attrs import frozen

from xinfer.runtime.openai.text import whole

_LEFT_OVER = re.compile(r"\s+|</?tool_calls?>|</function>|\[/?TOOL_CALLS\]")
_BESIDE_TEXT = ("reasoning_content", "reasoning", "tool_calls")


class Unreadable(Exception):
    """An answer is not what the API promises.

    :param english: completes "answered …".
    :param chinese: completes "返回了…".
    """

    def __init__(self, english: str, chinese: str) -> None:
        super().__init__(english, chinese)
        self.english, self.chinese = english, chinese


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

    @property
    def shows(self) -> bool:
        """Whether it holds a part of the answer."""
        return bool(self.text or self.reasoning or self.tool_calls)


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
    finish_reason = whole(reason) or None if isinstance(reason, str) else None
    if not isinstance(message, Mapping):
        text = _text(choice.get("text"))  # a completion
        return ChatChunk(text=text, finish_reason=finish_reason, usage=usage)
    text = _text(message.get("content"))
    calls = _tool_calls(message.get("tool_calls"))
    if any(call.name for call in calls) and not _LEFT_OVER.sub("", text):
        text = ""  # what stood around the calls that the server took out
    return ChatChunk(
        text=text,
        reasoning=_text(message.get("reasoning_content") or message.get("reasoning")),
        tool_calls=calls,
        finish_reason=finish_reason,
        usage=usage,
        unmarked="content" not in message,
    )


def error_in(answer: Mapping[str, Any]) -> Any:
    """Return the error that an answer, or an event, carries in a 2xx response; else ``None``."""
    if answer.get("error"):
        return answer["error"]
    flat = answer.get("object") == "error" or answer.get("type") == "error"
    return answer if flat else None


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
        index=index if is_count(index) else None,
        id=whole(_text(call.get("id"))),
        name=whole(_text(function.get("name"))),
        arguments=arguments or "",
    )


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not is_count(prompt):
        return None
    return Usage(prompt, completion if is_count(completion) else 0)


def is_count(value: object) -> TypeGuard[int]:
    """Return whether a value is a count: an int, not negative, and not a bool."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def embeddings(answer: object, expected: int) -> Embeddings:
    """Read vectors into the order of the inputs, whatever order they came in.

    :raises Unreadable: there is not one vector of finite numbers for each input.
    """
    rows = answer.get("data") if isinstance(answer, Mapping) else answer
    if not isinstance(rows, list):
        raise Unreadable("without vectors", "不含向量的结果")
    vectors: list[list[float] | None] = [None] * expected
    for place, row in enumerate(rows):
        index = row.get("index", place) if isinstance(row, Mapping) else None
        if not is_count(index) or index >= expected or vectors[index] is not None:
            raise _wrong_number(len(rows), expected)
        vectors[index] = _vector(row.get("embedding"), index)
    complete = [vector for vector in vectors if vector is not None]
    if len(complete) != expected:
        raise _wrong_number(len(complete), expected)
    if len({len(vector) for vector in complete}) > 1:
        raise Unreadable("vectors of different lengths", "长度不一的向量")
    usage = answer.get("usage") if isinstance(answer, Mapping) else None
    usage = usage if isinstance(usage, Mapping) else {}
    tokens = usage.get("total_tokens") or usage.get("prompt_tokens")
    return Embeddings(vectors=complete, tokens=tokens if is_count(tokens) else 0)


def _wrong_number(vectors: int, inputs: int) -> Unreadable:
    return Unreadable(
        f"{vectors} vectors for {inputs} inputs", f"{inputs} 个输入的 {vectors} 个向量"
    )


def _vector(value: object, index: int) -> list[float]:
    """Read a vector: numbers, or the Base64 of 32-bit floats, the lowest byte first."""
    # Dify's daemon would read NaN, and null, as zero.
    numbers = _floats(value) if isinstance(value, str) else value
    if not isinstance(numbers, list) or not numbers:
        raise Unreadable(f"no vector for input {index}", f"不含第 {index + 1} 个输入的向量的结果")
    try:
        finite = math.isfinite(sum(numbers))
    except (TypeError, ValueError, OverflowError):
        finite = False
    if not finite:
        raise Unreadable(
            f"a vector for input {index} that holds something else than finite numbers",
            f"含有非有限数值的向量（第 {index + 1} 个输入）",
        )
    return numbers


def _floats(text: str) -> list[float]:
    """Decode Base64 to floats; empty if it is not Base64."""
    try:
        numbers = array("f", base64.b64decode(text, validate=True))
    except ValueError:
        return []
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()


def scores(answer: object, documents: int) -> list[tuple[int, float]]:
    """Read the index and score of each document, the best first.

    Servers answer with a list, or with one under ``results`` or ``data``; the score is called
    ``relevance_score`` or ``score``. Some models give scores as text, or none, which counts as 0.

    :raises Unreadable: a result is of no document that was sent.
    """
    results = answer
    if isinstance(answer, Mapping):
        results = answer["results"] if "results" in answer else answer.get("data")
    if not isinstance(results, list):
        raise Unreadable("without results", "不含排序结果的内容")
    read: dict[int, float] = {}
    for place, result in enumerate(results):
        row = result if isinstance(result, Mapping) else {}
        index = row.get("index", place)
        if not is_count(index) or index >= documents:
            raise Unreadable(
                f"a result for document {index!r} of {documents}",
                f"不存在的文档的结果（序号“{index}”，共 {documents} 篇）",
            )
        read[index] = _score(row.get("relevance_score", row.get("score")))
    return sorted(read.items(), key=lambda scored: -scored[1])


def _score(score: object) -> float:
    try:
        number = float(score)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return number if math.isfinite(number) else 0.0


def listed(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Read a list of models: the row of each, by its id."""
    rows = answer.get("data")
    return {
        str(row["id"]): row
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, Mapping) and row.get("id")
    }
