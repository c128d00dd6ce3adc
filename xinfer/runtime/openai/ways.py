"""Other ways to ask a model that refuses a request; those that helped are remembered.

Nothing tells beforehand that a chat template takes a system message in first place only, that an
engine calls tools only without streaming, or that a version fails on one of its two ways to
answer. A refused call has shown nothing, so it is asked again, once in each way that its words
suggest.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from attrs import define, field, frozen

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.answers import ChatChunk
from xinfer.runtime.openai.connection import backoff
from xinfer.runtime.openai.conversation import system_first
from xinfer.runtime.openai.errors import CallError, RateLimited, ServerUnavailable

type Body = dict[str, Any]


@frozen(kw_only=True)
class Way:
    """Another way to ask.

    :param name: by which it is remembered.
    :param words: a pattern for the words of a refusal that it may help against.
    :param change: from the body of the request to the one that is sent instead.
    :param needs: a key of the body without which it changes nothing.
    :param switch: ask for an answer at once instead of in pieces.
    """

    name: str
    words: re.Pattern[str]
    change: Callable[[Body], Body] = lambda body: body
    needs: str = ""
    switch: bool = False

    def may_help(self, error: CallError, body: Body, *, stream: bool) -> bool:
        """Return whether this way may help against a refusal."""
        changes = not self.needs or bool(body.get(self.needs))
        return changes and (stream or not self.switch) and bool(self.words.search(error.words))


def _system_first(body: Body) -> Body:
    return {**body, "messages": system_first(body["messages"])}


def _without_thoughts(body: Body) -> Body:
    messages = [
        {
            key: value
            for key, value in message.items()
            if key not in ("reasoning_content", "reasoning")
        }
        for message in body["messages"]
    ]
    return {**body, "messages": messages}


WAYS: tuple[Way, ...] = (
    Way(
        name="system first",
        words=re.compile(
            r"system (message|role|prompt)s? (must|should|can only|is only)\b.*"
            r"(begin|first|start)|only .*first message.* system|system role not supported",
            re.IGNORECASE,
        ),
        change=_system_first,
        needs="messages",
    ),
    Way(
        name="tools at once",
        words=re.compile(
            r"streaming.*\btool|\btools?\b.*(not|n't).*stream|stream.*with tools", re.IGNORECASE
        ),
        needs="tools",
        switch=True,
    ),
    Way(
        name="no usage in streams",
        words=re.compile(r"stream_options|include_usage", re.IGNORECASE),
        change=lambda body: {k: v for k, v in body.items() if k != "stream_options"},
        needs="stream_options",
    ),
    Way(
        name="no thoughts sent back",
        words=re.compile(
            r"reasoning(_content)?\b.*(extra|unexpected|not permitted|unknown|unrecognized"
            r"|unsupported|not allowed)"
            r"|(extra|unexpected|unknown|unrecognized|unsupported)\b.*reasoning(_content)?\b",
            re.IGNORECASE,
        ),
        change=_without_thoughts,
        needs="messages",
    ),
)
"""Tried in this order."""


@define
class _Memory:
    """Which ways helped with which model of which server; the oldest are forgotten."""

    _ways: dict[tuple[str, str], tuple[str, ...]] = field(factory=dict)
    _lock: threading.Lock = field(factory=threading.Lock)

    def of(self, base_url: str, model: str) -> tuple[str, ...]:
        return self._ways.get((base_url, model), ())

    def learn(self, base_url: str, model: str, ways: tuple[str, ...]) -> None:
        with self._lock:
            self._ways.pop((base_url, model), None)
            self._ways[base_url, model] = ways
            while len(self._ways) > limits.DESCRIPTIONS:
                del self._ways[next(iter(self._ways))]


MEMORY = _Memory()

type Begin = Callable[[Body, bool], Iterator[list[ChatChunk]]]
"""Sends a body, to be answered in pieces or at once, and returns the answer to be read."""


@define
class Attempts:
    """A request and the ways in which it has been made.

    :param begin: raises :class:`CallError` where the request is refused.
    :param stream: whether an answer in pieces is wanted.
    :param server: its base URL, with the model what ways are remembered by.
    :param retries: how often a busy server that says so in a 2xx answer is asked again.
    """

    begin: Begin
    body: Body
    stream: bool
    server: str
    model: str
    retries: int
    _used: list[str] = field(factory=list, init=False)
    _fault: CallError | None = field(default=None, init=False)
    _repeated: int = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        for way in WAYS:
            if way.name in MEMORY.of(self.server, self.model):
                self._take(way)

    def begun(self) -> Iterator[list[ChatChunk]]:
        """Send the request, until it is not refused or no way is left."""
        while True:
            try:
                return self.begin(self.body, self.stream)
            except CallError as error:
                self._change(error)

    def answer(self, pieces: Iterator[list[ChatChunk]]) -> Iterator[list[ChatChunk]]:
        """Read the answer to a request that was begun; nothing is shown twice."""
        while True:
            begun = False
            try:
                for chunks in pieces:
                    begun = begun or any(chunk.shows for chunk in chunks)
                    yield chunks
            except CallError as error:
                if begun:
                    raise
                self._change(error)
                pieces = self.begun()
                continue
            self._learn()
            return

    def _change(self, error: CallError) -> None:
        """Change the request so that it may not meet this refusal, or raise it."""
        if isinstance(error, RateLimited) and not error.status and self._repeated < self.retries:
            time.sleep(backoff(self._repeated))
            self._repeated += 1
            return
        for way in WAYS:
            back_again = way.switch and self._fault is not None
            helps = way.may_help(error, self.body, stream=self.stream) and not back_again
            if way.name not in self._used and helps:
                self._take(way)
                return
        if self._fault is not None:
            raise self._fault from None  # the other way failed as well
        if not _fails_by_itself(error):
            raise error
        self._fault = error
        self.stream = not self.stream

    def _take(self, way: Way) -> None:
        self._used.append(way.name)
        if not way.needs or self.body.get(way.needs):
            self.body = way.change(self.body)
            self.stream = self.stream and not way.switch

    def _learn(self) -> None:
        ways = MEMORY.of(self.server, self.model)
        if new := tuple(name for name in self._used if name not in ways):
            MEMORY.learn(self.server, self.model, (*ways, *new))


def _fails_by_itself(error: CallError) -> bool:
    """Return whether the server's own code failed, which the other way to answer may avoid."""
    if not isinstance(error, ServerUnavailable) or error.status not in (None, 500):
        return False
    return not error.has_fix and bool(_OWN_FAULT.search(error.words))


_OWN_FAULT = re.compile(
    r"has no attribute|object is not|KeyError|TypeError|AttributeError|not JSON serializable"
    r"|not subscriptable|unexpected keyword|NoneType|async_generator|index out of range",
    re.IGNORECASE,
)
