"""Between a plugin and Dify's remote debugging: forwards both ways, and reads the refusals.

Dify's daemon answers a plugin that it refuses with one line of plain text and closes the
connection. The SDK takes that line for a broken message, so it is read here, on its way.

Source: ``internal/core/debugging_runtime`` of the daemon.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, Self

from attrs import field, frozen

_HOST = "127.0.0.1"
_CONNECT_TIMEOUT = 5.0
_PIECE = 64 * 1024
_END = b'"type":"end"'
"""In the last line that a plugin sends of its declaration."""


class Unreachable(Exception):
    """Nothing answers where Dify should; ``str`` says why and what to do."""


@frozen
class Event:
    """What happened on the way.

    :param text: the daemon's own words, of a refusal.
    """

    kind: Literal["declared", "refused", "closed"]
    text: str = ""


@frozen(kw_only=True)
class Relay:
    """A port of this machine that leads to Dify's debugging port; made by :meth:`start`.

    :param events: what happens, in order.
    """

    port: int
    events: queue.Queue[Event] = field(factory=queue.Queue, eq=False)

    @classmethod
    @contextmanager
    def start(cls, host: str, port: int) -> Iterator[Self]:
        """Listen for a plugin, and forward each of its connections to Dify.

        :raises Unreachable: nothing answers there.
        """
        connect(host, port).close()
        with socket.create_server((_HOST, 0)) as listening:
            relay = cls(port=listening.getsockname()[1])
            accepting = threading.Thread(
                target=relay._accept, args=(listening, host, port), daemon=True
            )
            accepting.start()
            try:
                yield relay
            finally:
                # Closing alone does not wake a thread that accepts.
                with contextlib.suppress(OSError):
                    listening.shutdown(socket.SHUT_RDWR)
        accepting.join(timeout=5)

    def _accept(self, listening: socket.socket, host: str, port: int) -> None:
        while True:
            try:
                plugin, _ = listening.accept()
            except OSError:
                return
            try:
                dify = connect(host, port)
            except Unreachable as error:
                self.events.put(Event("refused", str(error)))
                plugin.close()
                continue
            for pump in (self._from_plugin, self._from_dify):
                threading.Thread(target=pump, args=(plugin, dify), daemon=True).start()

    def _from_plugin(self, plugin: socket.socket, dify: socket.socket) -> None:
        rest, declared = b"", False
        for piece in _pieces(plugin):
            with contextlib.suppress(OSError):
                dify.sendall(piece)
            if declared:
                continue
            *lines, rest = (rest + piece).split(b"\n")
            declared = any(_END in line[:64].replace(b" ", b"") for line in lines)
            if declared:
                self.events.put(Event("declared"))
        _close(dify)

    def _from_dify(self, plugin: socket.socket, dify: socket.socket) -> None:
        beginning = True
        for piece in _pieces(dify):
            # Requests are JSON objects; the first line that is not one is the refusal.
            if beginning and not piece.lstrip().startswith(b"{"):
                text = piece.decode(errors="replace").strip()
                self.events.put(Event("refused", text.splitlines()[0] if text else ""))
                break
            beginning = piece.endswith(b"\n")
            with contextlib.suppress(OSError):
                plugin.sendall(piece)
        else:
            self.events.put(Event("closed"))
        _close(plugin)
        _close(dify)


def connect(host: str, port: int) -> socket.socket:
    """Connect to Dify's debugging port.

    :raises Unreachable: nothing answers there.
    """
    place = f"{host}:{port}"
    try:
        connection = socket.create_connection((host, port), timeout=_CONNECT_TIMEOUT)
    except socket.gaierror as error:
        raise Unreachable(f"The host {host} is unknown: correct --host.") from error
    except TimeoutError as error:
        raise Unreachable(
            f"{place} does not answer: check --host, and the firewall between here and Dify."
        ) from error
    except OSError as error:
        raise Unreachable(
            f"Nothing listens on {place}: check --port, which is 5003 by default. Dify in Docker "
            "needs EXPOSE_PLUGIN_DEBUGGING_PORT, and PLUGIN_REMOTE_INSTALLING_ENABLED left on."
        ) from error
    connection.settimeout(None)
    return connection


def explained(refusal: str) -> str:
    """Return what a refusal means and what to do."""
    for beginning, meaning in _MEANINGS.items():
        if refusal.startswith(beginning):
            return meaning.format(words=refusal.removeprefix(beginning).strip(" :"))
    return f"Dify refuses the plugin: {refusal or 'it closed the connection'}."


_WEB_SERVER = "A web server answers there: the debugging port is another one, 5003 by default."
_MEANINGS: Mapping[str, str] = {
    "handshake failed, invalid key": (
        "Dify refuses the key: copy a new one from Dify's plugin page, under the bug icon. A key "
        "belongs to one workspace, and a restart of Dify may replace it."
    ),
    "handshake failed, invalid handshake message": (
        "Dify does not understand the handshake: update dify_plugin, or Dify."
    ),
    "handshake failed, invalid plugin declaration": (
        "Dify refuses the manifest: {words}. Run xinfer check."
    ),
    "register failed, invalid manifest detected": (
        "Dify refuses the manifest: {words}. Run xinfer check."
    ),
    "models register failed, invalid models declaration": (
        "Dify refuses the provider: {words}. Remote debugging validates the provider where an "
        "installation does not: run xinfer check, whose findings name it."
    ),
    "assets remap failed": "Dify misses an icon: {words}. Put it directly into _assets.",
    "assets too large": "The files in _assets are larger than 50 MB together: make them smaller.",
    "server is busy now": "Dify has no debugging connection left: close another one, or wait.",
    "failed to get connection info": (
        "Dify cannot look the key up: {words}. See whether its Redis runs."
    ),
    "HTTP/": _WEB_SERVER,
    "<": _WEB_SERVER,
}
"""What the daemon's words mean, by how they begin."""


def _pieces(connection: socket.socket) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while piece := connection.recv(_PIECE):
            yield piece


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
