"""Tool calls out of a stream: joined from deltas, or found in text where the server left them.

The Transformers engine does not parse tool calls while it streams: they arrive as
``<tool_call>{…}</tool_call>`` in the text. llama.cpp and vLLM send deltas as OpenAI does.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Generator, Iterable, Iterator
from typing import Any

import attrs
from attrs import define, field, frozen

from xinfer.runtime.openai.answers import ToolCallDelta
from xinfer.runtime.openai.text import whole

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"


@frozen(kw_only=True)
class ToolCall:
    """A call that a model wants made; the arguments are JSON text."""

    id: str
    name: str
    arguments: str


@define
class ToolCalls:
    """Gathers the pieces of calls, in the order in which the calls began."""

    _calls: list[ToolCallDelta] = field(factory=list)
    _places: dict[int, int] = field(factory=dict)

    def add(self, pieces: Iterable[ToolCallDelta]) -> None:
        """Take pieces in; one without an index goes on with the last call, or begins one."""
        for piece in pieces:
            place = self._place(piece)
            if place is None:
                if piece.index is not None:
                    self._places[piece.index] = len(self._calls)
                self._calls.append(piece)
            else:
                known = self._calls[place]
                self._calls[place] = attrs.evolve(
                    known,
                    id=known.id or piece.id,
                    name=known.name or piece.name,
                    arguments=known.arguments + piece.arguments,
                )

    def _place(self, piece: ToolCallDelta) -> int | None:
        last = len(self._calls) - 1
        place = self._places.get(piece.index) if piece.index is not None else last
        if place is None or place < 0:
            return None
        known = self._calls[place]
        # Some servers give every call the same index, or none: a new id or name begins a new one.
        if piece.id and known.id:
            return place if piece.id == known.id else None
        named_anew = piece.name and known.name and not piece.id
        return None if named_anew and (piece.index is None or piece.name != known.name) else place

    def __bool__(self) -> bool:
        return any(call.name for call in self._calls)

    def __iter__(self) -> Iterator[ToolCall]:
        """Yield the whole calls; what never got a name is none."""
        for call in self._calls:
            if call.name:
                yield ToolCall(
                    id=call.id or _new_id(),
                    name=call.name,
                    arguments=whole(call.arguments) or "{}",
                )


@define
class ToolCallText:
    """Takes the calls out of a text that comes in pieces; no part of one is ever shown.

    What merely looks like a call, because no JSON object follows the tag, stays text. The object
    ends where its braces do: its texts may hold the closing tag, and a model may forget that tag.
    """

    _calls: ToolCalls
    _held: str = ""
    _object: _Object | None = None
    _after_call: bool = False

    def feed(self, text: str) -> str:
        """Take a piece in; return what may be shown by now."""
        return "".join(self._shown(text))

    def close(self) -> str:
        """Return what was held back and is no call; the beginning of a call is dropped."""
        shown = []
        while self._object is not None:
            inside, closed, rest = self._object.text.partition(_CLOSE)
            self._object = None
            if closed:  # braces that do not match, and perhaps more behind them
                shown += [self._text(_OPEN + inside + closed), self.feed(rest)]
        held, self._held = self._held, ""
        return "".join([*shown, "" if self._after_call else held])

    def _shown(self, text: str) -> Iterator[str]:
        while text:
            if self._object is None:
                text = yield from self._up_to_object(self._held + text)
            if self._object is None:
                continue
            end = self._object.feed(text)
            if end is None:
                return
            inside, self._object = self._object.text, None
            if not self._take(inside):
                yield self._text(_OPEN + inside)
            text = text[end:]

    def _up_to_object(self, text: str) -> Generator[str, None, str]:
        """Yield what stands before the next JSON object behind a tag; return what is left."""
        self._held = ""
        if self._after_call:
            text = text.lstrip()
            if text.startswith(_CLOSE):
                return text.removeprefix(_CLOSE)
            if _CLOSE.startswith(text):
                self._held = text
                return ""
        before, tag, behind = text.partition(_OPEN)
        if not tag:
            shown = len(text) - _beginning_of_tag(text)
            self._held = text[shown:]
            yield self._text(text[:shown])
            return ""
        yield self._text(before)
        body = behind.lstrip()
        if not body:
            self._held = _OPEN + behind
            return ""
        if body.startswith("{"):
            self._object = _Object()
            return behind
        yield self._text(_OPEN)
        return behind

    def _text(self, text: str) -> str:
        """Leave out the blank lines between and behind calls."""
        shown = text.lstrip() if self._after_call else text
        if shown:
            self._after_call = False
        return shown

    def _take(self, body: str) -> bool:
        try:
            call: Any = json.loads(body)
            name, arguments = call["name"], call.get("arguments", {})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return False
        if not isinstance(name, str) or not name:
            return False
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        self._calls.add([ToolCallDelta(id=_new_id(), name=name, arguments=arguments)])
        self._after_call = True
        return True


@define
class _Object:
    """A JSON object that comes in pieces, and perhaps other text behind it."""

    _pieces: list[str] = field(factory=list)
    _depth: int = 0
    _in_text: bool = False
    _escaped: bool = False

    @property
    def text(self) -> str:
        """All that was taken in, up to the end of the object."""
        return "".join(self._pieces)

    def feed(self, text: str) -> int | None:
        """Take a piece in; return where in it the object ends, if it does."""
        place = int(self._escaped)
        self._escaped = False
        while mark := _MARK.search(text, place):
            place = mark.end()
            if mark[0] == "\\":
                self._escaped = place == len(text)
                place += 1
            elif mark[0] == '"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += 1 if mark[0] == "{" else -1
                if not self._depth:
                    self._pieces.append(text[:place])
                    return place
        self._pieces.append(text)
        return None


_MARK = re.compile(r'["\\{}]')


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex}"


def _beginning_of_tag(text: str) -> int:
    """Count the characters at the end that may begin a tag."""
    longest = min(len(text), len(_OPEN) - 1)
    return next((size for size in range(longest, 0, -1) if _OPEN.startswith(text[-size:])), 0)
