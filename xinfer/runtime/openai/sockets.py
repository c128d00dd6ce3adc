"""Connections to model servers: how long they may be silent, idle, and how many there may be.

They are urllib3's, with three habits of their own. Silence ends by a deadline that only content
moves, so that a server that sends a byte a second cannot hold a call for ever. Reading lets other
calls go on, so that a server that floods holds up nobody. Unused connections are closed after
some seconds, before a firewall forgets them, and all together are bounded.
"""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Iterator
from functools import partial
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from xinfer.runtime.openai import limits

_KEEPALIVE = [
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (
            ("TCP_KEEPIDLE", limits.KEEPALIVE),
            ("TCP_KEEPINTVL", limits.KEEPALIVE // 3),
            ("TCP_KEEPCNT", 3),
        )
        if hasattr(socket, name)
    ),
]


class Deadline:
    """The time by which a server must send content."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.last_byte = time.monotonic()
        self._until = 0.0
        self._let_go = 0.0

    def start(self, seconds: float | None) -> None:
        """Wait from now on, for so many seconds."""
        self.seconds = seconds
        self._let_go = time.monotonic()
        self._until = self._let_go + (seconds or 0)

    def extend(self) -> None:
        """Extend the deadline: the last bytes were content."""
        self._until = self.last_byte + (self.seconds or 0)

    def left(self, now: float) -> float | None:
        """Return the seconds to wait for the next byte; ``None`` for any time.

        :raises TimeoutError: no time is left.
        """
        if self.seconds is None:
            return None
        left = self._until - now
        if left <= 0:
            raise TimeoutError("no content in time")
        return left

    def arrived(self, since: float) -> None:
        """Note that bytes came, and since when they were waited for."""
        now = self.last_byte = time.monotonic()
        if now - since > limits.PAUSE:
            self._let_go = now  # others went on meanwhile
        elif now - self._let_go > limits.BUSY:
            self.let_go()

    def let_go(self) -> None:
        """Yield to other calls if this one has been busy for too long."""
        if time.monotonic() - self._let_go > limits.BUSY:
            time.sleep(limits.PAUSE)
            self._let_go = time.monotonic()


class _Socket(io.RawIOBase):
    """The file that a response reads from: a socket with a deadline."""

    def __init__(self, raw: io.RawIOBase, sock: Any, deadline: Deadline) -> None:
        self._raw, self._sock, self._deadline = raw, sock, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        since = time.monotonic()
        left = self._deadline.left(since)
        if left is not None:
            self._sock.settimeout(left)
        size: int | None = self._raw.readinto(buffer)
        self._deadline.arrived(since)
        return size

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, deadline: Deadline, sock: Any, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_Socket(raw, sock, deadline))


class _Habits:
    """Mixed into urllib3's connections."""

    sock: Any
    timeout: Any
    response_class: Any
    deadline: Deadline

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.deadline = Deadline()
        self.response_class = partial(_Response, self.deadline)

    def getresponse(self) -> Any:
        """Read the answer's headers; their bytes do not extend the deadline."""
        self.deadline.start(self.timeout)
        return super().getresponse()  # type: ignore[misc]

    @property
    def idle(self) -> float:
        """Seconds since anything came."""
        return time.monotonic() - self.deadline.last_byte

    @property
    def is_connected(self) -> bool:
        """Whether the connection can take another request."""
        # Bytes that wait to be read are of no request of ours.
        unread = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
        fresh = self.idle < limits.IDLE and not unread
        return fresh and super().is_connected  # type: ignore[misc]


class _Connection(_Habits, HTTPConnection):
    """Speaks HTTP."""


class _TLSConnection(_Habits, HTTPSConnection):
    """Speaks HTTPS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _reaper.pools.add(self)


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        _reaper.pools.add(self)


class _Reaper:
    """Closes connections that nobody uses: the old ones, and those that are too many."""

    def __init__(self) -> None:
        self.pools: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._runs = False

    def wake(self) -> None:
        """Go on until nothing is left to close."""
        with self._lock:
            if self._runs:
                return
            self._runs = True
        threading.Thread(target=self._run, name="idle connections", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(limits.IDLE / 3)
            with self._lock:
                self._runs = self.close_unused() > 0
                if not self._runs:
                    return

    def close_unused(self) -> int:
        """Close what is old or too much; return how many are left open."""
        unused: list[tuple[Any, Any]] = []
        for pool in list(self.pools):
            for connection in _taken_out(pool.pool):
                if connection is not None and connection.idle >= limits.IDLE:
                    connection.close()
                unused.append((pool, connection))
        still_open = [item for item in unused if item[1] is not None and item[1].sock is not None]
        still_open.sort(key=lambda item: item[1].idle)
        for _, connection in still_open[limits.CONNECTIONS :]:
            connection.close()
        for pool, connection in reversed(unused):
            _put_back(pool.pool, connection)
        return min(len(still_open), limits.CONNECTIONS)


def _taken_out(waiting: Any) -> Iterator[Any]:
    """Take all out of a pool: nobody else gets a connection that is about to be closed."""
    try:
        while waiting is not None:
            yield waiting.get(block=False)
    except queue.Empty:
        return


def _put_back(waiting: Any, connection: Any) -> None:
    try:
        waiting.put(connection, block=False)
    except (queue.Full, AttributeError):  # others came back first, or the pool was closed
        if connection is not None:
            connection.close()


_reaper = _Reaper()


class Adapter(HTTPAdapter):
    """Makes such connections, which may trust a private authority besides the usual ones."""

    def __init__(self, ca_certificate: str, **options: Any) -> None:
        self._ca_certificate = ca_certificate
        super().__init__(pool_maxsize=limits.CONNECTIONS, **options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Prepare the pools of connections."""
        if self._ca_certificate:
            options["ssl_context"] = ssl.create_default_context(cadata=self._ca_certificate)
        options["socket_options"] = [*HTTPConnection.default_socket_options, *_KEEPALIVE]
        super().init_poolmanager(*arguments, **options)
        _use_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Prepare the pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        _use_pools(manager)
        return manager

    def send(self, *arguments: Any, **options: Any) -> requests.Response:
        """Send a request."""
        response = super().send(*arguments, **options)
        _reaper.wake()
        return response


def _use_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


def deadline_of(response: requests.Response) -> Deadline:
    """Return the deadline of an answer whose body is to be read."""
    connection = getattr(response.raw, "connection", None)
    return getattr(connection, "deadline", None) or Deadline()
