"""How a conversation is arranged for a server: system messages, order of roles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from xinfer.spec import Messages

type Message = dict[str, Any]

_SYSTEM = frozenset({"system", "developer"})


def arrange(messages: list[Message], policy: Messages) -> list[Message]:
    """Apply a policy to messages in OpenAI's form."""
    if policy.system == "none":
        messages = [message for message in messages if message["role"] not in _SYSTEM]
    elif policy.system == "user":
        messages = [
            message | {"role": "user"} if message["role"] in _SYSTEM else message
            for message in messages
        ]
    elif policy.system == "first":
        messages = system_first(messages)
    if policy.drop_empty:
        messages = [m for m in messages if m["content"] or m.get("tool_calls")]
    return list(_merged(messages)) if policy.merge else messages


def system_first(messages: list[Message]) -> list[Message]:
    """Gather what the system says in one message at the beginning."""
    contents = [message["content"] for message in messages if message["role"] in _SYSTEM]
    if not contents:
        return messages
    others = [message for message in messages if message["role"] not in _SYSTEM]
    texts = (text if isinstance(text, str) else _texts(text) for text in contents)
    return [{"role": "system", "content": "\n\n".join(filter(None, texts))}, *others]


def with_instruction(messages: list[Message], instruction: str) -> list[Message]:
    """Add an instruction to the first system message, or as one."""
    if not instruction:
        return messages
    for index, message in enumerate(messages):
        if message["role"] in _SYSTEM and isinstance(message["content"], str):
            content = "\n\n".join(filter(None, (message["content"], instruction)))
            return [*messages[:index], message | {"content": content}, *messages[index + 1 :]]
    return [{"role": "system", "content": instruction}, *messages]


def _texts(parts: list[Message]) -> str:
    return "\n".join(part["text"] for part in parts if "text" in part)


def _merged(messages: list[Message]) -> Iterator[Message]:
    """Join neighbours of one role; calls of tools and their results stay apart."""
    last: Message | None = None
    for message in messages:
        if last is None:
            last = message
        elif message["role"] == last["role"] and _plain(last) and _plain(message):
            last = last | {"content": _joined(last["content"], message["content"])}
        else:
            yield last
            last = message
    if last is not None:
        yield last


def _plain(message: Message) -> bool:
    return message["role"] != "tool" and not message.get("tool_calls")


def _joined(before: Any, after: Any) -> Any:
    if isinstance(before, str) and isinstance(after, str):
        return "\n\n".join(filter(None, (before, after)))
    return [*_parts(before), *_parts(after)]


def _parts(content: Any) -> list[Message]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return list(content)
