"""An answer of chat or completion, whole or in pieces, off the body that brings it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import requests
from attrs import evolve

from xinfer.runtime.openai import answers, fixes, limits
from xinfer.runtime.openai.answers import ChatChunk
from xinfer.runtime.openai.body import Body, json_value, reading
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.events import Events, TooLong
from xinfer.runtime.openai.reasoning import Reasoning, answered
from xinfer.runtime.openai.text import Pieces

type Change = Callable[[list[Any]], list[Any]]
"""What a plugin changes about events before they are read."""


def whole_answer(answer: Any, call: Call, change: Change) -> ChatChunk:
    """Read an answer that comes at once."""
    (changed,) = change([answer])
    if not isinstance(changed, dict):
        raise call.unreadable("something unexpected", "意料之外的内容")
    if error := answers.error_in(changed):
        raise call.answered_error(error)
    if not isinstance(changed.get("choices"), list):
        raise call.unreadable("without choices", "不含 choices 的内容")
    return answered(answers.chat_chunk(changed))


def pieces_of(
    response: requests.Response, call: Call, change: Change, reasoning: Reasoning
) -> Iterator[list[ChatChunk]]:
    """Read an answer that comes in pieces; those that arrived together are yielded together.

    Servers that answer at once all the same send one JSON value, whatever they call it.
    """
    with reading(response, call, limits.STREAM) as body:
        arriving = iter(body)
        first = _beginning(arriving)
        if first.lstrip()[:1] == b"{":
            yield [whole_answer(json_value(_rest(first, arriving, call), call), call, change)]
            return
        try:
            yield from _events(chain([first], arriving), body, call, change, reasoning)
        except TooLong:
            raise call.failed(fixes.too_large(limits.EVENT)) from None


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
            raise call.failed(fixes.too_large(limits.ANSWER))
    return b"".join(parts)


def _events(
    pieces: Iterator[bytes], body: Body, call: Call, change: Change, reasoning: Reasoning
) -> Iterator[list[ChatChunk]]:
    events, texts = Events(), _Texts()
    began = finished = answers_something = False
    idle = 0
    for arrived in chain(pieces, (None,)):
        values = events.close() if arrived is None else events.feed(arrived)
        idle += len(arrived or b"")
        chunks = [texts.whole(chunk) for chunk in _chunks(change(values), call)]
        began = began or bool(chunks)
        if any(map(_has_content, chunks)):
            idle, answers_something = 0, True
            body.content()
        elif idle > limits.EVENT:
            raise call.failed(fixes.NO_CONTENT)
        if chunks:
            finished = finished or any(chunk.finish_reason for chunk in chunks)
            yield [reasoning.sort(chunk) for chunk in chunks]
        if events.ended:
            break
    if rest := texts.close():
        yield [reasoning.sort(rest)]
    if not began:
        raise call.unreadable("without any event of a stream", "不含任何事件的流")
    if not (finished or events.ended):
        raise call.failed(fixes.BROKE_OFF)
    if not (finished or answers_something):
        raise call.failed(fixes.EMPTY)


def _has_content(chunk: ChatChunk) -> bool:
    return bool(chunk.text or chunk.reasoning or chunk.tool_calls or chunk.finish_reason)


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


class _Texts:
    """Makes whole what was cut inside a character, in the text and in the thoughts."""

    def __init__(self) -> None:
        self._text, self._reasoning = Pieces(), Pieces()

    def whole(self, chunk: ChatChunk) -> ChatChunk:
        text, reasoning = self._text.feed(chunk.text), self._reasoning.feed(chunk.reasoning)
        if text == chunk.text and reasoning == chunk.reasoning:
            return chunk
        return evolve(chunk, text=text, reasoning=reasoning)

    def close(self) -> ChatChunk | None:
        text, reasoning = self._text.close(), self._reasoning.close()
        return ChatChunk(text=text, reasoning=reasoning) if text or reasoning else None
