"""The llama.cpp engine: a token an event, tool calls as OpenAI streams them, usage when asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

from xinfer.testing.server.answer import DONE
from xinfer.testing.server.engines import JSON, Engine, Run, new_id, now, text_choice
from xinfer.testing.server.served import Reasoning
from xinfer.testing.server.tokens import Kind, Token

_CACHED = 1
"""Tokens of the prompt found in the cache, says every answer."""


def chat(run: Run) -> JSON:
    """Return a chat completion."""
    message: JSON = {"role": "assistant", "content": _joined(run, Kind.TEXT)}
    reason = run.generated.finish_reason
    calls = _calls(run) if run.parses_calls else []
    if calls:
        message["tool_calls"] = calls
        reason = "tool_calls"
    elif run.with_tools:
        message["content"] = _unparsed(run)
    if _swallows(run) and run.thinking and not calls:
        message |= {"content": "", "reasoning_content": message["content"]}
    choice = {"finish_reason": reason, "index": 0, "message": message}
    return {
        "choices": [choice],
        **_head(run, "chat.completion"),
        "usage": _usage(run),
        "timings": _timings(run),
    }


def _joined(run: Run, kind: Kind) -> str:
    return "".join(token.text for token in run.generated.tokens if token.kind is kind)


def _unparsed(run: Run) -> str:
    """Return the text after the thoughts, tool calls as the model wrote them."""
    _, _, rest = run.generated.text.rpartition("</think>\n\n")
    return rest


def _calls(run: Run) -> list[JSON]:
    arguments: dict[int, str] = {}
    heads: dict[int, str] = {}
    for token in run.generated.tokens:
        if token.kind is Kind.CALL:
            heads[token.call] = heads.get(token.call, "") + token.text
        elif token.kind is Kind.ARGUMENTS:
            arguments[token.call] = arguments.get(token.call, "") + token.text
    return [
        {
            "type": "function",
            "function": {"name": _name(heads[call]), "arguments": written},
            "id": _call_id(),
        }
        for call, written in arguments.items()
    ]


def _name(head: str) -> str:
    """Return the tool's name from what comes before its arguments."""
    return str(json.loads(head.split('"name": ', 1)[1].rsplit(", ", 1)[0]))


def _call_id() -> str:
    return new_id().replace("-", "")


def _swallows(run: Run) -> bool:
    """Return whether the answer is in ``reasoning_content``: in a stream even without thoughts."""
    return run.model.reasoning is Reasoning.SWALLOWING


def chat_events(run: Run) -> Iterator[JSON | str]:
    """Yield the events of a streamed chat completion."""
    tail = _head(run, "chat.completion.chunk")
    yield _chunk({"role": "assistant", "content": None}, None, tail)
    called = False
    for delta in _deltas(run):
        called = called or "tool_calls" in delta
        yield _chunk(delta, None, tail)
    last: JSON = {"content": ""} | ({"reasoning_content": None} if _swallows(run) else {})
    end = _chunk(last, _reason(run, called=called), tail)
    yield end if run.include_usage else {**end, "timings": _timings(run)}
    if run.include_usage:
        head = {"id": new_id("chatcmpl-"), "model": run.model.uid, "created": now()}
        head["object"] = "chat.completion.chunk"
        yield {**head, "choices": [], "usage": _usage(run)}
    yield DONE


def _reason(run: Run, *, called: bool) -> str:
    reason = run.generated.finish_reason
    return "tool_calls" if called and reason == "stop" else reason


def _chunk(delta: JSON, finish_reason: str | None, tail: JSON) -> JSON:
    return {
        "choices": [{"finish_reason": finish_reason, "index": 0, "delta": delta}],
        **tail,
    }


def _deltas(run: Run) -> Iterator[JSON]:
    head, begun = "", -1
    in_call = False
    for token in run.generated.tokens:
        in_call = in_call or token.kind is Kind.CALL
        if not token.text:
            continue
        if in_call and not run.parses_calls:
            yield {"content": token.text}
        elif token.kind is Kind.CALL:
            head += token.text
        elif token.kind is Kind.ARGUMENTS:
            function: JSON = {"arguments": token.text}
            call: JSON = {"index": token.call, "function": function}
            if token.call != begun:
                begun = token.call
                call = {"index": begun, "id": _call_id(), "type": "function"}
                call["function"] = {"name": _name(head), **function}
                head = ""
            yield {"tool_calls": [call]}
        else:
            yield from _spoken(run, token)


def _spoken(run: Run, token: Token) -> Iterator[JSON]:
    if token.kind is Kind.REASONING:
        yield {"reasoning_content": token.text}
    elif token.kind is Kind.TEXT:
        swallowed = {"reasoning_content": token.text, "content": None}
        yield swallowed if _swallows(run) else {"content": token.text}


def completion(run: Run) -> JSON:
    """Return a text completion."""
    choice = text_choice(run.generated.text, run.generated.finish_reason)
    return {
        "choices": [choice],
        **_head(run, "text_completion"),
        "usage": _usage(run),
        "timings": _timings(run),
    }


def completion_events(run: Run) -> Iterator[JSON]:
    """Yield the events of a streamed text completion; no ``[DONE]`` ends it."""
    tail = _head(run, "text_completion")
    for token in run.generated.tokens:
        yield {"choices": [text_choice(token.text, None)], **tail}
    end = text_choice("", run.generated.finish_reason)
    yield {"choices": [end], **tail, "usage": _usage(run), "timings": _timings(run)}


def _head(run: Run, kind: str) -> JSON:
    return {
        "created": now(),
        "id": new_id("chatcmpl-"),
        "model": f"/models/tiny-{run.model.uid}/tiny.gguf",
        "system_fingerprint": "b0-unknown",
        "object": kind,
    }


def _usage(run: Run) -> JSON:
    details = {"prompt_tokens_details": {"cached_tokens": _CACHED}}
    return {**run.usage(len(run.generated.tokens)), **details}


def _timings(run: Run) -> JSON:
    """Return made-up times: a millisecond a token."""
    prompt, predicted = run.prompt_tokens, len(run.generated.tokens)
    each = {"per_token_ms": 1.0, "per_second": 1000.0}
    phases = {
        phase: {"n": tokens, "ms": float(tokens), **each}
        for phase, tokens in (("prompt", prompt), ("predicted", predicted))
    }
    timings = {
        f"{phase}_{name}": value for phase, times in phases.items() for name, value in times.items()
    }
    return {"cache_n": _CACHED, **timings}


LLAMA_CPP = Engine(
    chat=chat,
    chat_events=chat_events,
    completion=completion,
    completion_events=completion_events,
    completes=True,
    cuts=False,
)
