"""Large language models: Dify's calls in, Xinference's answers out."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

import dify_plugin
from dify_plugin.entities.model.llm import LLMResult, LLMResultChunk, LLMResultChunkDelta, LLMUsage
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessage,
    PromptMessageTool,
)

from xinfer.runtime.dify.errors import invoke_error
from xinfer.runtime.dify.model import XinferenceModel
from xinfer.runtime.dify.tokens import estimate
from xinfer.runtime.xinference import Usage, XinferenceError


class LargeLanguageModel(XinferenceModel, dify_plugin.LargeLanguageModel):
    """An LLM that a Xinference server runs."""

    server_type = "LLM"

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
        if tools:
            raise ValueError("Tools are not supported by this version of the plugin.")
        entered = self.entered(credentials)
        messages = [_message(message) for message in prompt_messages]
        parameters = _parameters(model_parameters, stop)
        handle = self._handle_stream_response if stream else self._handle_sync_response
        return handle(model, credentials, entered, messages, parameters)

    def _handle_stream_response(
        self,
        model: str,
        credentials: dict[str, Any],
        entered: Any,
        messages: list[dict[str, Any]],
        parameters: dict[str, Any],
    ) -> Generator[LLMResultChunk, None, None]:
        usage: Usage | None = None
        finish_reason: str | None = None
        written = 0
        try:
            for piece in self.client(entered).stream_chat(entered.model_uid, messages, parameters):
                usage = piece.usage or usage
                # The piece that brings the usage says "stop" even after a "length".
                finish_reason = finish_reason or piece.finish_reason
                if piece.text:
                    written += len(piece.text)
                    yield _result_chunk(model, piece.text)
        except XinferenceError as error:
            # The SDK maps only what is raised before the first piece.
            raise invoke_error(error) from error
        yield _result_chunk(
            model,
            "",
            usage=self._usage(model, credentials, usage, messages, written),
            finish_reason=finish_reason or "stop",
        )

    def _handle_sync_response(
        self,
        model: str,
        credentials: dict[str, Any],
        entered: Any,
        messages: list[dict[str, Any]],
        parameters: dict[str, Any],
    ) -> LLMResult:
        answer = self.client(entered).chat(entered.model_uid, messages, parameters)
        return LLMResult(
            model=model,
            message=AssistantPromptMessage(content=answer.text),
            usage=self._usage(model, credentials, answer.usage, messages, len(answer.text)),
        )

    def _usage(
        self,
        model: str,
        credentials: dict[str, Any],
        counted: Usage | None,
        messages: list[dict[str, Any]],
        written: int,
    ) -> LLMUsage:
        """Take the server's count, or estimate where it gave none."""
        counted = counted or Usage(estimate(json.dumps(messages, ensure_ascii=False)), written // 4)
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
        return sum(estimate(text) for text in (*texts, *described)) + 4 * len(texts)


def _message(message: PromptMessage) -> dict[str, Any]:
    if isinstance(message.content, list) and any(part.type != "text" for part in message.content):
        kinds = sorted({part.type.value for part in message.content} - {"text"})
        raise ValueError(f"The message holds {', '.join(kinds)}, and only text is supported yet.")
    return {"role": message.role.value, "content": message.get_text_content()}


def _parameters(given: Mapping[str, Any], stop: list[str] | None) -> dict[str, Any]:
    """Hand on what the user set and nothing else, in Xinference's spelling."""
    parameters = dict(given)
    if (thinking := parameters.pop("enable_thinking", None)) is not None:
        parameters["chat_template_kwargs"] = {"enable_thinking": thinking}
    return parameters | ({"stop": stop} if stop else {})


def _result_chunk(
    model: str,
    text: str,
    *,
    usage: LLMUsage | None = None,
    finish_reason: str | None = None,
) -> LLMResultChunk:
    return LLMResultChunk(
        model=model,
        delta=LLMResultChunkDelta(
            index=0,
            message=AssistantPromptMessage(content=text),
            usage=usage,
            finish_reason=finish_reason,
        ),
    )
