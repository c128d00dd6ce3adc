"""Large language models: Dify's calls in, the server's answers out."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import Any

import dify_plugin
from attrs import evolve, frozen
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta, LLMUsage
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    PromptMessageTool,
)

from xinfer.runtime.dify.call import ModelCall
from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.messages import Writer, prompt, tools
from xinfer.runtime.dify.model import ServedModel
from xinfer.runtime.dify.outgoing import measured, split
from xinfer.runtime.dify.parameters import parameters, schema_prompt
from xinfer.runtime.dify.thinking import Thinking
from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    ChatChunk,
    ServerUnavailable,
    ToolCall,
    ToolCalls,
    Usage,
)
from xinfer.runtime.openai.conversation import with_instruction
from xinfer.runtime.openai.counting import count_tokens
from xinfer.runtime.openai.tokens import count
from xinfer.spec import Credentials, FormError, Messages
from xinfer.spec.runtime import matching

_FRAME = " " * 20
"""Six times its size is what the SDK writes around a tool call."""
_PER_MESSAGE = 4
"""Tokens that a chat template spends on a message besides its text."""
_DEFAULT = Messages()


@frozen(kw_only=True)
class _Request:
    """One call, ready to be sent either way."""

    whole: Callable[[], ChatChunk]
    pieces: Callable[[], Iterator[list[ChatChunk]]]
    prompt_tokens: Callable[[], int]
    max_tokens: int
    context_size: int
    diagnose: Callable[[], AbstractContextManager[None]]

    @contextmanager
    def within_context(self) -> Iterator[None]:
        """Explain a call that fails because it asks for more than the model holds."""
        try:
            yield
        except (ServerUnavailable, BadRequest) as error:
            prompt_tokens = self.prompt_tokens()
            may_be = error.too_long or error.is_unexplained
            if not may_be or prompt_tokens + self.max_tokens <= self.context_size:
                raise
            raise BadRequest(
                f"{error.english} The prompt (about {prompt_tokens:,} tokens) and Max Tokens "
                f"({self.max_tokens:,}) are more than the context of {self.context_size:,} tokens: "
                "lower Max Tokens, or shorten the prompt.",
                f"提示词（约 {prompt_tokens:,} 个 token）与最大生成长度（{self.max_tokens:,}）之和"
                f"超出了上下文长度（{self.context_size:,}）：请调低最大生成长度，或缩短提示词。",
            ) from None


class LargeLanguageModel[C: Credentials](ServedModel[C], dify_plugin.LargeLanguageModel):
    """A language model, for chat or for completion."""

    def probe(self, call: ModelCall[C]) -> None:
        """Ask for one token."""
        body = parameters(
            {"max_tokens": 1},
            None,
            dialect=call.dialect,
            runtime=self.runtime,
            names=call.names,
            body=call.settings.body,
        )
        if _chats(call):
            call.client.chat(call.name, [{"role": "user", "content": "Hi"}], body)
        else:
            call.client.complete(call.name, "Hi", body)

    def _invoke(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[PromptMessage],
        model_parameters: dict[str, Any],
        tools: list[PromptMessageTool] | None = None,
        stop: list[str] | None = None,
        stream: bool = True,
        user: str | None = None,
    ) -> LLMResult | Generator[LLMResultChunk, None, None]:
        """Answer a prompt, in pieces or at once."""
        call = self.call(model, credentials, user)
        request = self._request(call, prompt_messages, model_parameters, tools, stop)
        handle = self._handle_stream_response if stream else self._handle_sync_response
        return handle(model, credentials, request)

    def _request(
        self,
        call: ModelCall[C],
        prompt_messages: list[PromptMessage],
        chosen: dict[str, Any],
        offered: list[PromptMessageTool] | None,
        stop: list[str] | None,
    ) -> _Request:
        client, name, offered = call.client, call.name, offered or []
        body = parameters(
            chosen,
            stop,
            dialect=call.dialect,
            runtime=self.runtime,
            names=call.names,
            body={**_end_user(call), **call.settings.body},
        )
        request = partial(
            _Request,
            prompt_tokens=lambda: _estimated_tokens(prompt_messages, offered),
            max_tokens=chosen.get("max_tokens") or 0,
            context_size=call.declared.model_properties.context_size or 0,
            diagnose=lambda: self.diagnose(call),
        )
        if not _chats(call):
            text = _continued(prompt_messages, offered)
            return request(
                whole=lambda: client.complete(name, text, body),
                pieces=lambda: client.stream_complete(name, text, body),
            )
        written = with_instruction(
            self._writer(call, has_tools=bool(offered)).messages(prompt_messages),
            schema_prompt(chosen, self.runtime),
        )
        body |= {"tools": tools(offered)} if offered else {}
        return request(
            whole=lambda: client.chat(name, written, body),
            pieces=lambda: client.stream_chat(
                name, written, body, always_thinks=_always_thinks(call, chosen)
            ),
        )

    def _writer(self, call: ModelCall[C], *, has_tools: bool) -> Writer:
        policy = matching(self.runtime.messages, call.names, _DEFAULT)
        if call.description.strict_system_first and policy.system == "anywhere":
            policy = evolve(policy, system="first")
        key = call.dialect.reasoning_key
        sent = {
            "auto": key is not None,
            "always": True,
            "with_tools": has_tools,
            "never": False,
        }[policy.reasoning]
        return Writer(
            features=call.declared.features,
            dialect=call.dialect,
            policy=policy,
            thoughts_key=(key or "reasoning_content") if sent else None,
        )

    def _handle_stream_response(
        self, model: str, credentials: dict[str, Any], request: _Request
    ) -> Generator[LLMResultChunk, None, None]:
        """Yield the answer as it arrives; tool calls whole, at the end."""
        answer = _Answer()
        with mapped(), request.within_context(), request.diagnose():
            for chunks in request.pieces():
                if text := "".join([answer.take(chunk) for chunk in chunks]):
                    for piece in split(text):
                        yield _result_chunk(model, piece)
            for piece in split(answer.finish()):
                if piece:
                    yield _result_chunk(model, piece)
            calls = [_tool_call(call) for call in answer.checked_calls()]
        if calls:
            yield _result_chunk(model, "", calls)
        yield _result_chunk(
            model,
            "",
            usage=self._usage(model, credentials, request, answer),
            finish_reason=answer.finish_reason,
        )

    def _handle_sync_response(
        self, model: str, credentials: dict[str, Any], request: _Request
    ) -> LLMResult:
        """Return the whole answer."""
        answer = _Answer()
        with request.within_context(), request.diagnose():
            whole = request.whole()
        text = answer.take(whole) + answer.finish()
        calls = [_tool_call(call) for call in answer.checked_calls(text)]
        return LLMResult(
            model=model,
            message=AssistantPromptMessage(content=text, tool_calls=calls),
            usage=self._usage(model, credentials, request, answer),
        )

    def _usage(
        self, model: str, credentials: dict[str, Any], request: _Request, answer: _Answer
    ) -> LLMUsage:
        """Return the server's count of tokens, or an estimate if it has none."""
        counted = answer.usage or Usage(request.prompt_tokens(), answer.estimated_tokens())
        return self._calc_response_usage(
            model, credentials, counted.prompt_tokens, counted.completion_tokens
        )

    def get_num_tokens(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[PromptMessage],
        tools: list[PromptMessageTool] | None = None,
    ) -> int:
        """Count the prompt's tokens: estimated, or by the server if the declaration says so.

        The server's own count comes with its answer in any case.
        """
        with suppress(FormError, CallError, KeyError):
            exact = self._exact_tokens(model, credentials, prompt_messages, tools)
            if exact is not None:
                return exact
        return _estimated_tokens(prompt_messages, tools)

    def _exact_tokens(
        self,
        model: str,
        credentials: dict[str, Any],
        prompt_messages: list[PromptMessage],
        tools: list[PromptMessageTool] | None,
    ) -> int | None:
        condition = self.runtime.exact_tokens
        plain = all(isinstance(m.content, str) and m.role.value != "tool" for m in prompt_messages)
        if condition is None or tools or not plain:
            return None
        call = self.call(model, credentials)
        if not condition.holds(call.info) or not _chats(call):
            return None
        messages = self._writer(call, has_tools=False).messages(prompt_messages)
        if any("tool_calls" in message for message in messages):
            return None
        return count_tokens(call.client, call.name, messages)


