"""The environment of a plugin, made as Dify's daemon makes it: uv, its flags and its limits.

Source: ``internal/core/local_runtime/setup_python_environment.go`` of the daemon.
"""

from __future__ import annotations

import os
import re
import selectors
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from attrs import field, frozen

from xinfer.daemon import offline
from xinfer.plugin.requirements import find_uv

INSTALL_LIMIT = 600.0
"""Seconds in which the daemon must have installed the requirements; compiling has as many."""
SILENCE_LIMIT = 120.0
"""Seconds for which uv may print nothing: the default of ``PYTHON_ENV_INIT_TIMEOUT``."""

_PASSED = (
    *("PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "UV_INDEX_URL", "UV_DEFAULT_INDEX"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
    "PYENV_VERSION",
)
"""The variables that the daemon lets uv see; it has no ``HOME``. The last, for pyenv's uv."""
_LOGGED = re.compile(r"\s*([\d.]+m?s\s+)?(TRACE|DEBUG|INFO)\b|\s*uv_\w+")
"""How a line begins that uv prints because it is asked to be verbose."""
_LAST_LINES = 8


class CommandFailed(Exception):
    """A command failed, or took too long; ``str`` says why."""


@frozen
class Environment:
    """The environment of a plugin in its folder.

    :param cache: of uv.
    :param network: whether its commands may use one.
    """

    folder: Path
    cache: Path
    network: bool = True
    prefix: tuple[str, ...] = field(init=False)
    """A command that runs another one without a network, where that is asked for and possible."""

    @prefix.default
    def _namespace(self) -> tuple[str, ...]:
        return () if self.network else offline.namespace()

    @property
    def python(self) -> str:
        """Its interpreter."""
        return str(self.folder / ".venv/bin/python")

    @property
    def variables(self) -> Mapping[str, str]:
        """What keeps commands off the network where there is no namespace to do it."""
        return {} if self.network else offline.VARIABLES

    def make(self, version: str, files: Collection[str]) -> str:
        """Make it, and install what the plugin requires; return the file that says what that is.

        :param version: of Python.
        :param files: of the plugin.
        :raises CommandFailed: the requirements cannot be installed.
        """
        uv = _uv()
        self.run([uv, "venv", ".venv", "--python", version])
        if "pyproject.toml" in files:
            frozen_ = ["--frozen"] if "uv.lock" in files else []
            self.run([uv, "sync", "--no-dev", *frozen_, "-v"], silence=SILENCE_LIMIT)
            return "pyproject.toml"
        if "requirements.txt" in files:
            install = [uv, "pip", "install", "-r", "requirements.txt", "-vvv"]
            self.run(install, silence=SILENCE_LIMIT)
            return "requirements.txt"
        raise CommandFailed("There is neither pyproject.toml nor requirements.txt: add one.")

    def installed(self) -> tuple[str, ...]:
        """List the distributions in it, as ``name==version``."""
        return tuple(self.run([_uv(), "pip", "freeze"]).splitlines())

    def compile(self) -> None:
        """Compile the plugin's own files, as the daemon does after it has installed.

        :raises CommandFailed: some do not compile, which the daemon notes in its log.
        """
        pattern = r"\.venv|\.uv-cache"
        self.run([self.python, "-m", "compileall", "-q", "-x", pattern, "."])

    def run(
        self, command: Sequence[str], *, limit: float = INSTALL_LIMIT, silence: float | None = None
    ) -> str:
        """Run a command in the plugin's folder, and return what it prints.

        :param limit: seconds in which it must end.
        :param silence: seconds for which it may print nothing.
        :raises CommandFailed: it exits with an error, or takes longer.
        """
        variables = {name: os.environ[name] for name in _PASSED if name in os.environ}
        variables["VIRTUAL_ENV"] = str(self.folder / ".venv")
        variables["UV_CACHE_DIR"] = str(self.cache)
        with subprocess.Popen(  # noqa: S603 (uv, and the Python it made)
            [*self.prefix, *command],
            cwd=self.folder,
            env={**variables, **self.variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            try:
                output, errors = _read(process, limit, silence or limit)
            except BaseException:
                process.kill()
                raise
        if process.returncode:
            silent = f"{Path(command[0]).name} ended with exit code {process.returncode}."
            raise CommandFailed(_last_lines(errors or output) or silent)
        return output.strip()


def _read(process: subprocess.Popen[bytes], limit: float, silence: float) -> tuple[str, str]:
    """Read both outputs of a process to their ends.

    :raises CommandFailed: that takes longer than a limit.
    """
    end = time.monotonic() + limit
    outputs: dict[int, list[bytes]] = {}
    with selectors.DefaultSelector() as selector:
        for stream in filter(None, (process.stdout, process.stderr)):
            selector.register(stream, selectors.EVENT_READ)
            outputs[stream.fileno()] = []
        while selector.get_map():
            patience = min(silence, end - time.monotonic())
            ready = selector.select(max(patience, 0))
            if not ready and patience < silence:
                raise CommandFailed(f"It takes longer than {limit:.0f} s, the daemon's limit.")
            if not ready:
                raise CommandFailed(f"uv printed nothing for {silence:.0f} s, the daemon's limit.")
            for key, _ in ready:
                if chunk := os.read(key.fd, 65536):
                    outputs[key.fd].append(chunk)
                else:
                    selector.unregister(key.fileobj)
    output, errors = (b"".join(chunks).decode(errors="replace") for chunks in outputs.values())
    return output, errors


def _uv() -> str:
    uv = find_uv()
    if uv is None:
        raise CommandFailed("The daemon installs with uv, which is missing here: pip install uv.")
    return uv


def _last_lines(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if not _LOGGED.match(line)]
    return "\n".join(lines[-_LAST_LINES:])
