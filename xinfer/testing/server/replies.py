"""What the fake server's language models say: friendly, and the same for the same question.

Words in the last message choose the reply: ``count`` (``count to 5``), ``json`` and ``unicode``;
``two`` asks for two tool calls at once. Anything else is greeted and repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from xinfer.testing.server.tokens import Kind, Token, split

THOUGHT = "The user said something.\nI should greet them politely."
_UNICODE = 'He said "hi" — 你好 😀\nline two'
_MOST = 100_000
"""The largest number to count to."""
_LONGEST_EXCERPT = 200
"""Characters of a message that are repeated."""
_COUNT = re.compile(r"\bcount\b(?: to (\d+))?")
_CITIES = ("Paris", "London")

type Body = Mapping[str, Any]


@frozen
class Call:
    """A tool to call; ``arguments`` is an object."""

    name: str
    arguments: Mapping[str, Any]


@frozen(kw_only=True)
class Reply:
    """An answer before an engine writes it.

    :param calls: tools to call, after the text.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()

    def tokens(self) -> Iterator[Token]:
        """Yield what a model of the Qwen family would generate for this answer."""
        if self.reasoning:
            yield from _cut("<think>\n", Kind.MARK)
            yield from _cut(f"{self.reasoning}\n", Kind.REASONING)
            yield from _cut("</think>\n\n", Kind.MARK)
        yield from _cut(self.text, Kind.TEXT)
        for position, call in enumerate(self.calls):
            if position or self.text:
                yield from _cut("\n", Kind.MARK)
            head = f'<tool_call>\n{{"name": {json.dumps(call.name)}, "arguments": '
            arguments = json.dumps(call.arguments, ensure_ascii=False)
            yield from _cut(head, Kind.CALL, position)
            yield from _cut(arguments, Kind.ARGUMENTS, position)
            yield from _cut("}\n</tool_call>", Kind.MARK)


def _cut(text: str, kind: Kind, call: int = 0) -> Iterator[Token]:
    return (Token(piece, kind, call) for piece in split(text))


def greet(body: Body) -> Reply:
    """Answer a chat: a tool's result is told, a tool is called, a message is repeated."""
    last = body["messages"][-1]
    text = text_of(last)
    if last.get("role") == "tool":
        return Reply(text=f"{_called(body['messages'], last)} says: {text}")
    if body.get("tools"):
        return Reply(calls=tuple(_calls(body, text)))
    if schema := _asked_format(body):
        return Reply(text=json.dumps(schema(text), ensure_ascii=False))
    return Reply(text=_media_in(last) + reply(text))


def complete(body: Body) -> Reply:
    """Answer a completion: as to a user who wrote the prompt."""
    return Reply(text=reply(body["prompt"]))


def reply(text: str) -> str:
    """Return the reply to a text."""
    if counted := _COUNT.search(text.lower()):
        return " ".join(str(n) for n in range(1, min(int(counted[1] or 60), _MOST) + 1))
    if "unicode" in text:
        return _UNICODE
    if "json" in text:
        return '{"answer": 42, "ok": true}'
    excerpt = text if len(text) <= _LONGEST_EXCERPT else f"{text[:_LONGEST_EXCERPT]}…"
    echo = f'You said: "{excerpt}". ' if text.strip() else ""
    return f"Hello! {echo}I am a fake Xinference."


def text_of(message: Body) -> str:
    """Return the text of a message, which may come in parts or be missing."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part.get("type") == "text")


_MEDIA = {"image_url": "image", "video_url": "video", "audio_url": "recording"} | {
    "input_audio": "recording"
}


def _media_in(message: Body) -> str:
    """Return what is said of the pictures and recordings in a message."""
    content = message.get("content")
    kinds = [_MEDIA.get(part.get("type")) for part in content] if isinstance(content, list) else []
    counts = {kind: kinds.count(kind) for kind in kinds if kind}
    return "".join(f"I got {n} {kind}{'s' * (n > 1)}. " for kind, n in counts.items())


def _called(messages: Sequence[Body], result: Body) -> str:
    """Return the name of the tool that a result is of."""
    names = {
        call.get("id"): call["function"]["name"]
        for message in messages
        for call in message.get("tool_calls") or ()
    }
    return str(names.get(result.get("tool_call_id")) or result.get("name") or "The tool")


def _calls(body: Body, text: str) -> Iterator[Call]:
    choice = body.get("tool_choice")
    tools = [tool["function"] for tool in body["tools"]]
    if isinstance(choice, Mapping):
        tools = [tool for tool in tools if tool["name"] == choice["function"]["name"]] or tools
    names = re.findall(r"(?<!^)\b[A-Z]\w+", text)
    values = [*names, *(city for city in _CITIES if city not in names)]
    for number in range(2 if "two" in text.split() else 1):
        tool = tools[number % len(tools)]
        schema = tool.get("parameters") or {}
        yield Call(tool["name"], instance({"type": "object", **schema}, values[number]))


def _asked_format(body: Body) -> Callable[[str], Any] | None:
    format_ = body.get("response_format") or {}
    if format_.get("type") == "json_schema":
        schema = format_["json_schema"].get("schema") or {}
        return lambda text: instance(schema, text)
    if format_.get("type") == "json_object":
        return lambda text: {"answer": text, "ok": True}
    return None


_PLAIN: Mapping[str, Any] = {
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "array": [],
    "null": None,
}


def instance(schema: Body, text: str) -> Any:
    """Return a value of a JSON schema; a free string in it is ``text``."""
    if options := schema.get("enum"):
        return options[0]
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        properties: Body = schema.get("properties") or {}
        names: Iterable[str] = schema.get("required") or properties
        return {name: instance(properties.get(name) or {"type": "string"}, text) for name in names}
    return _PLAIN.get(kind, text)
