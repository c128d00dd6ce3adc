"""An answer as data: a head, and the steps in which its body leaves.

A step is a piece of the body, a pause or a broken connection, so that a fault is an answer too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import field, frozen

EVENT_END = "\r\n\r\n"
DONE = "[DONE]"
WHERE = "[address=127.0.0.1:34313, pid=17074] "
"""Begins what Xinference's worker processes say of themselves in an error."""


@frozen
class Hold:
    """Send nothing for some seconds, or until the server stops."""

    seconds: float


@frozen
class Drop:
    """Close the connection here.

    :param reset: by a TCP reset; otherwise the connection just ends.
    """

    reset: bool = False


type Step = bytes | Hold | Drop


def lower(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers with lower-case names."""
    return {name.lower(): value for name, value in headers.items()}


@frozen(kw_only=True)
class Answer:
    """What is sent.

    :param headers: names in lower case, as uvicorn writes them; ``content-length`` and
        ``transfer-encoding`` are added when they are missing.
    :param steps: pieces of the body. Each is a chunk of its own in a streamed answer, unless
        that ends with its connection.
    :param until_close: a streamed answer ends with its connection.
    :param before: what happens before the first byte of the head.
    """

    status: int = 200
    headers: Mapping[str, str] = field(factory=dict, converter=lower)
    steps: tuple[Step, ...] = ()
    streamed: bool = False
    until_close: bool = False
    before: tuple[Hold | Drop, ...] = ()

    @property
    def chunked(self) -> bool:
        """Whether each piece of a streamed answer is a chunk."""
        return self.streamed and not self.until_close

    @property
    def body(self) -> bytes:
        """All pieces together."""
        return b"".join(step for step in self.steps if isinstance(step, bytes))


class Refused(Exception):
    """An answer that ends the work on a request early."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__(f"{answer.status} {answer.body.decode()}")


def whole(body: bytes, content_type: str, status: int = 200, **headers: str) -> Answer:
    """Return an answer sent at once.

    :param headers: ``retry_after`` is sent as ``retry-after``.
    """
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers={"content-type": content_type, **more}, steps=(body,))


def as_json(value: Any, status: int = 200, **headers: str) -> Answer:
    """Return JSON written as Starlette writes it: compact, and not as ASCII."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return whole(text.encode(), "application/json", status, **headers)


def refusal(status: int, detail: Any, **headers: str) -> Answer:
    """Return what FastAPI makes of an ``HTTPException``."""
    return as_json({"detail": detail}, status, **headers)


def crashed(words: str) -> Answer:
    """Return Xinference's answer to an error of a request that nothing caught."""
    body = f"Internal Server Error: {words}"
    return whole(body.encode(), "text/plain; charset=utf-8", 500)


def event(data: Any) -> bytes:
    """Write a server-sent event; text stands as it is, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return f"data: {text}{EVENT_END}".encode()


def stream(pieces: Iterable[bytes], content_type: str = "text/event-stream") -> Answer:
    """Return a streamed answer; Starlette names the charset of text alone."""
    charset = "; charset=utf-8" if content_type.startswith("text/") else ""
    return Answer(
        headers={
            "cache-control": "no-store",
            "connection": "keep-alive",
            "x-accel-buffering": "no",
            "content-type": content_type + charset,
        },
        steps=tuple(pieces),
        streamed=True,
    )


def failing(detail: str, *, streaming: bool, status: int = 500) -> Answer:
    """Return a failure of a model: a status, or an event where 200 was said already."""
    if streaming:
        return stream([event({"error": detail})])
    return refusal(status, detail)
