"""A request to a plugin and the messages of its answer, over any transport.

The lines are the same on stdio, over TCP and over HTTP. Source: the daemon's sessions, the SDK's
``ResponseWriter``.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Protocol

LONGEST_LINE = 5 * 1024 * 1024
"""Bytes; at a longer line the daemon stops reading and ends the plugin."""
READY_TIMEOUT = 120.0
"""Seconds that the daemon waits for a plugin to start."""
CALL_TIMEOUT = 600.0
"""Seconds without an answer after which a call fails."""

type Message = Mapping[str, Any]
"""``{"type": "stream" | "error" | "end", "data": {…}}``"""


class PluginError(Exception):
    """The plugin did not start, or died; ``str`` ends with the last lines it wrote."""


class CallError(Exception):
    """The plugin answered a call with an error.

    :param kind: the name of its class, e.g. ``InvokeConnectionError``.
    :param message: what Dify shows.
    :param description: the plugin's own words, where the SDK hands them on.
    :param traceback: where in the plugin it was raised, as Python prints it.
    """

    def __init__(self, kind: str, message: str, description: str = "", traceback: str = "") -> None:
        self.kind = kind
        self.message = message
        self.description = description
        self.traceback = traceback
        super().__init__(f"{kind}: {description or message}")


class RunningPlugin(Protocol):
    """A plugin that can be called, whichever way it runs."""

    def call(self, action: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come."""
        ...


def request_line(session: str, action: str, data: Mapping[str, Any]) -> bytes:
    """Write a request of a model as the daemon does, with the end of the line."""
    request = {
        "session_id": session,
        "event": "request",
        "data": {"user_id": "xinfer", "type": "model", "action": action, **data},
    }
    return json.dumps(request).encode() + b"\n"


def payloads(messages: Iterable[Message]) -> Iterator[dict[str, Any]]:
    """Yield the payloads of an answer, up to its end.

    :raises CallError: the answer is an error.
    :raises PluginError: the messages stop before the end.
    """
    for message in messages:
        match message["type"]:
            case "end":
                return
            case "error":
                raise _call_error(message["data"])
            case _:
                yield message["data"]
    raise PluginError("The plugin's answer stops before its end.")


def _call_error(error: Mapping[str, Any]) -> CallError:
    kind = str(error.get("error_type", "Error"))
    details = error.get("args") or {}
    texts = (error.get("message"), details.get("description"), details.get("traceback"))
    return CallError(kind, *(str(text or "") for text in texts))


class Sessions:
    """The calls in progress on one connection, whose lines arrive interleaved.

    :param send: writes a line; raises ``PluginError`` when the plugin is gone.
    :param died: makes the error of a plugin that died, from the beginning of its sentence.
    """

    def __init__(self, send: Callable[[bytes], None], died: Callable[[str], PluginError]) -> None:
        self._send = send
        self._died = died
        self._waiting: dict[str, queue.SimpleQueue[Message | None]] = {}
        self._numbers = count(1)
        self._ended = threading.Event()

    def call(self, action: str, data: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come.

        :raises CallError: the plugin answered with an error.
        :raises PluginError: it died, or sent nothing for ten minutes.
        """
        session = f"s-{next(self._numbers)}"
        arrived = self._waiting[session] = queue.SimpleQueue()
        try:
            self._send(request_line(session, action, data))
            yield from payloads(self._messages(arrived))
        finally:
            del self._waiting[session]

    def take(self, event: Mapping[str, Any]) -> None:
        """Pass a message to the call that waits for it."""
        if arrived := self._waiting.get(event["session_id"]):
            arrived.put(event["data"])

    def end(self) -> None:
        """End every waiting call."""
        self._ended.set()
        for arrived in list(self._waiting.values()):
            arrived.put(None)

    def _messages(self, arrived: queue.SimpleQueue[Message | None]) -> Iterator[Message]:
        if self._ended.is_set():
            arrived.put(None)
        while True:
            try:
                message = arrived.get(timeout=CALL_TIMEOUT)
            except queue.Empty:
                raise PluginError(f"The plugin sent nothing for {CALL_TIMEOUT:.0f} s.") from None
            if message is None:
                raise self._died("The plugin died during the call")
            yield message
