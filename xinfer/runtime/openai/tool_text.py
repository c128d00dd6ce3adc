"""Extract the tool calls that a server left in the text, as it arrives.

A text is taken for a call only where tools were offered; what merely looks like a call stays text.
"""

from __future__ import annotations

import json
import re
from typing import Any

from attrs import define, field

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.answers import ToolCallDelta
from xinfer.runtime.openai.notations import BARE, NOTATIONS, Form, Notation, Schemas
from xinfer.runtime.openai.tool_calls import new_id

_FIRST = re.compile("|".join(re.escape(notation.mark) for notation in NOTATIONS))
_PIECE = 4096
"""Characters that are looked at together."""
_LONGEST_MARK = max(len(notation.mark) for notation in NOTATIONS)


@define
class ToolCallText:
    """Takes calls out of a text that comes in pieces; no part of one is ever shown.

    A JSON call ends where its braces do: its texts may hold the closing tag, and a model may
    forget that tag.
    """

    tools: Schemas
    _pending: str = field(default="", init=False)
    """Text that may begin a call."""
    _notation: Notation | None = field(default=None, init=False)
    _form: Form | None = field(default=None, init=False)
    _block: _Block | None = field(default=None, init=False)
    _at_beginning: bool = field(default=True, init=False)
    _behind: Notation | None = field(default=None, init=False)
    """Of the call that ended just now."""

    def feed(self, text: str) -> tuple[str, list[ToolCallDelta]]:
        """Add a piece; return the text that can be shown, and the calls that are complete."""
        visible: list[str] = []
        calls: list[ToolCallDelta] = []
        # What is behind a mark is copied at each one: in short pieces the work stays linear.
        for start in range(0, len(text), _PIECE):
            self._feed(text[start : start + _PIECE], visible, calls)
        return "".join(visible), calls

    def _feed(self, text: str, visible: list[str], calls: list[ToolCallDelta]) -> None:
        while text:
            if self._block is not None:
                text = self._in_call(text, visible, calls)
                continue
            text = self._pending + text
            self._pending = ""
            if self._notation is None and not (text := self._outside(text, visible)):
                break
            text = self._enter(text, visible)

    def close(self) -> tuple[str, list[ToolCallDelta]]:
        """Return what was held back; the beginning of a call that was cut off is dropped."""
        visible: list[str] = []
        calls: list[ToolCallDelta] = []
        while self._block is not None:
            rest = self._end_of_block(visible, calls)
            if rest is None:
                break
            text, more = self.feed(rest)
            visible.append(text)
            calls += more
        text, self._pending = self._pending, ""
        if not (self._behind and (not text.strip() or self._is_close(text.lstrip()))):
            visible.append((self._notation.mark if self._notation else "") + text)
        return "".join(visible), calls

    def _end_of_block(self, visible: list[str], calls: list[ToolCallDelta]) -> str | None:
        """End a call that has no end; return what may stand behind it."""
        notation, form, block = self._notation, self._form, self._block
        if notation is None or form is None or block is None:
            return None
        self._block = None
        if form.enough:
            if block.text.rstrip().endswith(form.enough):
                self._read(block.text, visible, calls)
            self._notation = None
            return ""
        close = next((close for close in notation.close if close in block.text), None)
        self._notation = None
        if close is None and notation.mark:
            return ""
        # Braces that do not match, and perhaps more behind them; or JSON that is not a call.
        inside, close, rest = block.text.partition(close or "\0")
        self._show(notation.mark + inside + close, visible)
        return rest

    def _outside(self, text: str, visible: list[str]) -> str:
        """Show what stands before the next mark; return what stands behind it."""
        if self._behind is not None:
            stripped = text.lstrip()
            for close in self._behind.close:
                if stripped.startswith(close):
                    return self._outside(stripped.removeprefix(close), visible)
            if not stripped or self._is_close(stripped):
                self._pending = stripped
                return ""
            text = stripped
        if self._at_beginning or self._behind is not None:
            form = BARE.forms[0]
            if form.begins.match(text):
                self._notation = BARE
                return text
            if len(text) <= limits.NAME and form.may_begin.match(text):
                self._pending = text
                return ""
        mark = _FIRST.search(text)
        if mark is None:
            size = len(text) - _may_begin_mark(text)
            self._pending = text[size:]
            self._show(text[:size], visible)
            return ""
        self._show(text[: mark.start()], visible)
        self._notation = next(notation for notation in NOTATIONS if notation.mark == mark[0])
        rest = text[mark.end() :]
        if not rest:
            self._pending = ""
        return rest

    def _enter(self, text: str, visible: list[str]) -> str:
        """Find the form of what stands behind a mark; return it, to be read as a call."""
        notation = self._notation
        if notation is None:
            return text
        for form in notation.forms:
            match = form.begins.match(text)
            if match and match.groupdict().get("name", "") in ("", *self.tools):
                at_brace = match[0][-1:] in ("{", "[")
                start = match.end() - 1 if at_brace else max(text.find("{"), 0)
                self._form, self._block = form, _Block(form.end, start)
                return text
        if len(text) <= limits.NAME and any(form.may_begin.match(text) for form in notation.forms):
            self._pending = text
            return ""
        self._show(notation.mark, visible)
        self._notation = None
        return text

    def _in_call(self, text: str, visible: list[str], calls: list[ToolCallDelta]) -> str:
        block = self._block
        assert block is not None  # noqa: S101 (the caller looked)
        end = block.feed(text)
        if end is None:
            return ""
        self._block = None
        self._read(block.text, visible, calls)
        return text[end:]

    def _read(self, text: str, visible: list[str], calls: list[ToolCallDelta]) -> None:
        notation, form = self._notation, self._form
        self._notation = self._form = None
        if notation is None or form is None:
            return
        try:
            parsed = form.read(text, self.tools)
        except (ValueError, KeyError, TypeError, RecursionError):
            parsed = []
        if not parsed:
            self._show(notation.mark + text, visible)
            return
        calls += [_delta(name, arguments) for name, arguments in parsed]
        self._behind = notation

    def _show(self, text: str, visible: list[str]) -> None:
        if text:
            visible.append(text)
            if text.strip():
                self._at_beginning, self._behind = False, None

    def _is_close(self, text: str) -> bool:
        closes = self._behind.close if self._behind else ()
        return any(close.startswith(text) for close in closes)


