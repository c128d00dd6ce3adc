"""Dify's messages in the shape that Xinference takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

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

from xinfer.runtime.openai import BadRequest
from xinfer.spec import Feature

_MEDIA: Mapping[PromptMessageContentType, tuple[Feature, str, str]] = {
    PromptMessageContentType.IMAGE: (Feature.VISION, "image_url", "image_url"),
    PromptMessageContentType.VIDEO: (Feature.VIDEO, "video_url", "video_url"),
    # Of this type, because the Transformers engine looks for it; the others look at the key.
    PromptMessageContentType.AUDIO: (Feature.AUDIO, "audio", "audio_url"),
}
"""For each kind of part the feature it needs, and the type and key it travels under."""


def messages(
    given: Sequence[PromptMessage], features: Collection[Feature], *, system_first: bool
) -> list[dict[str, Any]]:
    """Write messages as OpenAI does, with every call, id and part.

    :param features: what the model can take.
    :param system_first: gather what the system says in one message at the beginning, for chat
        templates that allow it nowhere else.
    :raises BadRequest: a part is of a kind that the model cannot take.
    """
    names = _tool_names(given)
    written = [_message(message, features, names) for message in given]
    return _with_system_first(written) if system_first else written


def prompt(given: Sequence[PromptMessage]) -> str:
    """Write messages as the one text that a completion model continues.

    :raises BadRequest: a part is not text.
    """
    for message in given:
        _content(message, ())
    return "\n\n".join(text for message in given if (text := message.get_text_content()))


def tools(given: Sequence[PromptMessageTool]) -> list[dict[str, Any]]:
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
        for tool in given
    ]


def _tool_names(given: Sequence[PromptMessage]) -> dict[str, str]:
    """Find the tool that each call named: its answer must name it too."""
    return {
        call.id: call.function.name
        for message in given
        if isinstance(message, AssistantPromptMessage)
        for call in message.tool_calls or ()
    }


def _message(
    message: PromptMessage, features: Collection[Feature], names: Mapping[str, str]
) -> dict[str, Any]:
    written: dict[str, Any] = {
        "role": message.role.value,
        "content": _content(message, features),
    }
    if isinstance(message, AssistantPromptMessage) and message.tool_calls:
        written["tool_calls"] = [
            {
                "id": call.id,
                "type": call.type or "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in message.tool_calls
        ]
    if isinstance(message, ToolPromptMessage):
        written["tool_call_id"] = message.tool_call_id
        # Chat templates fail on a tool's answer that does not name the tool.
        written["name"] = message.name or names.get(message.tool_call_id) or "tool"
    elif message.name:
        written["name"] = message.name
    return written


def _content(message: PromptMessage, features: Collection[Feature]) -> str | list[dict[str, Any]]:
    if not isinstance(message.content, list):
        return message.content or ""
    if all(isinstance(part, TextPromptMessageContent) for part in message.content):
        return message.get_text_content()
    return [_part(part, features) for part in message.content]


def _part(part: PromptMessageContent, features: Collection[Feature]) -> dict[str, Any]:
    if isinstance(part, TextPromptMessageContent):
        return {"type": "text", "text": part.data}
    # The base class of parts does not say what every one of them has.
    sort: PromptMessageContentType = part.type  # type: ignore[attr-defined]
    if not isinstance(part, MultiModalPromptMessageContent) or not _takes(sort, features):
        name = getattr(part, "filename", "")
        what = f"{sort.value} ({name})" if name else sort.value
        raise BadRequest(
            f"The message holds {what}, which this model does not take: remove it, or choose a "
            "model that does.",
            f"消息中包含此模型不支持的内容（{what}）：请移除，或选用支持它的模型。",
        )
    _, kind, key = _MEDIA[sort]
    reference: dict[str, Any] = {"url": part.data}
    if detail := getattr(part, "detail", None):
        reference["detail"] = detail.value
    return {"type": kind, key: reference}


def _takes(sort: PromptMessageContentType, features: Collection[Feature]) -> bool:
    return sort in _MEDIA and _MEDIA[sort][0] in features


def _with_system_first(written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    said = [message["content"] for message in written if message["role"] in _SYSTEM]
    if not said:
        return written
    others = [message for message in written if message["role"] not in _SYSTEM]
    texts = (text if isinstance(text, str) else _texts(text) for text in said)
    return [{"role": "system", "content": "\n\n".join(filter(None, texts))}, *others]


_SYSTEM = frozenset({"system", "developer"})


def _texts(parts: list[dict[str, Any]]) -> str:
    return "\n".join(part["text"] for part in parts if "text" in part)
