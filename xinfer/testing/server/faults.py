r"""What goes wrong in servers, proxies and networks, as data.

A fault is an :class:`Answer` to give instead, or a function from the answer that would be given to
another one. Several are applied in order:

.. code-block:: python

    server.next_answer(LOADING)
    server.next_answer(Split(1), LineEnds("\n"), on="/v1/chat/completions")
    server.next_answer(Split(100), Cut(after=3), on="/v1/embeddings")

The pieces that some count are the events of a stream; any other answer is one piece, unless
:class:`Split` came before.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from itertools import cycle, groupby
from typing import Any

from attrs import evolve, frozen

from xinfer.testing.server.answer import (
    DONE,
    WHERE,
    Answer,
    Drop,
    Hold,
    Step,
    crashed,
    event,
    failing,
    refusal,
    whole,
)

type Fault = Answer | Callable[[Answer], Answer]

LOADING = refusal(
    503,
    f"Model is loading, please retry later: {WHERE}Model limited is launching, "
    "not yet ready for inference",
    retry_after="30",
)
"""The model was launched and is not ready."""
TOO_MANY = refusal(429, "Too many requests", retry_after="1")
"""A gateway in front; Xinference sends no ``Retry-After`` with its own 429."""
UNAVAILABLE = whole(b"upstream connect error", "text/plain", 503)
CRASHED = crashed("something is wrong")
BAD_GATEWAY = whole(
    b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", "text/html", 502
)
LOGIN_PAGE = whole(b"<!doctype html><title>Sign in</title>", "text/html; charset=utf-8")
"""200 and a page for people, whatever was asked."""
OTHER_JSON = whole(b'{"status":"ok"}', "application/json")
"""200 and JSON that is neither an answer nor a stream."""
EMPTY = Answer()
"""200 with neither type nor body."""
EMPTY_ERROR = Answer(status=500)


def until_close(answer: Answer) -> Answer:
    """Stream without chunks: the body ends with the connection, as behind some proxies."""
    return evolve(answer, streamed=True, until_close=True)


def rate_limited(answer: Answer) -> Answer:
    """Refuse for the model's request limit: 429, or 200 and an error event in a stream."""
    return failing("Rate limit reached", streaming=answer.streamed, status=429)


def _cut_at(answer: Answer, after: int) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """Return the steps up to some pieces, and the others."""
    pieces = [place for place, step in enumerate(answer.steps) if isinstance(step, bytes)]
    edge = pieces[after] if after < len(pieces) else len(answer.steps)
    return answer.steps[:edge], answer.steps[edge:]


@frozen(kw_only=True)
class Closed:
    """The connection ends before the first byte."""

    reset: bool = False

    def __call__(self, answer: Answer) -> Answer:
        """Return no answer."""
        return evolve(answer, before=(Drop(self.reset),))


