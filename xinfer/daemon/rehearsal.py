"""An installation, rehearsed: a package unpacked, its environment made and the plugin started.

The steps, their order and their limits are those of Dify's daemon; each runs in a folder that is
gone afterwards. Without a network the commands run in a network namespace of their own, where the
system allows that, and with an index and a proxy that nothing answers otherwise.

Source: ``internal/core/local_runtime`` of the daemon.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from attrs import define, field, frozen

from xinfer.daemon import offline
from xinfer.daemon.process import PluginProcess
from xinfer.daemon.session import CallError, PluginError
from xinfer.plugin.archive import short
from xinfer.plugin.checksum import checksum, identifier, require_identifier
from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.read import plugin_files, plugin_of
from xinfer.spec.manifest import Manifest

ENVIRONMENT_LIMIT = 600.0
"""Seconds in which the daemon must have made the environment."""
HEARTBEAT_LIMIT = 120.0
"""Seconds in which the first heartbeat must come."""
SERVERLESS_LIMIT = 20.0
"""Seconds in which the marketplace's install test must reach the plugin in serverless mode."""

_PASSED = (
    *("PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "UV_INDEX_URL", "UV_DEFAULT_INDEX"),
    *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
)
"""The variables that the daemon lets uv see; it has no ``HOME``."""
_MOST_MODELS = 20
_LOOK = 0.1


@frozen
class Step:
    """One step of an installation.

    :param outcome: ``skipped`` where it could not be rehearsed here.
    :param seconds: that it took.
    :param text: what was seen, or what to do.
    """

    name: str
    outcome: Literal["ok", "failed", "skipped"]
    seconds: float
    text: str = ""


@define
class Rehearsal:
    """What came of it.

    :param memory: bytes that the plugin held at its first heartbeat.
    :param requested: bytes that the manifest asks for.
    :param installed: distributions in the environment, as ``name==version``.
    """

    package: str
    sha256: str
    checksum: str = ""
    identifier: str = ""
    steps: list[Step] = field(factory=list)
    memory: int = 0
    requested: int = 0
    installed: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether no step failed."""
        return all(step.outcome != "failed" for step in self.steps)


class _Failed(Exception):
    """A step failed; ``str`` says why."""


class _Skipped(Exception):
    """A step cannot be rehearsed here; ``str`` says why."""


def rehearse(
    package: Path,
    *,
    network: bool = True,
    python: str = "3.12",
    tell: Callable[[Step], None] = lambda _: None,
) -> Rehearsal:
    """Install a package as the daemon does, and remove it again; the first failed step ends it.

    :param network: whether the installation may use one.
    :param python: the version of the environment; the daemon's is always 3.12.
    :param tell: is told each step as it ends.
    :raises UnreadablePlugin: the package cannot be opened.
    """
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    rehearsal = Rehearsal(package=package.name, sha256=digest)
    with TemporaryDirectory(prefix="xinfer-") as place:
        run = _Run(Path(place), rehearsal, network=network, python=python)
        for name, step in run.steps(package):
            began = time.perf_counter()
            outcome: Literal["ok", "failed", "skipped"] = "ok"
            try:
                text = step()
            except _Skipped as reason:
                outcome, text = "skipped", str(reason)
            except (_Failed, PluginError, CallError) as reason:
                outcome, text = "failed", str(reason)
            done = Step(name, outcome, time.perf_counter() - began, text)
            rehearsal.steps.append(done)
            tell(done)
            if outcome == "failed":
                break
    return rehearsal


@define
class _Run:
    """One installation, in a folder of its own."""

    place: Path
    rehearsal: Rehearsal
    network: bool
    python: str
    files: PluginFiles = field(init=False)
    manifest: Manifest = field(init=False)
    folder: Path = field(init=False)

    def steps(self, package: Path) -> Iterator[tuple[str, Callable[[], str]]]:
        yield "unpack", lambda: self.unpack(package)
        yield "environment", self.environment
        yield "byte-compile", self.compile
        yield "import the SDK", self.import_sdk
        yield "start", self.start
        yield "serverless start", self.serverless

    def unpack(self, package: Path) -> str:
        try:
            self.files = plugin_files(package)
            reading = plugin_of(self.files)
            if reading.manifest is None:
                raise _Failed("There is no manifest.yaml that can be read: run xinfer check.")
            self.manifest = reading.manifest
            self._identify()
            for path in self.files:
                self._write(path)
        except UnreadablePlugin as error:
            raise _Failed(str(error)) from error
        return f"{len(self.files)} files"

    def _identify(self) -> None:
        author, name, version = (getattr(self.manifest, n) for n in ("author", "name", "version"))
        require_identifier(author, name, version)
        digest = checksum(self.files)
        self.rehearsal.checksum = digest
        self.rehearsal.identifier = identifier(author, name, version, digest)
        self.rehearsal.requested = self.manifest.resource.memory
        self.folder = self.place / author / f"{name}-{version}@{digest}"

    def _write(self, path: str) -> None:
        target = self.folder / path
        content = self.files[path]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o644)
        except OSError as error:
            raise _Failed(f"{short(path)!r} cannot be written: {error.strerror}.") from error

    def environment(self) -> str:
        uv = _uv()
        self._command([uv, "venv", ".venv", "--python", self.python], limit=ENVIRONMENT_LIMIT)
        if "pyproject.toml" in self.files:
            frozen_ = ["--frozen"] if "uv.lock" in self.files else []
            self._command([uv, "sync", "--no-dev", *frozen_], limit=ENVIRONMENT_LIMIT)
            source = "pyproject.toml"
        elif "requirements.txt" in self.files:
            install = [uv, "pip", "install", "-r", "requirements.txt"]
            self._command(install, limit=ENVIRONMENT_LIMIT)
            source = "requirements.txt"
        else:
            raise _Failed("There is neither pyproject.toml nor requirements.txt: add one.")
        frozen_text = self._command([uv, "pip", "freeze"], limit=60)
        self.rehearsal.installed = tuple(frozen_text.split("\n")) if frozen_text else ()
        return f"{len(self.rehearsal.installed)} distributions, from {source}"

    def compile(self) -> str:
        pattern = r"\.venv|\.uv-cache"
        command = [self._interpreter, "-m", "compileall", "-q", "-x", pattern, "."]
        try:
            self._command(command, limit=ENVIRONMENT_LIMIT)
        except _Failed as reason:
            # The daemon notes this in its log and goes on.
            raise _Skipped(
                f"Some files do not compile, which Dify ignores here: {reason}"
            ) from None
        return ""

    def import_sdk(self) -> str:
        return self._command(
            [
                self._interpreter,
                "-c",
                "import dify_plugin, importlib.metadata as m; "
                "print('dify_plugin', m.version('dify_plugin'))",
            ],
            limit=HEARTBEAT_LIMIT,
        )

    def start(self) -> str:
        began = time.perf_counter()
        entrypoint = self.manifest.meta.runner.entrypoint
        options: dict[str, Any] = {
            "python": self._interpreter,
            "entrypoint": entrypoint,
            "environment": {"PYTHONPATH": "", **self._offline_variables},
            "prefix": self._prefix,
        }
        with PluginProcess.start(self.folder, **options) as plugin:
            ready = time.perf_counter() - began
            self.rehearsal.memory = _memory(plugin.pid)
            declared = plugin.manifest
            for name in ("author", "name", "version"):
                if declared.get(name) != getattr(self.manifest, name):
                    raise _Failed(
                        f"The plugin declares {name} {declared.get(name)!r}, its package "
                        f"{getattr(self.manifest, name)!r}: they must agree."
                    )
            schemas = self._schemas(plugin)
        memory = (
            f"{self.rehearsal.memory / 2**20:.0f} MiB of {self.rehearsal.requested / 2**20:.0f}"
        )
        return f"first heartbeat after {ready:.1f} s, {memory} MiB requested, {schemas}"

    def _schemas(self, plugin: PluginProcess) -> str:
        """Ask for the schemas of the declared models, as Dify does before it lists them."""
        reading = plugin_of(self.files)
        models = reading.models[:_MOST_MODELS]
        provider = reading.provider.provider if reading.provider else ""
        for model in models:
            (answer,) = plugin.call(
                "get_ai_model_schemas",
                provider=provider,
                model_type=str(model.model_type),
                model=model.model,
                credentials={},
            )
            if not answer.get("model_schema"):
                raise _Failed(f"The plugin does not describe its model {model.model}.")
        return f"{len(models)} of {len(reading.models)} model schemas answered"

    def serverless(self) -> str:
        if not self.network:
            raise _Skipped("It needs a port of this machine, which an offline rehearsal lacks.")
        port = _free_port()
        mode = {
            "INSTALL_METHOD": "serverless",
            "SERVERLESS_HOST": "127.0.0.1",
            "SERVERLESS_PORT": str(port),
            "SERVERLESS_WORKERS": "1",
            "PYTHONPATH": "",
        }
        command = [self._interpreter, "-m", self.manifest.meta.runner.entrypoint]
        with _process(command, self.folder, {**os.environ, **mode}) as process:
            began = time.perf_counter()
            while time.perf_counter() - began < SERVERLESS_LIMIT:
                if process.poll() is not None:
                    raise _Failed(f"The plugin ended with exit code {process.returncode}.")
                if _healthy(port):
                    return f"answers after {time.perf_counter() - began:.1f} s"
                time.sleep(_LOOK)
        raise _Failed(
            f"It does not answer within {SERVERLESS_LIMIT:.0f} s, the marketplace's limit: import "
            "less at the start."
        )

    @property
    def _interpreter(self) -> str:
        return str(self.folder / ".venv/bin/python")

    @property
    def _prefix(self) -> tuple[str, ...]:
        return () if self.network else offline.namespace()

    @property
    def _offline_variables(self) -> Mapping[str, str]:
        return {} if self.network else offline.VARIABLES

    def _command(self, command: Sequence[str], *, limit: float) -> str:
        """Run a command in the plugin's folder as the daemon does, and return what it prints."""
        variables = {name: os.environ[name] for name in _PASSED if name in os.environ}
        variables["VIRTUAL_ENV"] = str(self.folder / ".venv")
        # Offline a full cache would hide what the package lacks.
        cache = self.place / ".uv-cache" if not self.network else _shared_cache(self.place)
        variables["UV_CACHE_DIR"] = str(cache)
        try:
            done = subprocess.run(  # noqa: S603 (uv, and the Python it made)
                [*self._prefix, *command],
                cwd=self.folder,
                env={**variables, **self._offline_variables},
                capture_output=True,
                text=True,
                timeout=limit,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise _Failed(f"It takes longer than {limit:.0f} s, the daemon's limit.") from None
        if done.returncode:
            raise _Failed(_last_lines(done.stderr or done.stdout))
        return done.stdout.strip()


def _uv() -> str:
    beside = str(Path(sys.executable).parent)
    uv = shutil.which("uv") or shutil.which("uv", path=beside)
    if uv is None:
        raise _Failed("The daemon installs with uv, which is missing here: pip install uv.")
    return uv


def _shared_cache(place: Path) -> Path:
    home = os.environ.get("UV_CACHE_DIR") or os.environ.get("HOME")
    if home is None:
        return place / ".uv-cache"
    return Path(home) if "UV_CACHE_DIR" in os.environ else Path(home) / ".cache/uv"


@contextmanager
def _process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 (the plugin that is rehearsed)
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _memory(pid: int) -> int:
    """Read how many bytes a process holds; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    for line in status.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def _last_lines(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-8:]) or f"It failed on {sys.platform}."
