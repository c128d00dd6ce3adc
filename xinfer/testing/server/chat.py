"""Chat and text completions: what is refused, what is said, and which engine writes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xinfer.testing.server import replies
from xinfer.testing.server.answer import WHERE, Answer, as_json, event, failing, refusal, stream
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.engines import Engine, Run
from xinfer.testing.server.fields import CHAT, COMPLETION, checked
from xinfer.testing.server.llama_cpp import LLAMA_CPP
from xinfer.testing.server.models import Models
from xinfer.testing.server.served import Served
from xinfer.testing.server.tokens import count, generate
from xinfer.testing.server.transformers import TRANSFORMERS

FAILED = "The chat completion request failed. Check the server logs for details."
_NO_TOOLS = "Only {'qwen2.5-instruct', 'qwen3', 'Qwen3-VL-Instruct'} support tool "
_A_MESSAGE = 5
"""Tokens that a chat template adds to each message."""
_SPARE = 8
"""Tokens left when Transformers cuts a prompt, besides the ``max_tokens`` asked for."""

type Body = Mapping[str, Any]


def chat(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/chat/completions``."""
    body = checked(arrived, "CreateChatCompletion", CHAT)
    streaming = bool(body.get("stream"))
    if not body["messages"]:
        return refusal(400, "Invalid input. Please specify the prompt.")
    if body.get("logit_bias"):
        return refusal(501, "Not implemented")
    model = models.model(body["model"])
    if model.model_type == "LLM" and "tools" not in model.abilities:
        # Xinference goes by the model's family, and its families with tools have the ability.
        if body.get("tools"):
            return refusal(400, f"{_NO_TOOLS}calls")
        if any(message.get("role") == "tool" for message in body["messages"]):
            return refusal(400, f"{_NO_TOOLS}messages")
    if "chat" not in model.abilities:
        return failing(FAILED, streaming=streaming)
    prompt = sum(_A_MESSAGE + count(replies.text_of(message)) for message in body["messages"])
    prompt += count(str(body.get("tools") or ""))
    run = _run(model, body, prompt, _reply(model, body, replies.greet))
    if run is None:
        return failing(FAILED, streaming=streaming)
    engine = _engine(model)
    if streaming:
        return stream(event(written) for written in engine.chat_events(run))
    return as_json(engine.chat(run))


def completion(models: Models, arrived: Arrived) -> Answer:
    """Answer ``POST /v1/completions``."""
    body = checked(arrived, "CreateCompletionRequest", COMPLETION)
    streaming = bool(body.get("stream"))
    model = models.model(body["model"])
    engine = _engine(model)
    if not engine.completes and "generate" not in model.abilities:
        return failing(f"{WHERE}'str' object has no attribute 'get'", streaming=streaming)
    run = _run(model, body, count(body["prompt"]), _reply(model, body, replies.complete))
    if run is None:
        return failing(FAILED, streaming=streaming)
    if streaming:
        return stream(event(written) for written in engine.completion_events(run))
    return as_json(engine.completion(run))


def _engine(model: Served) -> Engine:
    return LLAMA_CPP if model.engine == "llama.cpp" else TRANSFORMERS


def _reply(model: Served, body: Body, usual: Callable[[Body], replies.Reply]) -> replies.Reply:
    if model.answer is None:
        return usual(_understood(model, body))
    reply = model.answer(body) if callable(model.answer) else model.answer
    return replies.Reply(text=reply) if isinstance(reply, str) else reply


def _understood(model: Served, body: Body) -> Body:
    """Return the body without the pictures and recordings the model has no ability for."""
    if {"vision", "audio", "omni"}.intersection(model.abilities):
        return body
    messages = [
        {**message, "content": replies.text_of(message)} for message in body.get("messages") or ()
    ]
    return {**body, "messages": messages}


def _run(model: Served, body: Body, prompt: int, reply: replies.Reply) -> Run | None:
    """Generate the answer; ``None`` when it does not fit in the context."""
    length = model.context_length
    limit = body.get("max_tokens") or length
    too_long = prompt >= length and not _engine(model).cuts
    if too_long or limit > length:
        return None
    prompt = min(prompt, max(1, length - (body.get("max_tokens") or 0) - _SPARE))
    thinking = _thinks(model, body) and not reply.reasoning and "messages" in body
    if thinking:
        reply = replies.Reply(text=reply.text, reasoning=replies.THOUGHT, calls=reply.calls)
    stop = body.get("stop") or ()
    with_tools = body.get("tools") is not None
    return Run(
        model=model,
        generated=generate(
            reply.tokens(),
            limit=min(limit, length - prompt),
            stop=(stop,) if isinstance(stop, str) else stop,
        ),
        prompt_tokens=prompt,
        thinking=bool(reply.reasoning),
        with_tools=with_tools,
        parses_calls=with_tools and body.get("tool_choice") != "none",
        include_usage=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _thinks(model: Served, body: Body) -> bool:
    if "reasoning" not in model.abilities:
        return False
    # Both the template's arguments and the top level switch it.
    asked = {**body, **(body.get("chat_template_kwargs") or {})}.get("enable_thinking")
    return model.thinks if asked is None else bool(asked)