def _estimated_tokens(
    prompt_messages: list[PromptMessage], tools: list[PromptMessageTool] | None
) -> int:
    described = [tool.model_dump_json() for tool in tools or ()]
    texts = [message.get_text_content() for message in prompt_messages]
    calls = [
        call.function.model_dump_json()
        for message in prompt_messages
        if isinstance(message, AssistantPromptMessage)
        for call in message.tool_calls or ()
    ]
    return sum(map(count, (*texts, *calls, *described))) + _PER_MESSAGE * len(texts)


class _Answer:
    """The state of an answer that is being read."""

    def __init__(self) -> None:
        self.calls = ToolCalls()
        self.usage: Usage | None = None
        self._thinking = Thinking()
        self._reason: str | None = None
        self._written: list[str] = []

    def take(self, chunk: ChatChunk) -> str:
        """Add a piece; return what to show of it."""
        # The piece that brings the usage says "stop" even after a "length": the first one counts.
        self._reason = self._reason or chunk.finish_reason
        self.usage = chunk.usage or self.usage
        self.calls.add(chunk.tool_calls)
        # Beside parsed calls the Transformers engine leaves the line breaks that were around them.
        text = "" if chunk.tool_calls and chunk.text.isspace() else chunk.text
        self._written += (chunk.reasoning, chunk.text)
        visible = self._thinking.feed(chunk.reasoning, text)
        return visible + self._thinking.close() if chunk.tool_calls else visible

    def finish(self) -> str:
        """Return what is left to show at the end."""
        return self._thinking.finish(complete=self._reason != "length" and not self.calls)

    def checked_calls(self, *beside: str) -> list[ToolCall]:
        """Return the tool calls, after a check that they fit into one message with the text."""
        calls = list(self.calls)
        measured([*beside, *(f"{call.id}{call.name}{call.arguments}{_FRAME}" for call in calls)])
        return calls

    @property
    def finish_reason(self) -> str:
        """The server's first reason; ``tool_calls`` if a whole answer calls tools."""
        if self.calls and self._reason != "length":
            return "tool_calls"
        return self._reason or "stop"

    def estimated_tokens(self) -> int:
        """Estimate what the model wrote."""
        calls = [json.dumps([call.name, call.arguments]) for call in self.calls]
        return count("".join([*self._written, *calls]))


