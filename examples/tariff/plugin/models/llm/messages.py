"""Dify's messages and tools in OpenAI's shape, and tool calls back."""

from collections.abc import Iterable, Mapping
from typing import Any

from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    ImagePromptMessageContent,
    PromptMessage,
    PromptMessageTool,
    TextPromptMessageContent,
    ToolPromptMessage,
)

ToolCall = AssistantPromptMessage.ToolCall


def message(said: PromptMessage) -> dict[str, Any]:
    """Write a message; raise ``ValueError`` when it holds what the service has no word for."""
    written: dict[str, Any] = {"role": said.role.value, "content": _content(said)}
    if isinstance(said, ToolPromptMessage):
        written["tool_call_id"] = said.tool_call_id
    if isinstance(said, AssistantPromptMessage) and said.tool_calls:
        written["tool_calls"] = [call.model_dump() for call in said.tool_calls]
    return written


def tool(offered: PromptMessageTool) -> dict[str, Any]:
    """Write a tool that the model may call."""
    return {"type": "function", "function": offered.model_dump()}


def _content(said: PromptMessage) -> str | list[dict[str, Any]]:
    if not isinstance(said.content, list):
        return said.content or ""
    return [_part(part) for part in said.content]


def _part(part: Any) -> dict[str, Any]:
    match part:
        case TextPromptMessageContent():
            return {"type": "text", "text": part.data}
        case ImagePromptMessageContent():
            return {
                "type": "image_url",
                "image_url": {"url": part.data, "detail": part.detail.value},
            }
        case _:
            raise ValueError(f"Tariff's models take text and images, not {part.type.value}.")


class ToolCalls:
    """Calls as they come: whole ones, or fragments that only their index holds together."""

    def __init__(self) -> None:
        self._by_index: dict[int, dict[str, str]] = {}

    def take(self, fragments: Iterable[Mapping[str, Any]] | None) -> None:
        """Add what one message, or one piece of a stream, brings."""
        for position, fragment in enumerate(fragments or ()):
            call = self._by_index.setdefault(
                fragment.get("index", position), {"id": "", "name": "", "arguments": ""}
            )
            function = fragment.get("function") or {}
            call["id"] = call["id"] or fragment.get("id") or ""
            call["name"] = call["name"] or function.get("name") or ""
            call["arguments"] += function.get("arguments") or ""

    def whole(self) -> list[ToolCall]:
        """Give the calls in order, once nothing more will come."""
        return [
            ToolCall(
                id=call["id"],
                type="function",
                function=ToolCall.ToolCallFunction(
                    name=call["name"], arguments=call["arguments"] or "{}"
                ),
            )
            for _, call in sorted(self._by_index.items())
        ]
