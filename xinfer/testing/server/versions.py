"""How older versions of Xinference answer: what they lack or do otherwise than 4.1.0, as data.

Held to recordings of seven versions from 0.16.3 to 3.5.0 by ``tests/server/test_older.py``.
"""

from __future__ import annotations

import base64
import json
import uuid
from array import array
from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen

from xinfer.testing.server.answer import WHERE, Answer, as_json, refusal
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.faults import Edited

type Version = tuple[int, ...]
type Change = Callable[[Arrived, Answer], Answer]

LATEST: Version = (4, 1, 0)
_NO_STREAMED_TOOLS = (
    "Streaming support for tool calls is available only when using Qwen models with vLLM backend "
    "or GLM4-chat models without vLLM backend."
)
_CHAT = "/v1/chat/completions"


def version_of(text: str) -> Version:
    """Read a version, e.g. ``1.9.1``."""
    return tuple(int(part) for part in text.split("."))


@frozen(kw_only=True)
class Habit:
    """What some versions do differently.

    :param since: the first version that is known to.
    :param until: the first later version that is known not to.
    """

    since: Version = (0,)
    until: Version
    change: Change


def as_version(version: Version, arrived: Arrived, answer: Answer) -> Answer:
    """Return what a version would answer in place of the latest."""
    for habit in _HABITS:
        if habit.since <= version < habit.until:
            answer = habit.change(arrived, answer)
    return answer


def _edited(route: str, change: Callable[[dict[str, Any]], None]) -> Change:
    def edit(arrived: Arrived, answer: Answer) -> Answer:
        fits = arrived.route.startswith(route) and answer.status == 200
        return Edited(change)(answer) if fits else answer

    return edit


def _refuse_streamed_tools(arrived: Arrived, answer: Answer) -> Answer:
    body = arrived.body if isinstance(arrived.body, dict) else {}
    refused = arrived.route == _CHAT and body.get("tools") and body.get("stream")
    return refusal(400, _NO_STREAMED_TOOLS) if refused and answer.status == 200 else answer


def _unknown_is_400(arrived: Arrived, answer: Answer) -> Answer:
    if answer.status != 404 or b"Model not found" not in answer.body:
        return answer
    uid = arrived.body.get("model") if isinstance(arrived.body, dict) else ""
    return refusal(400, f"{WHERE}Model not found in the model list, uid: {uid}")


def _share_id(value: dict[str, Any]) -> None:
    for choice in value.get("choices") or ():
        calls = list((choice.get("message") or {}).get("tool_calls") or ())
        for call in calls:
            call["id"] = calls[0]["id"]


def _leave_tag(value: dict[str, Any]) -> None:
    for choice in value.get("choices") or ():
        message = choice.get("message") or {}
        if message.get("tool_calls"):
            message["content"] = "\n\n</tool_call>"


def _count_higher(arrived: Arrived, answer: Answer) -> Answer:
    """Count the later piece of a stream, which brings the usage again, four tokens higher."""
    if arrived.route != _CHAT or not answer.streamed:
        return answer
    earlier: list[bool] = []

    def change(value: dict[str, Any]) -> None:
        if usage := value.get("usage"):
            if earlier:
                usage["completion_tokens"] += 4
            earlier.append(True)

    return Edited(change)(answer)


def _count_last(value: dict[str, Any]) -> None:
    if value.get("usage") and value.get("choices"):
        choice = value["choices"][0]
        if choice.get("delta"):
            value["usage"] = None
        elif "delta" in choice:
            value["choices"] = []


def _open_thought(arrived: Arrived, answer: Answer) -> Answer:
    if arrived.route != _CHAT or not answer.streamed:
        return answer
    begun: list[bool] = []

    def change(value: dict[str, Any]) -> None:
        for choice in value.get("choices") or ():
            delta = choice.get("delta") or {}
            if delta.get("reasoning_content") and not begun:
                begun.append(True)
                delta["reasoning_content"] = "<think>\n" + delta["reasoning_content"]

    return Edited(change)(answer)


def _without(*keys: str, kinds: tuple[str, ...] = ()) -> Change:
    """Leave keys out of the descriptions of models, those of some kinds only."""

    def describe(row: dict[str, Any]) -> None:
        if not kinds or row.get("model_type") in kinds:
            for key in keys:
                row.pop(key, None)

    def change(value: dict[str, Any]) -> None:
        for row in value["data"] if isinstance(value.get("data"), list) else [value]:
            describe(row)

    return _edited("/v1/models", change)


def _digits(arrived: Arrived, answer: Answer) -> Answer:
    """Write vectors in digits, whatever was asked for."""
    if arrived.route != "/v1/embeddings":
        return answer
    if answer.status != 200:
        return answer
    return evolve(answer, steps=tuple(map(_in_digits, answer.steps)))


def _in_digits(step: Any) -> Any:
    value = json.loads(step)
    for row in value["data"]:
        if isinstance(row["embedding"], str):
            row["embedding"] = array("f", base64.b64decode(row["embedding"])).tolist()
    return json.dumps(value).encode()