def _continued(messages: list[PromptMessage], offered: list[PromptMessageTool]) -> str:
    """Write the text that a completion model continues."""
    if offered:
        raise BadRequest(
            "This model completes text and takes no tools: choose a chat model.",
            "此模型仅用于文本补全，不支持工具：请选用对话模型。",
        )
    if not (text := prompt(messages)):
        raise BadRequest("The prompt is empty.", "提示词为空。")
    return text


def _chats(call: ModelCall[Any]) -> bool:
    """Return whether a model takes a conversation rather than a text to continue."""
    return call.declared.model_properties.mode != "completion"


def _always_thinks(call: ModelCall[Any], chosen: dict[str, Any]) -> bool:
    """Return whether a model thinks before every answer: by its kind, or because it was told to."""
    abilities = call.description.abilities
    if "hybrid" in abilities:
        return chosen.get("enable_thinking") is True
    return "reasoning" in abilities and chosen.get("enable_thinking") is not False


def _end_user(call: ModelCall[Any]) -> dict[str, Any]:
    declared, user = call.runtime.user, call.user
    if declared is None or not user or not declared.when.holds(call.info):
        return {}
    return {declared.key: user[: declared.max_length]}


def _tool_call(call: ToolCall) -> AssistantPromptMessage.ToolCall:
    return AssistantPromptMessage.ToolCall(
        id=call.id,
        type="function",
        function=AssistantPromptMessage.ToolCall.ToolCallFunction(
            name=call.name, arguments=call.arguments
        ),
    )


def _result_chunk(
    model: str,
    text: str,
    calls: list[AssistantPromptMessage.ToolCall] | None = None,
    *,
    usage: LLMUsage | None = None,
    finish_reason: str | None = None,
) -> LLMResultChunk:
    return LLMResultChunk(
        model=model,
        delta=LLMResultChunkDelta(
            index=0,
            message=AssistantPromptMessage(content=text, tool_calls=calls or []),
            usage=usage,
            finish_reason=finish_reason,
        ),
    )