@frozen(kw_only=True)
class Cut:
    """The connection ends after some pieces of the body, or amid the last if it has no more."""

    after: int
    reset: bool = False

    def __call__(self, answer: Answer) -> Answer:
        """Return the beginning of the answer; its head promises all of it."""
        begin, rest = _cut_at(answer, self.after)
        if not rest and begin and isinstance(last := begin[-1], bytes):
            begin = (*begin[:-1], last[: len(last) // 2])
        promised = {} if answer.streamed else {"content-length": str(len(answer.body))}
        headers = {**answer.headers, **promised}
        return evolve(answer, headers=headers, steps=(*begin, Drop(self.reset)))


@frozen
class Stall:
    """Nothing comes for some seconds, or until the server stops; then the answer goes on.

    :param after: pieces of the body that come first; ``None`` for not even a head.
    """

    seconds: float = 60.0
    after: int | None = None

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer with the pause."""
        pause = Hold(self.seconds)
        if self.after is None:
            return evolve(answer, before=(*answer.before, pause))
        begin, rest = _cut_at(answer, self.after)
        return evolve(answer, steps=(*begin, pause, *rest))


@frozen
class Paced:
    """Each piece comes some seconds after the one before."""

    seconds: float

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer with the pauses."""
        pause = Hold(self.seconds)
        return evolve(answer, steps=tuple(part for step in answer.steps for part in (pause, step)))


@frozen(init=False)
class Split:
    """The body comes in pieces of these sizes, in bytes and over and over, wherever they cut."""

    sizes: tuple[int, ...]

    def __init__(self, *sizes: int) -> None:
        if min(sizes, default=0) < 1:
            raise ValueError(f"Split{sizes} needs sizes in bytes, each 1 or more.")
        self.__attrs_init__(sizes)

    def __call__(self, answer: Answer) -> Answer:
        """Return the answer in other pieces."""
        return evolve(answer, steps=tuple(self._steps(answer)))

    def _steps(self, answer: Answer) -> Iterator[Step]:
        for steps in (list(run) for _, run in groupby(answer.steps, type)):
            joined = b"".join(step for step in steps if isinstance(step, bytes))
            if not joined:
                yield from steps
            for size in cycle(self.sizes):
                if not joined:
                    break
                yield joined[:size]
                joined = joined[size:]


@frozen
class ErrorEvent:
    """A stream says that something failed, and ends.

    :param error: a text, as Xinference sends it, or an object, as OpenAI does.
    """

    error: Any = "The chat completion request failed. Check the server logs for details."
    after: int = 2

    def __call__(self, answer: Answer) -> Answer:
        """Return the beginning of the stream and the error."""
        begin, _ = _cut_at(answer, self.after)
        return evolve(answer, steps=(*begin, event({"error": self.error})))


@frozen(kw_only=True)
class BrokenLine:
    """Among the events is one whose JSON stops halfway."""

    after: int = 2

    def __call__(self, answer: Answer) -> Answer:
        """Return the stream with one more line."""
        begin, rest = _cut_at(answer, self.after)
        return evolve(answer, steps=(*begin, event('{"id": "chat1", "choices": [{"ind'), *rest))


@frozen
class LineEnds:
    """The lines of a stream end otherwise than in CRLF."""

    end: str

    def __call__(self, answer: Answer) -> Answer:
        """Return the stream with other ends."""
        return _each_piece(answer, lambda piece: piece.replace(b"\r\n", self.end.encode()))


def _each_piece(answer: Answer, change: Callable[[bytes], bytes]) -> Answer:
    steps = (change(step) if isinstance(step, bytes) else step for step in answer.steps)
    return evolve(answer, steps=tuple(steps))


def commented(answer: Answer) -> Answer:
    """Put the other lines of server-sent events around the data, a ping among them."""
    ping = b": ping - 2026-11-22 06:00:00+00:00\r\n\r\n"
    fields = b"event: message\r\nid: 1\r\nretry: 1000\r\n"
    return _each_piece(answer, lambda piece: ping + fields + piece)


def without_done(answer: Answer) -> Answer:
    """Let a stream end without ``[DONE]``."""
    done = event(DONE)
    return evolve(answer, steps=tuple(step for step in answer.steps if step != done))


@frozen
class Edited:
    """The JSON of an answer, or of each event of a stream, is changed.

    :param change: changes an object in place.
    """

    change: Callable[[dict[str, Any]], None]

    def __call__(self, answer: Answer) -> Answer:
        """Return the changed answer."""
        return _each_piece(answer, self._event if answer.streamed else self._whole)

    def _whole(self, piece: bytes) -> bytes:
        value = json.loads(piece)
        self.change(value)
        return json.dumps(value, ensure_ascii=False).encode()

    def _event(self, piece: bytes) -> bytes:
        data = piece.removeprefix(b"data: ")
        return event(self._whole(data).decode()) if data.startswith(b"{") else piece


@frozen(init=False)
class Scores:
    """A reranking's scores are these, best document first; the last one for all that follow."""

    values: tuple[Any, ...]

    def __init__(self, *values: Any) -> None:
        self.__attrs_init__(values)

    def __call__(self, answer: Answer) -> Answer:
        """Return the changed answer."""
        return Edited(self._change)(answer)

    def _change(self, value: dict[str, Any]) -> None:
        for place, result in enumerate(value["results"]):
            result["relevance_score"] = self.values[min(place, len(self.values) - 1)]


def _plain_documents(value: dict[str, Any]) -> None:
    for result in value["results"]:
        result["document"] = result["document"] and result["document"]["text"]


def _without_usage(value: dict[str, Any]) -> None:
    value.pop("usage", None)


def _reasoning(value: dict[str, Any]) -> None:
    for choice in value.get("choices") or ():
        for message in (choice.get("delta"), choice.get("message")):
            if message and "reasoning_content" in message:
                message["reasoning"] = message.pop("reasoning_content")


def _nan_vector(value: dict[str, Any]) -> None:
    first = value["data"][0]
    if isinstance(first["embedding"], str):
        packed = struct.pack("<f", float("nan")) + base64.b64decode(first["embedding"])[4:]
        first["embedding"] = base64.b64encode(packed).decode()
    else:
        first["embedding"][0] = float("nan")


def _null_vector(value: dict[str, Any]) -> None:
    value["data"][0]["embedding"] = None


PLAIN_DOCUMENTS = Edited(_plain_documents)
"""A reranking's documents are texts, as older servers send them."""
WITHOUT_USAGE = Edited(_without_usage)
REASONING_KEY = Edited(_reasoning)
"""Thoughts are in ``reasoning``, as newer vLLM sends them."""
MISSING_VECTOR = Edited(lambda value: value["data"].pop())
EXTRA_VECTOR = Edited(lambda value: value["data"].append({**value["data"][-1]}))
NAN_VECTOR = Edited(_nan_vector)
"""The first number is NaN; among JSON numbers Python writes ``NaN``."""
NULL_VECTOR = Edited(_null_vector)
REVERSED_VECTORS = Edited(lambda value: value["data"].reverse())
"""The last vector first; ``index`` still tells which is which."""
