"""The server: requests in, answers out, in threads that end with it."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from struct import pack
from typing import Any, Self

from attrs import frozen

from xinfer.testing.server import audio, chat, vectors
from xinfer.testing.server.answer import (
    Answer,
    Drop,
    Hold,
    Refused,
    as_json,
    crashed,
    refusal,
)
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.faults import Fault
from xinfer.testing.server.keys import Keys
from xinfer.testing.server.models import Models
from xinfer.testing.server.moderations import moderate
from xinfer.testing.server.served import MODELS, Served
from xinfer.testing.server.versions import as_version, last_headers, version_of

_HOST = "127.0.0.1"
_MODELS = "/v1/models/"
_LOOK = 0.02
"""Seconds between two checks that the client still waits."""
_JOIN = 10.0
"""Seconds to wait for a thread to end."""
_REVISION = "a3625815f8daa70a1beb428734147ca973cf916c"

_POSTED: Mapping[str, Callable[[Models, Arrived], Answer]] = {
    "/v1/chat/completions": chat.chat,
    "/v1/completions": chat.completion,
    "/v1/embeddings": vectors.embed,
    "/v1/rerank": vectors.rerank,
    "/v1/audio/transcriptions": audio.transcribe,
    "/v1/audio/translations": audio.translate,
    "/v1/audio/speech": audio.speak,
    "/v1/moderations": moderate,
}


@frozen
class _Expected:
    """A fault that waits for its request."""

    faults: tuple[Fault, ...]
    on: str
    model: str | None

    def fits(self, arrived: Arrived) -> bool:
        body = arrived.body if isinstance(arrived.body, dict) else {}
        return arrived.route.startswith(self.on) and self.model in (None, body.get("model"))


class FakeServer:
    """A server that answers as Xinference does, on a port of its own.

    :param models: those that run.
    :param key: an API key that every request needs, for all models.
    :param limited: further keys, each with the uids it may use.
    :param port: 0 for any that is free.
    :param version: of Xinference.
    """

    def __init__(
        self,
        models: Iterable[Served] = MODELS,
        *,
        key: str | None = None,
        limited: Mapping[str, Collection[str]] | None = None,
        port: int = 0,
        version: str = "4.1.0",
    ) -> None:
        self.requests: list[Arrived] = []
        """What arrived, in order."""
        self.abandoned: list[Arrived] = []
        """The requests whose client went away before the end of the answer."""
        self._models = Models(models)
        self._keys = Keys({**({} if key is None else {key: None}), **(limited or {})})
        self._expected: list[_Expected] = []
        self._mistakes: list[Exception] = []
        self._lock = threading.Lock()
        self._port = port
        self._version = version_of(version)
        self._server: _Server
        self._thread: threading.Thread

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{_HOST}:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = _Server((_HOST, self._port), self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="fake server", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, kind: object, exception: object, traceback: object) -> None:
        """Stop.

        :raises Exception: what a fault or a model's ``answer`` raised, unless something else is
            being raised.
        """
        self._server.stop()
        self._thread.join(_JOIN)
        if self._mistakes and exception is None:
            raise self._mistakes[0]

    def next_answer(
        self, *faults: Fault, on: str = "/v1/", model: str | None = None, times: int = 1
    ) -> None:
        """Change the answer to the next request that fits, or to the next several.

        :param faults: an :class:`Answer` to give instead, or functions from the answer that
            would be given to the one that is; applied in order.
        :param on: how the path begins.
        :param model: the ``model`` in its body.
        """
        with self._lock:
            self._expected += [_Expected(faults, on, model)] * times

    def forget_faults(self) -> None:
        """Answer the next requests as usual, whatever :meth:`next_answer` was told."""
        with self._lock:
            self._expected.clear()

    def answer(self, arrived: Arrived) -> Answer:
        """Note a request and return its answer."""
        with self._lock:
            self.requests.append(arrived)
            expected = next(
                (expectation for expectation in self._expected if expectation.fits(arrived)), None
            )
            if expected:
                self._expected.remove(expected)
        try:
            return self._answer_with(arrived, expected.faults if expected else ())
        except Exception as mistake:
            self._mistakes.append(mistake)
            return crashed(f"the fake server failed: {mistake!r}")

    def _answer_with(self, arrived: Arrived, faults: Iterable[Fault]) -> Answer:
        try:
            answer = self._routed(arrived)
        except Refused as refused:
            answer = refused.answer
        answer = as_version(self._version, arrived, answer)
        for fault in faults:
            answer = fault if isinstance(fault, Answer) else fault(answer)
        return answer

    def _routed(self, arrived: Arrived) -> Answer:
        route, method = arrived.route, arrived.method
        if route == "/v1/cluster/auth" and method == "GET":
            return as_json({"auth": self._keys.required})
        if route in _POSTED and method == "POST":
            self._keys.check(arrived, "models:read")
            return _POSTED[route](self._models, arrived)
        if operation := self._read(route):
            if method != "GET":
                return refusal(405, "Method Not Allowed", allow="GET")
            scope, read = operation
            self._keys.check(arrived, scope)
            return read()
        # GET on a path that takes POST is 404 too: Xinference's web pages catch every GET.
        return refusal(404, "Not Found")

    def last_headers(self) -> dict[str, str]:
        """Return the headers that end each answer."""
        return last_headers(self._version)

    def _told_version(self) -> Answer:
        number = ".".join(map(str, self._version))
        return as_json({"version": number, "full-revisionid": _REVISION})

    def _read(self, route: str) -> tuple[str, Callable[[], Answer]] | None:
        if route == "/v1/models":
            return "models:list", self._models.listed
        if route == "/v1/cluster/version":
            return "admin", self._told_version
        uid = route.removeprefix(_MODELS)
        # A uid with a slash, even written %2F, has no route in Xinference: the list tells of it.
        if uid != route and uid and "/" not in uid:
            return "models:list", lambda: self._models.described(uid)
        return None


class _Server(ThreadingHTTPServer):
    """Accepts connections, and closes all when it stops."""

    request_queue_size = 128

    def __init__(self, address: tuple[str, int], owner: FakeServer) -> None:
        self.owner = owner
        self.stopping = threading.Event()
        self._running: dict[threading.Thread, socket.socket] = {}
        super().__init__(address, _Handler)

    def serve_forever(self, poll_interval: float = 0.5) -> None:  # noqa: ARG002
        """Accept until stopped, then cut every connection.

        The inherited loop keeps a poll object of its import time, which stops the whole process
        once gevent (which the Dify SDK brings) has replaced sockets and threads.
        """
        while not self.stopping.is_set():
            try:
                request, address = self.get_request()
            except OSError:
                continue
            self.process_request(request, address)
        self.server_close()
        for connection in self._running.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._running:
            thread.join(_JOIN)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer the requests of a connection in a thread that :meth:`serve_forever` joins."""
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        alive = {
            other: connection for other, connection in self._running.items() if other.is_alive()
        }
        self._running = {**alive, thread: request}
        thread.start()

    def stop(self) -> None:
        """Let :meth:`serve_forever` end."""
        self.stopping.set()
        # Only a connection wakes the accepting thread.
        with contextlib.suppress(OSError):
            socket.create_connection((_HOST, self.server_address[1]), _JOIN).close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that went away and connections that were cut on stopping."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        arrived = Arrived.read(self.command, self.path, self.headers, raw)
        answer = self.server.owner.answer(arrived)
        try:
            self._send(answer)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            self.server.owner.abandoned.append(arrived)

    do_POST = do_PUT = do_DELETE = do_PATCH = do_GET

    def _send(self, answer: Answer) -> None:
        if not all(self._took(step) for step in answer.before):
            return
        self._head(answer)
        for step in answer.steps:
            if not isinstance(step, bytes):
                if not self._took(step):
                    return
            elif answer.chunked:
                if step:
                    self.wfile.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
            else:
                self.wfile.write(step)
        if answer.chunked:
            self.wfile.write(b"0\r\n\r\n")

    def _head(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        added = {"date": self.date_time_string(), "server": "uvicorn"}
        last = self.server.owner.last_headers()
        headers = {**added, **answer.headers, **last}
        if answer.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif not answer.streamed:
            headers.setdefault("content-length", str(len(answer.body)))
        self.close_connection = self.close_connection or answer.until_close
        if self.close_connection:
            headers["connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _took(self, step: Hold | Drop) -> bool:
        """Carry out a step that is not a piece of the body; return whether the answer goes on."""
        if isinstance(step, Hold):
            return self._pause(step.seconds)
        if step.reset:
            # To close at once, without lingering, is a reset; an open file would put it off.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
            self.rfile.close()
            self.connection.close()
        self.close_connection = True
        return False

    def _pause(self, seconds: float) -> bool:
        """Wait; return whether the server still runs.

        :raises ConnectionResetError: the client went away meanwhile.
        """
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.server.stopping.wait(min(left, _LOOK)):
                self.close_connection = True
                return False
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise ConnectionResetError
        return True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: what arrived is in ``requests``."""