def _llama_tools_fail(arrived: Arrived, answer: Answer) -> Answer:
    body = arrived.body if isinstance(arrived.body, dict) else {}
    fails = arrived.route == _CHAT and body.get("tools") and "gguf" in str(body.get("model"))
    if not fails or body.get("stream"):
        return answer
    words = "Got error in chat: Type is not JSON serializable: list_iterator"
    return refusal(500, WHERE + words)


def _refused(
    route: str, status: int, words: str, when: Callable[[dict[str, Any]], object]
) -> Change:
    """Refuse the requests of a route whose body is such."""

    def change(arrived: Arrived, answer: Answer) -> Answer:
        body = arrived.body if isinstance(arrived.body, dict) else {}
        return refusal(status, words) if arrived.route == route and when(body) else answer

    return change


def _has_parts(body: dict[str, Any]) -> bool:
    """Say whether the content of a message is a list of parts."""
    return any(isinstance(message.get("content"), list) for message in body.get("messages") or ())


def _complete_with_chat(arrived: Arrived, answer: Answer) -> Answer:
    """Complete a prompt with a chat model."""
    body = arrived.body if isinstance(arrived.body, dict) else {}
    if arrived.route != "/v1/completions" or body.get("model") != "chat" or body.get("stream"):
        return answer
    choice = {"text": "Hello!", "index": 0, "logprobs": None, "finish_reason": "length"}
    usage = {"prompt_tokens": 1, "completion_tokens": 8, "total_tokens": 9}
    told = {"id": str(uuid.uuid4()), "object": "text_completion", "created": 0, "model": "chat"}
    return as_json({**told, "choices": [choice], "usage": usage})


_RERANKED = {"model", "query", "documents", "top_n", "return_documents", "return_len"}
_TOOL_FAMILIES = (
    "Only ['qwen1.5-chat', 'qwen1.5-moe-chat', 'qwen2-instruct', 'qwen2-moe-instruct', "
    "'qwen2.5-instruct', 'qwen2.5-coder-instruct', 'glm4-chat', 'glm4-chat-1m', "
    "'llama-3.1-instruct', 'deepseek-v3'] support tool calls"
)
_NO_VERSION = {
    "type": "error",
    "error": {
        "type": "invalid_request_error",
        "message": "The anthropic-version header is required",
    },
}


def _anthropic(arrived: Arrived, answer: Answer) -> Answer:
    """Answer Anthropic's messages, which want a header, and count no tokens."""
    if arrived.route == "/v1/messages/count_tokens":
        return refusal(405, "Method Not Allowed")
    if arrived.route == "/v1/messages" and "anthropic-version" not in arrived.headers:
        return as_json(_NO_VERSION, status=400)
    return answer


_HABITS: tuple[Habit, ...] = (
    Habit(
        until=(0, 17),
        change=_refused(
            _CHAT,
            500,
            f"{WHERE}<xinference.core.scheduler.InferenceRequest object at 0x7fede616ac10>",
            lambda body: body.get("stop") and not body.get("stream"),
        ),
    ),
    Habit(
        until=(0, 17),
        change=_refused(
            _CHAT, 500, f'{WHERE}can only concatenate str (not "list") to str', _has_parts
        ),
    ),
    Habit(
        until=(0, 17),
        change=_refused(
            "/v1/rerank",
            500,
            f"{WHERE}rerank hasn't support extra parameter.",
            lambda body: body.keys() - _RERANKED,
        ),
    ),
    Habit(
        until=(1, 5),
        change=_refused(
            "/v1/rerank",
            500,
            f"{WHERE}list index out of range",
            lambda body: body.get("documents") == [],
        ),
    ),
    Habit(
        since=(1, 4),
        until=(1, 5),
        change=_refused(
            _CHAT,
            400,
            _TOOL_FAMILIES,
            lambda body: body.get("tools") and body.get("model") == "reason",
        ),
    ),
    Habit(until=(0, 17), change=_complete_with_chat),
    Habit(since=(3, 5), until=(4,), change=_anthropic),
    Habit(until=(2, 2), change=_refuse_streamed_tools),
    Habit(since=(1, 17), until=(2, 2), change=_llama_tools_fail),
    Habit(until=(2, 12), change=_unknown_is_400),
    Habit(until=(1, 13), change=_edited(_CHAT, _share_id)),
    Habit(since=(2, 12), until=(2, 13), change=_edited(_CHAT, _leave_tag)),
    Habit(until=(2, 13), change=_count_higher),
    Habit(until=(1, 10), change=_edited(_CHAT, _count_last)),
    Habit(since=(1, 4), until=(1, 5), change=_open_thought),
    Habit(until=(4,), change=_digits),
    Habit(until=(3, 5), change=_without("model_engine", "strict_system_first")),
    Habit(until=(3,), change=_without("model_ability", kinds=("embedding", "rerank"))),
    Habit(until=(1, 9), change=_without("model_ability", kinds=("audio",))),
)
_SINCE_REQUEST_ID: Version = (3, 5)


def last_headers(version: Version) -> dict[str, str]:
    """Name a request, as versions do that have a name for it."""
    if version < _SINCE_REQUEST_ID:
        return {}
    return {"x-request-id": str(uuid.uuid4()), "vary": "Origin"}
