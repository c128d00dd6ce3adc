"""A plugin's process whose words go into a file: for the modes that answer over a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

from attrs import frozen

from xinfer.daemon.session import PluginError

_TAIL = 4096
"""Bytes of what a plugin wrote that are shown when it died."""
_LOOK = 0.05
"""Seconds between two looks whether it still runs."""


@frozen
class Process:
    """A running plugin, and what it wrote to stdout and stderr."""

    process: subprocess.Popen[bytes]
    written: IO[bytes]

    @classmethod
    @contextmanager
    def start(cls, folder: Path, environment: Mapping[str, str]) -> Iterator[Self]:
        """Start the plugin in a folder, and kill it in the end.

        :param environment: added to our own; ``INSTALL_METHOD`` in it says the mode.
        """
        with tempfile.TemporaryFile() as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "main"],
                cwd=folder,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
            )
            try:
                yield cls(process, written)
            finally:
                process.kill()
                process.wait()

    def looks(self, seconds: float) -> Iterator[None]:
        """Yield again and again for some seconds, to look whether it is ready.

        :raises PluginError: it ended, or the time is over.
        """
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            yield
            if self.process.poll() is not None:
                raise self.died("The plugin did not start")
            time.sleep(_LOOK)
        raise self.died(f"The plugin was not ready after {seconds:.0f} s")

    def died(self, what: str) -> PluginError:
        """Make the error that ends with its last words."""
        end = self.written.seek(0, os.SEEK_END)
        self.written.seek(max(0, end - _TAIL))
        words = self.written.read().decode(errors="replace").strip()
        code = self.process.poll()
        return PluginError(f"{what} (exit code {code}):\n{words}")
