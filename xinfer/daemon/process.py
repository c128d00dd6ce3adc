"""A plugin started and called as Dify's daemon does: a process of its own, lines of JSON.

.. code-block:: python

    with PluginProcess.start(Path("dist/xinference")) as plugin:
        for piece in plugin.call("invoke_llm", provider="xinference", ...):
            ...

Sessions run at the same time; a thread reads what the plugin says and hands it to the one it
belongs to. Source: the daemon's local runtime.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self

from xinfer.daemon.session import (
    LONGEST_LINE,
    READY_TIMEOUT,
    CallError,
    PluginError,
    Sessions,
)

__all__ = ["LONGEST_LINE", "CallError", "PluginError", "PluginProcess"]


class PluginProcess:
    """A running plugin; made by :meth:`start`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._sessions = Sessions(self._write, self._died)
        self._ready = threading.Event()
        self._writing = threading.Lock()
        self._stderr: deque[bytes] = deque(maxlen=40)
        self.heartbeats = 0
        self.manifest: dict[str, Any] = {}
        self._readers = [
            threading.Thread(target=reader, args=(stream,), daemon=True)
            for reader, stream in (
                (self._read_answers, process.stdout),
                (self._read_stderr, process.stderr),
            )
        ]
        for thread in self._readers:
            thread.start()

    @classmethod
    @contextmanager
    def start(
        cls,
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        python: str = sys.executable,
    ) -> Iterator[Self]:
        """Start the plugin in a folder, wait for its first heartbeat, and kill it in the end.

        :param environment: added to our own.
        :param python: of an environment that holds what the plugin requires.
        :raises PluginError: it ended, or kept silent for two minutes, before it was ready.
        """
        if os.getpid() == 1:
            # The SDK takes a parent of that number for a daemon that has gone, and exits.
            raise PluginError(
                "A plugin cannot run as a child of process 1: start the container with an init "
                "process (docker run --init)."
            )
        process = subprocess.Popen(  # noqa: S603 (the caller's own Python)
            [python, "-m", "main"],
            cwd=folder,
            env={**os.environ, **(environment or {}), "INSTALL_METHOD": "local"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        plugin = cls(process)
        try:
            plugin._wait_until_ready()
            yield plugin
        finally:
            plugin._stop()

    @property
    def pid(self) -> int:
        """The number of the plugin's process."""
        return self._process.pid

    def call(self, action: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come.

        :param data: the request's own fields, e.g. ``provider``, ``model``, ``credentials``.
        :raises CallError: the plugin answered with an error.
        :raises PluginError: it died, or said nothing for ten minutes.
        """
        return self._sessions.call(action, data)

    def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        assert stdin is not None  # noqa: S101 (it was asked for)
        try:
            with self._writing:
                stdin.write(line)
                stdin.flush()
        except OSError:
            raise self._died("The plugin is gone") from None

    def _wait_until_ready(self) -> None:
        if not self._ready.wait(READY_TIMEOUT):
            raise PluginError(f"The plugin was not ready after {READY_TIMEOUT:.0f} s.")
        if not self.heartbeats:
            raise self._died("The plugin did not start")

    def _died(self, what: str) -> PluginError:
        self._process.wait(timeout=10)
        self._readers[1].join(timeout=5)
        words = b"".join(self._stderr).decode(errors="replace").strip()
        return PluginError(f"{what} (exit code {self._process.returncode}):\n{words}")

    def _read_answers(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            if len(line) > LONGEST_LINE:
                self._stderr.append(b"It wrote a line of %d bytes.\n" % len(line))
                self._process.kill()
                break
            try:
                said = json.loads(line)
            except ValueError:  # a blank line between two answers, or something printed
                self._stderr.append(line)
                continue
            self._take(said)
        self._ready.set()
        self._sessions.end()

    def _take(self, said: dict[str, Any]) -> None:
        event = said.get("event")
        if event == "heartbeat":
            self.heartbeats += 1
            self._ready.set()
        elif event == "session":
            self._sessions.take(said)
        elif event is None:
            self.manifest = said
        elif event == "error":
            self._stderr.append(json.dumps(said["data"]).encode() + b"\n")

    def _read_stderr(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            self._stderr.append(line)

    def _stop(self) -> None:
        """Kill it: the SDK goes on when its stdin is closed."""
        self._process.kill()
        self._process.wait()
        for thread in self._readers:
            thread.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
