"""Dify's messages in OpenAI's form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from attrs import frozen
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    MultiModalPromptMessageContent,
    PromptMessage,
    PromptMessageContent,
    PromptMessageContentType,
    PromptMessageTool,
    TextPromptMessageContent,
    ToolPromptMessage,
)

from xinfer.runtime.dify.media import expect_content
from xinfer.runtime.openai import BadRequest
from xinfer.runtime.openai.conversation import arrange
from xinfer.runtime.openai.reasoning import thoughts_apart
from xinfer.spec import Feature, Messages
from xinfer.spec.dialects import Dialect

_FEATURES: Mapping[PromptMessageContentType, Feature] = {
    PromptMessageContentType.IMAGE: Feature.VISION,
    PromptMessageContentType.VIDEO: Feature.VIDEO,
    PromptMessageContentType.AUDIO: Feature.AUDIO,
    PromptMessageContentType.DOCUMENT: Feature.DOCUMENT,
}
"""The feature that a part of each kind needs."""


@frozen(kw_only=True)
class Writer:
    """Writes conversations for one model.

    :param features: what the model can take.
    :param thoughts_key: under which earlier thoughts are sent back; ``None`` leaves them out.
    """

    features: Collection[Feature]
    dialect: Dialect
    policy: Messages
    thoughts_key: str | None = None

    def messages(self, prompt: Sequence[PromptMessage]) -> list[dict[str, Any]]:
        """Write messages as OpenAI does, with every call, id and part.

        :raises BadRequest: a part is of a kind that the model cannot take.
        """
        tools = _tool_names(prompt)
        return arrange([self._message(message, tools) for message in prompt], self.policy)

    def _message(self, message: PromptMessage, tools: Mapping[str, str]) -> dict[str, Any]:
        written: dict[str, Any] = {"role": message.role.value, "content": self._content(message)}
        if isinstance(message, AssistantPromptMessage):
            if isinstance(written["content"], str):
                written["content"], thoughts = thoughts_apart(written["content"])
                if thoughts and self.thoughts_key:
                    written[self.thoughts_key] = thoughts
            if message.tool_calls:
                written["tool_calls"] = [_call(call) for call in message.tool_calls]
        if isinstance(message, ToolPromptMessage):
            written["tool_call_id"] = message.tool_call_id
            # Chat templates fail on a tool's answer that does not name the tool.
            written["name"] = message.name or tools.get(message.tool_call_id) or "tool"
        elif message.name:
            written["name"] = message.name
        return written

    def _content(self, message: PromptMessage) -> str | list[dict[str, Any]]:
        if not isinstance(message.content, list):
            return message.content or ""
        if all(isinstance(part, TextPromptMessageContent) for part in message.content):
            return message.get_text_content()
        return [self._part(part) for part in message.content]

    def _part(self, part: PromptMessageContent) -> dict[str, Any]:
        if isinstance(part, TextPromptMessageContent):
            return {"type": "text", "text": part.data}
        # The base class of parts does not declare what every part has.
        kind: PromptMessageContentType = part.type  # type: ignore[attr-defined]
        written = _WRITERS.get(kind)
        if (
            written is None
            or not isinstance(part, MultiModalPromptMessageContent)
            or _FEATURES[kind] not in self.features
            or (kind is PromptMessageContentType.VIDEO and self.dialect.video is None)
        ):
            raise _not_taken(part, kind)
        expect_content(part.data, f"{kind.value} in the message", f"消息中的{_CHINESE[kind]}")
        return written(part, self.dialect)


def prompt(messages: Sequence[PromptMessage]) -> str:
    """Write messages as the one text that a completion model continues.

    :raises BadRequest: a part is not text.
    """
    texts = []
    for message in messages:
        if isinstance(message.content, list):
            for part in message.content:
                if not isinstance(part, TextPromptMessageContent):
                    raise _not_taken(part, part.type)
        text = message.get_text_content()
        texts.append(
            thoughts_apart(text)[0] if isinstance(message, AssistantPromptMessage) else text
        )
    return "\n\n".join(filter(None, texts))


def tools(offered: Sequence[PromptMessageTool]) -> list[dict[str, Any]]:
    """Write tools as OpenAI does."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in offered
    ]


def _tool_names(messages: Sequence[PromptMessage]) -> dict[str, str]:
    """Find the tool that each call named: its answer must name it too."""
    return {
        call.id: call.function.name
        for message in messages
        if isinstance(message, AssistantPromptMessage)
        for call in message.tool_calls or ()
    }


def _call(call: AssistantPromptMessage.ToolCall) -> dict[str, Any]:
    return {
        "id": call.id,
        "type": call.type or "function",
        "function": {"name": call.function.name, "arguments": call.function.arguments},
    }


_CHINESE = {
    PromptMessageContentType.IMAGE: "图片",
    PromptMessageContentType.VIDEO: "视频",
    PromptMessageContentType.AUDIO: "音频",
    PromptMessageContentType.DOCUMENT: "文档",
}


def _not_taken(part: Any, kind: PromptMessageContentType) -> BadRequest:
    name = getattr(part, "filename", "")
    what = f"{kind.value} ({name})" if name else kind.value
    chinese = _CHINESE.get(kind, kind.value) + (f"，{name}" if name else "")
    return BadRequest(
        f"The message holds {what}, which this model does not take: remove it, or choose a "
        "model that does.",
        f"消息中包含此模型不支持的内容（{chinese}）：请移除，或选用支持它的模型。",
    )


def _image(part: Any, dialect: Dialect) -> dict[str, Any]:
    kind, key = dialect.image
    detail = getattr(part, "detail", None)
    return {"type": kind, key: {"url": part.data, **({"detail": detail.value} if detail else {})}}


def _video(part: Any, dialect: Dialect) -> dict[str, Any]:
    kind, key = dialect.video or ("", "")
    return {"type": kind, key: {"url": part.data}}


def _audio(part: Any, dialect: Dialect) -> dict[str, Any]:
    kind, key = dialect.audio
    if key != "input_audio":
        return {"type": kind, key: {"url": part.data}}
    if not part.base64_data:
        raise BadRequest(
            "The server takes audio as data only: set MULTIMODAL_SEND_FORMAT to base64 in "
            "Dify's configuration.",
            "服务器仅接受音频数据：请在 Dify 的配置中将 MULTIMODAL_SEND_FORMAT 设为 base64。",
        )
    return {"type": kind, key: {"data": part.base64_data, "format": part.format}}


def _document(part: Any, dialect: Dialect) -> dict[str, Any]:  # noqa: ARG001 (one of several)
    name = part.filename or f"document.{part.format}"
    return {"type": "file", "file": {"filename": name, "file_data": part.data}}


_WRITERS = {
    PromptMessageContentType.IMAGE: _image,
    PromptMessageContentType.VIDEO: _video,
    PromptMessageContentType.AUDIO: _audio,
    PromptMessageContentType.DOCUMENT: _document,
}
