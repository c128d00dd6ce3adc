"""The Transformers engine: two tokens an event, usage at the end whether asked for or not.

Tool calls are parsed in answers sent at once only; a stream carries their text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import batched
from typing import Any

from xinfer.testing.server.answer import DONE
from xinfer.testing.server.engines import JSON, Engine, Run, new_id, now, text_choice
from xinfer.testing.server.served import Reasoning

_CALL = re.compile(r"<tool_call>\n(.*?)\n</tool_call>", re.DOTALL)
_EVENTS_A_BATCH = 8
"""Events after which a delta carries the role again."""


def chat(run: Run) -> JSON:
    """Return a chat completion."""
    text, thoughts = _parted(run)
    reason = run.generated.finish_reason
    message: JSON = {"role": "assistant", "content": text}
    head: JSON = {"id": new_id("chat"), "object": "chat.completion", "created": now()}
    head["model"] = run.model.uid
    if run.with_tools:
        calls = [_tool_call(match) for match in _CALL.findall(text)]
        message["content"] = _CALL.sub("", text)
        message["tool_calls"] = calls
        head["id"] = new_id("chatcmpl-")
        reason = "tool_calls" if calls else reason
    if thoughts is not None:
        message["reasoning_content"] = thoughts
    choice = _choice({"message": message, "logprobs": None}, reason)
    return {**head, "choices": [choice], "usage": run.usage(_spoken(run))}


def _spoken(run: Run) -> int:
    """Return the tokens counted in an answer sent at once: those that have a text."""
    return sum(bool(token.text) for token in run.generated.tokens)


def _tool_call(text: str) -> JSON:
    call: JSON = json.loads(text)
    arguments = json.dumps(call["arguments"], ensure_ascii=False)
    function = {"name": call["name"], "arguments": arguments}
    return {"id": new_id("call_"), "type": "function", "function": function}


def _parses(run: Run) -> bool:
    return run.thinking and run.model.reasoning is Reasoning.PARSED


def _parted(run: Run) -> tuple[str, str | None]:
    """Return text and thoughts."""
    text = run.generated.text
    if not _parses(run):
        return text, None
    thoughts, _, rest = text.removeprefix("<think>").partition("</think>")
    return rest, thoughts


def chat_events(run: Run) -> Iterator[JSON | str]:
    """Yield the events of a streamed chat completion."""
    head: JSON = {"id": new_id("chat"), "model": run.model.uid, "created": now()}
    head["object"] = "chat.completion.chunk"
    parses = _parses(run)
    begin: JSON = {"role": "assistant", "content": ""}
    if parses:
        begin |= {"content": None, "reasoning_content": ""}
    yield {**head, "choices": [_choice({"delta": begin}, None)]}
    thinking = parses
    pairs = ("".join(token.text for token in pair) for pair in batched(run.generated.tokens, 2))
    for number, text in enumerate(pairs):
        delta: JSON = {"content": text}
        if parses:
            thinking, delta = _delta(text, thinking=thinking)
        if number and number % _EVENTS_A_BATCH == 0:
            delta["role"] = "assistant"
        yield {**head, "choices": [_logged(delta, None)], "usage": None}
    usage = run.usage(len(run.generated.tokens))
    last: JSON = {"content": ""} | ({"reasoning_content": None} if parses else {})
    yield {**head, "choices": [_logged(last, run.generated.finish_reason)], "usage": usage}
    if run.include_usage:
        yield {**head, "choices": [_choice({"delta": {}}, "stop")], "usage": usage}
    yield DONE


def _logged(delta: JSON, finish_reason: str | None) -> JSON:
    return _choice({"delta": delta, "logprobs": None}, finish_reason)


def _delta(text: str, *, thinking: bool) -> tuple[bool, JSON]:
    """Return whether thoughts go on after a piece, and its delta."""
    thought, ends, rest = text.removeprefix("<think>").partition("</think>")
    if not thinking:
        return False, {"reasoning_content": None, "content": text}
    if ends and not thought:
        return False, {"reasoning_content": None, "content": rest}
    return not ends, {"reasoning_content": thought, "content": rest or None}


def _choice(content: Mapping[str, Any], finish_reason: str | None) -> JSON:
    """Return the one choice of a chat's answer.

    :param content: ``message`` or ``delta``.
    """
    return {"index": 0, **content, "finish_reason": finish_reason}


def completion(run: Run) -> JSON:
    """Return a text completion."""
    choice = text_choice(run.generated.text, run.generated.finish_reason)
    return {**_completion_head(run), "choices": [choice], "usage": run.usage(_spoken(run))}


def completion_events(run: Run) -> Iterator[JSON]:
    """Yield the events of a streamed text completion; no ``[DONE]`` ends it."""
    head = _completion_head(run)
    yield {**head, "choices": [text_choice("", None)]}
    completion_tokens = 0
    for pair in batched(run.generated.tokens, 2):
        completion_tokens += len(pair)
        piece = text_choice("".join(token.text for token in pair), None)
        yield {**head, "choices": [piece], "usage": run.usage(completion_tokens)}
    end = text_choice("", run.generated.finish_reason)
    yield {**head, "choices": [end], "usage": run.usage(completion_tokens)}
    if run.include_usage:
        yield {**head, "choices": [], "usage": run.usage(completion_tokens)}


def _completion_head(run: Run) -> JSON:
    head: dict[str, Any] = {"id": new_id(), "object": "text_completion", "created": now()}
    return {**head, "model": run.model.uid}


TRANSFORMERS = Engine(
    chat=chat,
    chat_events=chat_events,
    completion=completion,
    completion_events=completion_events,
    completes=False,
    cuts=True,
)
