"""Large language models: Dify's calls in, Xinference's answers out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import dify_plugin
from attrs import frozen
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta, LLMUsage
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    PromptMessageTool,
)

from xinfer.runtime.dify.errors import mapped
from xinfer.runtime.dify.messages import messages, prompt, tools
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.dify.parameters import parameters
from xinfer.runtime.dify.thinking import Thinking
from xinfer.runtime.openai import (
    BadRequest,
    ChatChunk,
    Client,
    ModelDescription,
    ServerUnavailable,
    ToolCall,
    ToolCalls,
    ToolCallText,
    Usage,
)
from xinfer.runtime.openai.tokens import count

_OF_LENGTH = re.compile(r"token|context|length", re.IGNORECASE)
_PER_MESSAGE = 4
"""Tokens that a chat template spends on a message besides its text."""


@frozen(kw_only=True)
class _Request:
    """One call, ready to be sent either way."""

    whole: Callable[[], ChatChunk]
    pieces: Callable[[], Iterator[list[ChatChunk]]]
    prompt_tokens: Callable[[], int]
    has_tools: bool
    max_tokens: int
    context_size: int
    explained: Callable[[], AbstractContextManager[None]]

    @contextmanager
    def within_context(self) -> Iterator[None]:
        """Say of a call that fails when it asks for more than the model holds: servers do not."""
        try:
            yield
        except (ServerUnavailable, BadRequest) as error:
            asked = self.prompt_tokens()
            may_be = isinstance(error, ServerUnavailable) or _OF_LENGTH.search(error.words)
            if error.has_fix or not may_be or asked + self.max_tokens <= self.context_size:
                raise
            raise BadRequest(
                f"{error.english} The prompt (about {asked:,} tokens) and Max Tokens "
                f"({self.max_tokens:,}) are more than the context of {self.context_size:,} tokens: "
                "lower Max Tokens, or shorten the prompt.",
                f"提示词（约 {asked:,} 个 token）与最大生成长度（{self.max_tokens:,}）之和"
                f"超出了上下文长度（{self.context_size:,}）：请调低最大生成长度，或缩短提示词。",
            ) from None


class LargeLanguageModel(XinferenceModel, dify_plugin.LargeLanguageModel):
    """A language model that a Xinference server runs, for chat or for completion."""

    task = "llm"

    def try_out(self, client: Client, entered: Any, described: ModelDescription) -> None:
        """Have it write one token."""
        if _chats(described):
            asked = [{"role": "user", "content": "Hi"}]
            client.chat(entered.model_uid, asked, {"max_tokens": 1})
        else:
            client.complete(entered.model_uid, "Hi", {"max_tokens": 1})

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
        request = self._request(
            model, credentials, prompt_messages, parameters(model_parameters, stop), tools or []
        )
        handle = self._handle_stream_response if stream else self._handle_sync_response
        return handle(model, credentials, request)

    def _request(
        self,
        model: str,
        credentials: dict[str, Any],
        given: list[PromptMessage],
        set_by_user: dict[str, Any],
        offered: list[PromptMessageTool],
    ) -> _Request:
        entered = self.entered(credentials)
        described = self.described(credentials, entered)
        client, uid = self.client(entered), entered.model_uid
        known = self.known(model, credentials, entered)
        request = partial(
            _Request,
            prompt_tokens=lambda: self.get_num_tokens(model, credentials, given, offered),
            has_tools=bool(offered),
            max_tokens=set_by_user.get("max_tokens") or 0,
            context_size=known.model_properties.context_size or 0,
            explained=lambda: self.explained(client, entered),
        )
        if not _chats(described):
            text = _continued(given, offered)
            return request(
                whole=lambda: client.complete(uid, text, set_by_user),
                pieces=lambda: client.stream_complete(uid, text, set_by_user),
            )
        written = messages(given, known.features, system_first=described.strict_system_first)
        body = {**set_by_user, **({"tools": tools(offered)} if offered else {})}
        return request(
            whole=lambda: client.chat(uid, written, body),
            pieces=lambda: client.stream_chat(uid, written, body),
        )

    def _handle_stream_response(
        self, model: str, credentials: dict[str, Any], request: _Request
    ) -> Generator[LLMResultChunk, None, None]:
        """Hand on the answer as it arrives; calls of tools whole, at the end."""
        answer = _Answer(has_tools=request.has_tools)
        with mapped(), request.within_context(), request.explained():
            for chunks in request.pieces():
                if shown := "".join([answer.take(chunk) for chunk in chunks]):
                    yield _result_chunk(model, shown)
            shown = answer.finish()
        calls = [_tool_call(call) for call in answer.calls]
        if shown or calls:
            yield _result_chunk(model, shown, calls)
        yield _result_chunk(
            model,
            "",
            usage=self._usage(model, credentials, request, answer),
            finish_reason=answer.finish_reason,
        )

    def _handle_sync_response(
        self, model: str, credentials: dict[str, Any], request: _Request
    ) -> LLMResult:
        """Hand on the answer at once."""
        answer = _Answer(has_tools=request.has_tools)
        with request.within_context(), request.explained():
            whole = request.whole()
        shown = answer.take(whole) + answer.finish()
        return LLMResult(
            model=model,
            message=AssistantPromptMessage(
                content=shown, tool_calls=[_tool_call(call) for call in answer.calls]
            ),
            usage=self._usage(model, credentials, request, answer),
        )

    def _usage(
        self, model: str, credentials: dict[str, Any], request: _Request, answer: _Answer
    ) -> LLMUsage:
        """Take the server's count, or estimate where it gave none."""
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
        """Estimate the prompt's tokens; the server's own count comes with its answer."""
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
    """An answer being read: what to show of it so far, and what is known at its end."""

    def __init__(self, *, has_tools: bool) -> None:
        self.calls = ToolCalls()
        self.usage: Usage | None = None
        self._thinking = Thinking()
        # Only who was offered tools can mean a call by text that looks like one.
        self._in_text = ToolCallText(self.calls) if has_tools else None
        self._reason: str | None = None
        self._said: list[str] = []

    def take(self, chunk: ChatChunk) -> str:
        """Take a piece in; return what to show of it."""
        # The piece that brings the usage says "stop" even after a "length": the first one counts.
        self._reason = self._reason or chunk.finish_reason
        self.usage = chunk.usage or self.usage
        self.calls.add(chunk.tool_calls)
        # Beside parsed calls the Transformers engine leaves the line breaks that were around them.
        text = "" if chunk.tool_calls and chunk.text.isspace() else chunk.text
        if self._in_text and text:
            text = self._in_text.feed(text)
        self._said += (chunk.reasoning, chunk.text)
        shown = self._thinking.feed(chunk.reasoning, text)
        return shown + self._thinking.close() if chunk.tool_calls else shown

    def finish(self) -> str:
        """Return what is left to show when nothing more comes."""
        rest = self._in_text.close() if self._in_text else ""
        shown = self._thinking.feed("", rest)
        complete = self._reason != "length" and not self.calls
        return shown + self._thinking.finish(complete=complete)

    @property
    def finish_reason(self) -> str:
        """The server's first one; an answer that calls tools ends for that."""
        if self.calls and self._reason != "length":
            return "tool_calls"
        return self._reason or "stop"

    def estimated_tokens(self) -> int:
        """Estimate what the model wrote."""
        calls = [json.dumps([call.name, call.arguments]) for call in self.calls]
        return count("".join([*self._said, *calls]))


def _continued(given: list[PromptMessage], offered: list[PromptMessageTool]) -> str:
    """Write the text that a completion model is to go on with."""
    if offered:
        raise BadRequest(
            "This model completes text and takes no tools: choose a chat model.",
            "此模型仅用于文本补全，不支持工具：请选用对话模型。",
        )
    if not (text := prompt(given)):
        raise BadRequest("The prompt is empty.", "提示词为空。")
    return text


def _chats(described: ModelDescription) -> bool:
    """Say whether to talk to a model or have it go on with a text; unknown ones are talked to."""
    return "chat" in described.abilities or "generate" not in described.abilities


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
