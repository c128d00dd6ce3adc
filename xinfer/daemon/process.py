"""A plugin started and called as Dify's daemon does: a process of its own, lines of JSON.

.. code-block:: python

    with PluginProcess.start(Path("dist/xinference")) as plugin:
        for piece in plugin.call("invoke_llm", provider="xinference", ...):
            ...

Calls run at the same time: a thread reads what the plugin writes and hands each line to the call
it belongs to. Nothing is left behind: the process ends with the block. Source: the daemon's local
runtime.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    """A running plugin; started by :meth:`start`.

    :param listen: gets each line that the plugin logs, prints or writes to stderr.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], listen: Callable[[str], None] | None = None
    ) -> None:
        self._process = process
        self._listen = listen
        self._sessions = Sessions(self._write, self._died)
        self._ready = threading.Event()
        self._writing = threading.Lock()
        self._stderr: deque[str] = deque(maxlen=40)
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
        entrypoint: str = "main",
        prefix: Sequence[str] = (),
        listen: Callable[[str], None] | None = None,
    ) -> Iterator[Self]:
        """Start the plugin in a folder, wait for its first heartbeat, and kill it in the end.

        :param environment: variables to add to those of this process.
        :param python: of an environment that holds what the plugin requires.
        :param entrypoint: the module that starts the plugin.
        :param prefix: a command that runs the one behind it, e.g. in a namespace.
        :param listen: gets each line that the plugin logs, prints or writes to stderr.
        :raises PluginError: it ended before it was ready, or sent nothing for two minutes.
        """
        if os.getpid() == 1:
            # The SDK takes parent process 1 for a daemon that is gone, and exits.
            raise PluginError(
                "A plugin cannot run as a child of process 1: start the container with an init "
                "process (docker run --init)."
            )
        process = subprocess.Popen(  # noqa: S603 (the caller's own Python)
            [*prefix, python, "-m", entrypoint],
            cwd=folder,
            env={**os.environ, **(environment or {}), "INSTALL_METHOD": "local"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        plugin = cls(process, listen)
        try:
            plugin._wait_until_ready()
            yield plugin
        finally:
            plugin._stop()

    @property
    def pid(self) -> int:
        """The id of the plugin's process."""
        return self._process.pid

    def call(self, action: str, **data: Any) -> Iterator[dict[str, Any]]:
        """Send a request and yield the payloads of its answer as they come.

        :param data: the request's own fields, e.g. ``provider``, ``model``, ``credentials``.
        :raises CallError: the plugin answered with an error.
        :raises PluginError: it died, or sent nothing for ten minutes.
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
            raise self._died("The plugin has ended") from None

    def _wait_until_ready(self) -> None:
        if not self._ready.wait(READY_TIMEOUT):
            raise PluginError(f"The plugin was not ready after {READY_TIMEOUT:.0f} s.")
        if not self.heartbeats:
            raise self._died("The plugin did not start")

    def _died(self, what: str) -> PluginError:
        self._process.wait(timeout=10)
        self._readers[1].join(timeout=5)
        lines = "\n".join(self._stderr).strip()
        return PluginError(f"{what} (exit code {self._process.returncode}):\n{lines}")

    def _read_answers(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            if len(line) > LONGEST_LINE:
                self._note(f"It wrote a line of {len(line)} bytes.")
                self._process.kill()
                break
            try:
                event = json.loads(line)
            except ValueError:
                event = None
            if isinstance(event, dict):
                self._take(event)
            else:  # a blank line between two answers, or something printed
                self._note(line.decode(errors="replace"))
        self._ready.set()
        self._sessions.end()

    def _take(self, event: dict[str, Any]) -> None:
        match event.get("event"):
            case "heartbeat":
                self.heartbeats += 1
                self._ready.set()
            case "session":
                self._sessions.take(event)
            case None:
                self.manifest = event
            case "log":
                self._tell(f"{event['data']['level']} {event['data']['message']}")
            case "error":
                self._note(json.dumps(event["data"]))

    def _read_stderr(self, stream: IO[bytes]) -> None:
        for line in iter(stream.readline, b""):
            self._note(line.decode(errors="replace"))

    def _note(self, line: str) -> None:
        """Keep a line for the error of a plugin that dies, and pass it to the listener."""
        if line := line.rstrip():
            self._stderr.append(line)
            self._tell(line)

    def _tell(self, line: str) -> None:
        if self._listen is not None:
            self._listen(line)

    def _stop(self) -> None:
        """Kill it: the SDK goes on when its stdin is closed."""
        self._process.kill()
        self._process.wait()
        for thread in self._readers:
            thread.join(timeout=5)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
