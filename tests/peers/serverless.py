"""A plugin started and called as a serverless platform does: one HTTP request for each call.

.. code-block:: python

    with ServerlessPlugin.start(Path("dist/xinference")) as plugin:
        for piece in plugin.call("invoke_llm", provider="xinference", ...):
            ...

Source: the SDK's ``ServerlessRequestReader``, the daemon's serverless runtime.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse
from itertools import count
from pathlib import Path
from typing import Any, Self

from peers.process import Process
from xinfer.daemon.session import (
    CALL_TIMEOUT,
    LONGEST_LINE,
    READY_TIMEOUT,
    Message,
    PluginError,
    payloads,
    request_line,
)

_HOST = "127.0.0.1"


class ServerlessPlugin:
    """A plugin that answers over HTTP; made by :meth:`start`."""

    def __init__(self, process: Process, port: int) -> None:
        self._process = process
        self._port = port
        self._numbers = count(1)

    @classmethod
    @contextmanager
    def start(cls, folder: Path, *, environment: Mapping[str, str] | None = None) -> Iterator[Self]:
        """Start the plugin in a folder, wait until it is healthy, and kill it in the end.

        :param environment: added to our own.
        :raises PluginError: it ended, or was not healthy within two minutes.
        """
        port = _free_port()
        mode = {
            "INSTALL_METHOD": "serverless",
            "SERVERLESS_HOST": _HOST,
            "SERVERLESS_PORT": str(port),
        }
        with Process.start(folder, {**(environment or {}), **mode}) as process:
            plugin = cls(process, port)
            for _ in process.looks(READY_TIMEOUT):
                if plugin.healthy():
                    break
            yield plugin

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{_HOST}:{self._port}"

    def healthy(self) -> bool:
        """Say whether ``GET /health`` is answered with 200."""
        with closing(self._connection()) as connection:
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except (OSError, HTTPException):
                return False

    def call(self, action: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come.

        :raises CallError: the plugin answered with an error.
        :raises PluginError: it refused the request, broke off, or said nothing for ten minutes.
        """
        session = f"s-{next(self._numbers)}"
        headers = {
            "Content-Type": "application/json",
            "Accept": "text/event-stream",
            "Dify-Plugin-Session-ID": session,
        }
        with closing(self._connection()) as connection:
            try:
                body = request_line(session, action, data)
                connection.request("POST", f"/invoke?action={action}", body, headers)
                yield from payloads(_messages(connection.getresponse()))
            except (OSError, HTTPException) as error:
                raise self._process.died(f"The plugin broke off its answer: {error!r}") from error

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(_HOST, self._port, timeout=CALL_TIMEOUT)


def _messages(response: HTTPResponse) -> Iterator[Message]:
    if response.status != 200:
        words = response.read(500).decode(errors="replace")
        raise PluginError(f"The plugin refused the request with {response.status}: {words}")
    while line := response.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise PluginError(f"The plugin wrote a line longer than {LONGEST_LINE} bytes.")
        if line.strip():
            yield json.loads(line)["data"]


def _free_port() -> int:
    with socket.create_server((_HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
