"""What the rows share: the server, the plugins on disk, and one running process of each."""

from __future__ import annotations

import tempfile
from contextlib import AbstractContextManager, ExitStack
from functools import cached_property
from pathlib import Path

from benchmarks.contestants import write_plugins
from benchmarks.process import Contestant
from benchmarks.server import Server, serving


class Bench:
    """Starts what a row asks for, once, and ends all of it.

    :param quick: fewer rounds and smaller sizes, to see that everything works.
    """

    def __init__(self, *, quick: bool = False) -> None:
        self.quick = quick
        self._stack = ExitStack()
        self._running: dict[str, Contestant] = {}

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def scaled(self, full: int, quick: int) -> int:
        """Choose a number of rounds or a size."""
        return quick if self.quick else full

    @cached_property
    def folder(self) -> Path:
        """A folder for whatever is written."""
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="xinfer-bench-")))

    @cached_property
    def server(self) -> Server:
        """The server that all plugins talk to."""
        return self._stack.enter_context(serving())

    @cached_property
    def plugins(self) -> dict[str, Path]:
        """Where each plugin lies."""
        return write_plugins(self.folder / "plugins")

    def contestant(self, name: str) -> Contestant:
        """Return the running plugin, started when it is first asked for."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(self.fresh(name))
        return self._running[name]

    def fresh(self, name: str, **environment: str) -> AbstractContextManager[Contestant]:
        """Start a plugin for one measurement alone.

        :param environment: variables for its process.
        """
        return Contestant.start(self.plugins[name], self.server.url, environment)
