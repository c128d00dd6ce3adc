"""Tool calls out of a stream: joined from deltas, or found in text where the server left them.

The Transformers engine does not parse tool calls while it streams: they arrive as
``<tool_call>{…}</tool_call>`` in the text. llama.cpp and vLLM send deltas as OpenAI does.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import attrs
from attrs import define, field, frozen

from xinfer.runtime.xinference.answers import ToolCallDelta

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
        another = (piece.id and known.id and piece.id != known.id) or (
            piece.name and known.name and not piece.id and piece.index is None
        )
        return None if another else place

    def __bool__(self) -> bool:
        return any(call.name for call in self._calls)

    def __iter__(self) -> Iterator[ToolCall]:
        """Yield the whole calls; what never got a name is none."""
        for call in self._calls:
            if call.name:
                yield ToolCall(
                    id=call.id or _new_id(),
                    name=call.name,
                    arguments=call.arguments or "{}",
                )


@define
class ToolCallText:
    """Takes the calls out of a text that comes in pieces; no part of one is ever shown.

    What merely looks like a call, because no JSON object follows the tag, stays text.
    """

    _calls: ToolCalls
    _held: str = ""
    _after_call: bool = False

    def feed(self, text: str) -> str:
        """Take a piece in; return what may be shown by now."""
        self._held += text
        return "".join(self._shown())

    def close(self) -> str:
        """Return what was held back and is no call; the beginning of a call is dropped."""
        held, self._held = self._held, ""
        if held.startswith(_OPEN):
            body = held.removeprefix(_OPEN)
            return "" if self._take(body) or body.lstrip().startswith("{") else held
        return held

    def _shown(self) -> Iterator[str]:
        while self._held:
            start = self._held.find(_OPEN)
            if start < 0:
                kept = _beginning_of_tag(self._held)
                yield self._text(self._held[: len(self._held) - kept])
                self._held = self._held[len(self._held) - kept :]
                return
            yield self._text(self._held[:start])
            self._held = self._held[start:]
            body = self._held[len(_OPEN) :]
            if body.strip() and not body.lstrip().startswith("{"):
                yield self._text(_OPEN)
                self._held = body
                continue
            inside, closed, rest = body.partition(_CLOSE)
            if not closed:
                return
            if not self._take(inside):
                yield self._text(_OPEN + inside + _CLOSE)
            self._held = rest

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
        except (ValueError, KeyError, TypeError, AttributeError):
            return False
        if not isinstance(name, str) or not name:
            return False
        if not isinstance(arguments, str):
            arguments = json.dumps(arguments, ensure_ascii=False)
        self._calls.add([ToolCallDelta(id=_new_id(), name=name, arguments=arguments)])
        self._after_call = True
        return True


def _new_id() -> str:
    return f"call_{uuid.uuid4().hex}"


def _beginning_of_tag(text: str) -> int:
    """Count the characters at the end that may begin a tag."""
    longest = min(len(text), len(_OPEN) - 1)
    return next((size for size in range(longest, 0, -1) if _OPEN.startswith(text[-size:])), 0)