@define
class _Block:
    """A call that comes in pieces, and perhaps other text behind it."""

    _end: str
    _skipped: int
    """Characters in front of the first brace."""
    _pieces: list[str] = field(factory=list)
    _depth: int = 0
    _in_text: bool = False
    _escaped: bool = False

    @property
    def text(self) -> str:
        """All that was taken in, up to the end of the call."""
        return "".join(self._pieces)

    def feed(self, text: str) -> int | None:
        """Take a piece in; return where in it the call ends, if it does."""
        end = self._literal_end(text) if self._end else self._object_end(text)
        self._pieces.append(text if end is None else text[:end])
        return end

    def _literal_end(self, text: str) -> int | None:
        before = ""
        for piece in reversed(self._pieces):
            before = (piece + before)[-len(self._end) + 1 :]
            if len(before) >= len(self._end) - 1:
                break
        at = (before + text).find(self._end)
        return None if at < 0 else at + len(self._end) - len(before)

    def _object_end(self, text: str) -> int | None:
        place = int(self._escaped) if self._pieces else self._skipped
        self._escaped = False
        while mark := _MARK.search(text, place):
            place = mark.end()
            if mark[0] == "\\":
                self._escaped = place == len(text)
                place += 1
            elif mark[0] == '"':
                self._in_text = not self._in_text
            elif not self._in_text:
                self._depth += 1 if mark[0] in "{[" else -1
                if self._depth <= 0:
                    return place
        return None


_MARK = re.compile(r'["\\{}\[\]]')


def _may_begin_mark(text: str) -> int:
    """Count the characters at the end that may begin a mark."""
    tail = text[1 - _LONGEST_MARK :]
    for mark in re.finditer(r"[<\[]", tail):
        if any(notation.mark.startswith(tail[mark.start() :]) for notation in NOTATIONS):
            return len(tail) - mark.start()
    return 0


def _delta(name: str, arguments: Any) -> ToolCallDelta:
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False)
    return ToolCallDelta(id=new_id(), name=name, arguments=arguments)
