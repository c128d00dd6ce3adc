"""A request to a plugin and the messages of its answer, whichever way both travel.

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
"""Bytes; the daemon stops reading, and gives the plugin up, at a longer one."""
READY_TIMEOUT = 120.0
"""Seconds that the daemon waits for a plugin to start."""
CALL_TIMEOUT = 600.0
"""Seconds of silence after which a call is given up."""

type Message = Mapping[str, Any]
"""``{"type": "stream" | "error" | "end", "data": {…}}``"""


class PluginError(Exception):
    """The plugin did not start, or died; ``str`` ends with the last it wrote."""


class CallError(Exception):
    """A call was answered with an error.

    :param kind: the class the SDK made of it, e.g. ``InvokeConnectionError``.
    :param message: what Dify shows.
    :param description: what the plugin itself said, where it did.
    """

    def __init__(self, kind: str, message: str, description: str = "") -> None:
        self.kind = kind
        self.message = message
        self.description = description
        super().__init__(f"{kind}: {description or message}")


class RunningPlugin(Protocol):
    """A plugin that can be called, in whichever mode it runs."""

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
    """Yield what an answer holds, up to its end.

    :raises CallError: it is an error.
    :raises PluginError: it has no end.
    """
    for message in messages:
        match message["type"]:
            case "end":
                return
            case "error":
                raise _call_error(message["data"])
            case _:
                yield message["data"]
    raise PluginError("The plugin's answer has no end.")


def _call_error(error: Mapping[str, Any]) -> CallError:
    kind = str(error.get("error_type", "Error"))
    details = error.get("args") or {}
    return CallError(kind, str(error.get("message", "")), str(details.get("description") or ""))


class Sessions:
    """The calls under way on one connection, where the lines of all come mixed.

    :param send: writes a line; raises ``PluginError`` when there is nobody to read it.
    :param died: makes the error of a plugin that died, from how the sentence begins.
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
        :raises PluginError: it died, or said nothing for ten minutes.
        """
        session = f"s-{next(self._numbers)}"
        arrived = self._waiting[session] = queue.SimpleQueue()
        try:
            self._send(request_line(session, action, data))
            yield from payloads(self._messages(arrived))
        finally:
            del self._waiting[session]

    def take(self, said: Mapping[str, Any]) -> None:
        """Hand a message on to who waits for it."""
        if arrived := self._waiting.get(said["session_id"]):
            arrived.put(said["data"])

    def end(self) -> None:
        """Tell all who wait that nothing more comes."""
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
                raise PluginError(f"The plugin said nothing for {CALL_TIMEOUT:.0f} s.") from None
            if message is None:
                raise self._died("The plugin died during the call")
            yield message
