"""A plugin that calls in for remote debugging, with the daemon's side played here: TCP.

.. code-block:: python

    with RemotePlugin.start(Path("dist/xinference")) as plugin:
        plugin.declared.providers
        for piece in plugin.call("invoke_llm", provider="xinference", ...):
            ...

It shows its key, declares itself and sends its assets; then come requests and answers as on
stdio. Source: the daemon's debugging runtime, the SDK's ``TCPReaderWriter``.
"""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from attrs import frozen

from peers.process import Process
from xinfer.daemon.session import LONGEST_LINE, READY_TIMEOUT, PluginError, Sessions

KEY = "00000000-0000-4000-8000-000000000000"
"""Shown by the plugin when it is started without another one."""
_LARGEST_ASSETS = 50 * 1024 * 1024
"""Bytes of all assets together that the daemon takes."""
_HOST = "127.0.0.1"
_ACCEPT = 0.05
"""Seconds to wait for a connection before the next look whether the plugin still runs."""


@frozen(kw_only=True)
class Declared:
    """What a plugin says of itself before the first request.

    :param manifest: of the plugin.
    :param providers: of models, each with its ``models``; the daemon takes the first.
    :param assets: the files by name.
    """

    key: str
    manifest: Mapping[str, Any]
    providers: tuple[Mapping[str, Any], ...]
    assets: Mapping[str, bytes]

    @classmethod
    def read(cls, messages: Iterable[Mapping[str, Any]]) -> Self:
        """Read messages up to the end of the declaration.

        :raises PluginError: the daemon would refuse one of them.
        """
        declarations: dict[str, Any] = {}
        assets: dict[str, bytes] = {}
        for message in messages:
            kind, data = message["type"], message["data"]
            if kind != "handshake" and "handshake" not in declarations:
                raise PluginError(f"The plugin sent its {kind} before the handshake.")
            if kind == "end":
                return cls._complete(declarations, assets)
            if kind == "asset_chunk":
                content = assets.get(data["filename"], b"")
                assets[data["filename"]] = content + base64.b64decode(data["data"], validate=True)
            elif kind in declarations:
                raise PluginError(f"The plugin sent its {kind} twice.")
            else:
                declarations[kind] = data
        raise PluginError("The plugin closed the connection before the end of its declaration.")

    @classmethod
    def _complete(cls, declarations: Mapping[str, Any], assets: Mapping[str, bytes]) -> Self:
        if missing := {"manifest_declaration", "model_declaration"} - set(declarations):
            raise PluginError(f"The plugin sent no {' and no '.join(sorted(missing))}.")
        if sum(map(len, assets.values())) > _LARGEST_ASSETS:
            raise PluginError(f"The plugin's assets are larger than {_LARGEST_ASSETS} bytes.")
        return cls(
            key=declarations["handshake"]["key"],
            manifest=declarations["manifest_declaration"],
            providers=tuple(declarations["model_declaration"]),
            assets=assets,
        )


class RemotePlugin:
    """A plugin that has connected and declared itself; made by :meth:`start`."""

    def __init__(self, process: Process, connection: socket.socket) -> None:
        self._connection = connection
        self._writing = threading.Lock()
        self._sessions = Sessions(self._write, process.died)
        self._lines = connection.makefile("rb")
        self.heartbeats = 0
        self.unreadable: list[bytes] = []
        """Lines that are no JSON: the daemon logs them, and who waits for them waits in vain."""
        self.declared = Declared.read(self._said(self._lines))
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    @contextmanager
    def start(
        cls, folder: Path, *, key: str = KEY, environment: Mapping[str, str] | None = None
    ) -> Iterator[Self]:
        """Start the plugin in a folder, wait for what it declares, and kill it in the end.

        :param environment: added to our own.
        :raises PluginError: it ended, kept silent for two minutes, or declared what the daemon
            would refuse.
        """
        with socket.create_server((_HOST, 0)) as listening:
            mode = {
                "INSTALL_METHOD": "remote",
                "REMOTE_INSTALL_URL": f"{_HOST}:{listening.getsockname()[1]}",
                "REMOTE_INSTALL_KEY": key,
            }
            with (
                Process.start(folder, {**(environment or {}), **mode}) as process,
                _accepted(listening, process) as connection,
            ):
                plugin = cls(process, connection)
                try:
                    yield plugin
                finally:
                    plugin._close()

    def call(self, action: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come.

        :raises CallError: the plugin answered with an error.
        :raises PluginError: it died, or said nothing for ten minutes.
        """
        return self._sessions.call(action, data)

    def _write(self, line: bytes) -> None:
        try:
            with self._writing:
                self._connection.sendall(line)
        except OSError:
            raise PluginError("The plugin has closed the connection.") from None

    def _read(self) -> None:
        with contextlib.suppress(OSError, PluginError):
            for event in self._said(self._lines):
                if event.get("event") == "heartbeat":
                    self.heartbeats += 1
                elif event.get("event") == "session":
                    self._sessions.take(event)
        self._sessions.end()

    def _said(self, lines: IO[bytes]) -> Iterator[dict[str, Any]]:
        while line := lines.readline(LONGEST_LINE + 1):
            if len(line) > LONGEST_LINE:
                raise PluginError(f"The plugin wrote a line longer than {LONGEST_LINE} bytes.")
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError:
                self.unreadable.append(line)

    def _close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.join(timeout=5)
        self._lines.close()


def _accepted(listening: socket.socket, process: Process) -> socket.socket:
    listening.settimeout(_ACCEPT)
    for _ in process.looks(READY_TIMEOUT):
        with contextlib.suppress(TimeoutError):
            connection, _address = listening.accept()
            connection.settimeout(None)
            return connection
    raise AssertionError("looks() ends by an error")
