"""Dify's debugging port, played here: it checks the key, takes declarations, or refuses them.

Its words are those of the daemon (``internal/core/debugging_runtime``).
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from peers.remote import KEY, Declared, RemotePlugin
from xinfer.daemon.session import PluginError

INVALID_KEY = "handshake failed, invalid key"


class _NoProcess:
    """Stands for the plugin's process, which somebody else has started."""

    def died(self, what: str) -> PluginError:
        return PluginError(what)


class DebuggingServer:
    """A port that plugins connect to; made by :meth:`start`.

    :param refuse: the daemon's answer to a declaration; ``None`` takes it.
    """

    def __init__(
        self, listening: socket.socket, key: str, refuse: Callable[[Declared], str | None]
    ) -> None:
        self.port: int = listening.getsockname()[1]
        self.plugins: queue.Queue[RemotePlugin] = queue.Queue()
        self.refused: list[str] = []
        self._listening, self._key, self._refuse = listening, key, refuse

    @classmethod
    @contextmanager
    def start(
        cls, *, key: str = KEY, refuse: Callable[[Declared], str | None] = lambda _: None
    ) -> Iterator[Self]:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = cls(listening, key, refuse)
            thread = threading.Thread(target=server._accept, daemon=True)
            thread.start()
            yield server
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        beginning = connection.recv(64 * 1024, socket.MSG_PEEK)
        if not beginning:
            connection.close()  # somebody looked whether the port answers
            return
        handshake: dict[str, Any] = json.loads(beginning.split(b"\n")[0])
        if handshake["data"]["key"] != self._key:
            self._close(connection, INVALID_KEY)
            return
        plugin = RemotePlugin(_NoProcess(), connection)
        if (words := self._refuse(plugin.declared)) is not None:
            self._close(connection, words)
        else:
            self.plugins.put(plugin)

    def _close(self, connection: socket.socket, words: str) -> None:
        self.refused.append(words)
        with contextlib.suppress(OSError):
            connection.sendall(words.encode() + b"\n")
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()
