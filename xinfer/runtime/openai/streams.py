"""Read an answer of chat or completion from a body, whole or in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import requests
from attrs import evolve

from xinfer.runtime.openai import answers, failures, limits
from xinfer.runtime.openai.answers import ChatChunk, ToolCallDelta
from xinfer.runtime.openai.body import Body, json_value, reading
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.events import Events, TooLong
from xinfer.runtime.openai.notations import schemas
from xinfer.runtime.openai.reasoning import Reasoning, final_answer, untagged
from xinfer.runtime.openai.text import Pieces
from xinfer.runtime.openai.tool_text import ToolCallText

type Change = Callable[[list[Any]], list[Any]]
"""What a plugin changes about events before they are read."""


class Reader:
    """Reads the pieces of one answer as they were meant.

    :param body: of the request.
    :param always_thinks: see :class:`~xinfer.runtime.openai.reasoning.Reasoning`.
    """

    def __init__(self, body: Mapping[str, Any], *, always_thinks: bool = False) -> None:
        self._talks = "messages" in body
        self._reasoning = Reasoning(body.get("enable_thinking") is False, always_thinks)
        tools = body.get("tools")
        # Only who was offered tools can mean a call by text that looks like one.
        self._calls = ToolCallText(schemas(tools)) if tools else None
        self._counted = False

    def piece(self, chunk: ChatChunk) -> ChatChunk:
        """Read a piece."""
        if self._talks:
            chunk = self._with_calls(self._reasoning.sort(chunk))
        if chunk.usage is not None:
            # Some servers count higher in a later piece, which they bill to nobody.
            chunk = evolve(chunk, usage=None) if self._counted else chunk
            self._counted = self._counted or chunk.finish_reason is not None
        return chunk

    def rest(self) -> ChatChunk:
        """Return what was held back."""
        rest = self._reasoning.close() or ChatChunk()
        if not self._calls:
            return rest
        rest = self._with_calls(rest)
        text, calls = self._calls.close()
        return evolve(rest, text=rest.text + text, tool_calls=(*rest.tool_calls, *calls))

    def whole(self, chunk: ChatChunk) -> ChatChunk:
        """Read an answer that is one piece."""
        if not self._talks:
            return chunk
        chunk = self._with_calls(untagged(chunk))
        if self._calls:
            text, calls = self._calls.close()
            chunk = evolve(chunk, text=chunk.text + text, tool_calls=(*chunk.tool_calls, *calls))
        return final_answer(chunk)

    def _with_calls(self, chunk: ChatChunk) -> ChatChunk:
        if self._calls is None or not chunk.text:
            return chunk
        text, calls = self._calls.feed(chunk.text)
        if text == chunk.text and not calls:
            return chunk
        return evolve(chunk, text=text, tool_calls=(*chunk.tool_calls, *calls))


def whole_answer(answer: Any, call: Call, change: Change, reader: Reader) -> ChatChunk:
    """Read an answer that comes at once."""
    (changed,) = change([answer])
    if not isinstance(changed, dict):
        raise call.unreadable("something unexpected", "意料之外的内容")
    if error := answers.error_in(changed):
        raise call.answered_error(error)
    if not isinstance(changed.get("choices"), list):
        raise call.unreadable("without choices", "不含 choices 的内容")
    arrived = _Arrived(call)
    chunk = arrived.take(answers.chat_chunk(changed))
    if rest := arrived.rest():
        chunk = evolve(chunk, text=chunk.text + rest.text)
    return reader.whole(chunk)


def pieces_of(
    response: requests.Response, call: Call, change: Change, reader: Reader
) -> Iterator[list[ChatChunk]]:
    """Read an answer that comes in pieces; those that arrived together are yielded together.

    Servers that answer at once all the same send one JSON value, whatever they call it.
    """
    with reading(response, call, limits.STREAM) as body:
        arriving = iter(body)
        first = _beginning(arriving)
        if first.lstrip()[:1] == b"{":
            whole = json_value(_rest(first, arriving, call), call)
            yield [whole_answer(whole, call, change, reader)]
            return
        try:
            yield from _events(chain([first], arriving), body, call, change, reader)
        except TooLong:
            raise call.failed(failures.too_large(limits.EVENT)) from None


def joined(pieces: Iterator[list[ChatChunk]]) -> ChatChunk:
    """Make one piece of all, as an answer that was asked for at once."""
    chunks = [chunk for group in pieces for chunk in group]
    if len(chunks) == 1:
        return chunks[0]
    return ChatChunk(
        text="".join(chunk.text for chunk in chunks),
        reasoning="".join(chunk.reasoning for chunk in chunks),
        tool_calls=tuple(call for chunk in chunks for call in chunk.tool_calls),
        finish_reason=next((c.finish_reason for c in chunks if c.finish_reason), None),
        usage=next((c.usage for c in reversed(chunks) if c.usage), None),
    )


def _beginning(pieces: Iterator[bytes]) -> bytes:
    """Read until there is more than blanks."""
    read = b""
    for piece in pieces:
        read += piece
        if read.strip() or len(read) > limits.PIECE:
            break
    return read


def _rest(first: bytes, pieces: Iterator[bytes], call: Call) -> bytes:
    parts, size = [first], len(first)
    for piece in pieces:
        parts.append(piece)
        size += len(piece)
        if size > limits.ANSWER:
            raise call.failed(failures.too_large(limits.ANSWER))
    return b"".join(parts)


def _events(
    pieces: Iterator[bytes], body: Body, call: Call, change: Change, reader: Reader
) -> Iterator[list[ChatChunk]]:
    events, answer = Events(), _Arrived(call)
    idle = 0
    for arrived in chain(pieces, (None,)):
        values = events.close() if arrived is None else events.feed(arrived)
        content = answer.content
        chunks = [answer.take(chunk) for chunk in _chunks(change(values), call)]
        if answer.content > content:
            idle = 0
            body.content()
        elif arrived:
            idle += len(arrived)
            if idle > limits.EVENT:
                raise call.failed(failures.NO_CONTENT)
        if chunks:
            yield [reader.piece(chunk) for chunk in chunks]
        if events.ended:
            break
    rest = [reader.piece(answer.rest() or ChatChunk()), reader.rest()]
    if any(chunk.shows for chunk in rest):
        yield rest
    if not answer.pieces:
        raise call.unreadable("without any event of a stream", "不含任何事件的流")
    if not (answer.finished or events.ended):
        raise call.failed(failures.BROKE_OFF)
    if not (answer.finished or answer.content):
        raise call.failed(failures.EMPTY)


def _chunks(values: list[Any], call: Call) -> list[ChatChunk]:
    """Read events; text that arrived together, with nothing in between, is one chunk."""
    chunks: list[ChatChunk] = []
    texts: list[str] = []
    for value in values:
        if not isinstance(value, dict):
            continue
        text = answers.plain_text(value)
        if text is not None:
            texts.append(text)
            continue
        if error := answers.error_in(value):
            raise call.broke_off_with(error)
        if texts:
            chunks.append(ChatChunk(text="".join(texts)))
            texts.clear()
        chunks.append(answers.chat_chunk(value))
    if texts:
        chunks.append(ChatChunk(text="".join(texts)))
    return chunks


class _Arrived:
    """The answer so far: joins characters that were cut, and counts pieces and content.

    :ivar pieces: how many there were.
    :ivar content: how many of them brought something of the answer, or its end.
    :ivar finished: one of them told why the answer ends.
    """

    def __init__(self, call: Call) -> None:
        self.pieces = self.content = 0
        self.finished = False
        self._call, self._calls, self._size = call, 0, 0
        self._text, self._reasoning = Pieces(), Pieces()

    def take(self, chunk: ChatChunk) -> ChatChunk:
        """Add a piece; return the part that can be passed on."""
        text = chunk.text and self._text.feed(chunk.text)
        reasoning = chunk.reasoning and self._reasoning.feed(chunk.reasoning)
        if text != chunk.text or reasoning != chunk.reasoning:
            chunk = evolve(chunk, text=text, reasoning=reasoning)
        if chunk.tool_calls:
            self._bound(chunk.tool_calls)
        self.pieces += 1
        if chunk.finish_reason:
            self.finished = True
        if chunk.shows or chunk.finish_reason:
            self.content += 1
        return chunk

    def rest(self) -> ChatChunk | None:
        """Return what was held back."""
        text, reasoning = self._text.close(), self._reasoning.close()
        return ChatChunk(text=text, reasoning=reasoning) if text or reasoning else None

    def _bound(self, deltas: tuple[ToolCallDelta, ...]) -> None:
        """Refuse more calls of tools than can be kept until the answer's end."""
        for delta in deltas:
            self._calls += bool(delta.name)
            self._size += len(delta.arguments)
        if self._calls > limits.TOOL_CALLS:
            raise self._call.failed(failures.TOO_MANY_CALLS)
        if self._size > limits.EVENT:
            raise self._call.failed(failures.too_large(limits.EVENT))
