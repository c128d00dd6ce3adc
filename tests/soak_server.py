"""A fake server in a process of its own, which can be killed as a server is, and come back."""

import multiprocessing
import socket
from contextlib import contextmanager

from xinfer.testing.server import FakeServer

_SPAWN = multiprocessing.get_context("spawn")
_STARTED = 60.0
"""Seconds that it may take to start."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


class Server:
    """A server at one address, up or down; its faults are those of every start."""

    def __init__(self, faults=(), *, times=0):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._faults = (tuple(faults), times)
        self._process = self._end = None

    @classmethod
    @contextmanager
    def start(cls, *faults, times=0):
        """Start a server whose next several chat answers have faults; kill it in the end."""
        server = cls(faults, times=times)
        server.up()
        try:
            yield server
        finally:
            server.kill()

    def up(self):
        """Start it; return when it answers."""
        self._end, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(self.port, *self._faults, theirs))
        self._process.start()
        theirs.close()
        if not self._end.poll(_STARTED):
            raise TimeoutError(f"The server at {self.url} did not start in {_STARTED:.0f} s.")
        self._end.recv()

    def kill(self):
        """End it as the kernel does: no word to anybody."""
        self._process.kill()
        self._process.join()
        self._end.close()


def _serve(port, faults, times, end):
    with FakeServer(port=port) as server:
        if times:
            server.next_answer(*faults, on="/v1/chat/completions", times=times)
        end.send("ready")
        try:
            end.recv()
        except EOFError:  # whoever started it is gone
            return
