"""An installation, rehearsed: a package unpacked, its environment made and the plugin started.

The steps, their order and their limits are those of Dify's daemon; each runs in a folder that is
gone afterwards. Without a network the commands run in a network namespace of their own, where the
system allows that, and with an index and a proxy that nothing answers otherwise.

Source: ``internal/core/local_runtime`` of the daemon.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from attrs import define, field, frozen

from xinfer.daemon import serverless
from xinfer.daemon.environment import INSTALL_LIMIT, CommandFailed, Environment
from xinfer.daemon.process import PluginProcess
from xinfer.daemon.session import READY_TIMEOUT, CallError, PluginError
from xinfer.plugin.archive import short
from xinfer.plugin.checksum import checksum, identifier, require_identifier
from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.read import plugin_files, plugin_of
from xinfer.spec.manifest import Manifest

_MOST_MODELS = 20
_IMPORT_SDK = (
    "import dify_plugin, importlib.metadata as m; print('dify_plugin', m.version('dify_plugin'))"
)


@frozen
class Step:
    """One step of an installation.

    :param outcome: ``skipped`` where it could not be rehearsed here.
    :param seconds: that it took.
    :param limit: seconds that it may take in the daemon, or in the marketplace's install test.
    :param text: what was seen, or what to do.
    """

    name: str
    outcome: Literal["ok", "failed", "skipped"]
    seconds: float
    limit: float | None = None
    text: str = ""


@define
class Rehearsal:
    """The result of a rehearsal.

    :param sha256: of the file.
    :param network: ``allowed``; ``none``, in a namespace without one; or ``unreachable``, with an
        index and a proxy that do not answer.
    :param memory: bytes that the plugin held at its first heartbeat.
    :param requested: bytes that the manifest asks for.
    :param installed: distributions in the environment, as ``name==version``.
    """

    package: str
    sha256: str
    network: Literal["allowed", "none", "unreachable"] = "allowed"
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
    :param tell: called with each step when it ends.
    :raises OSError: the package cannot be read, or there is no place to install it.
    """
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    rehearsal = Rehearsal(package=package.name, sha256=digest)
    with TemporaryDirectory(prefix="xinfer-") as place, ExitStack() as processes:
        run = _Run(Path(place), rehearsal, processes, network=network, python=python)
        for name, limit, step in run.steps(package):
            began = time.perf_counter()
            outcome: Literal["ok", "failed", "skipped"] = "ok"
            try:
                text = step()
            except _Skipped as reason:
                outcome, text = "skipped", str(reason)
            except (_Failed, CommandFailed, PluginError, CallError) as reason:
                outcome, text = "failed", str(reason)
            done = Step(name, outcome, time.perf_counter() - began, limit, text)
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
    processes: ExitStack
    network: bool
    python: str
    files: PluginFiles = field(init=False)
    manifest: Manifest = field(init=False)
    environment: Environment = field(init=False)
    plugin: PluginProcess = field(init=False)

    def steps(self, package: Path) -> Iterator[tuple[str, float | None, Callable[[], str]]]:
        yield "unpack", None, lambda: self.unpack(package)
        yield "environment", INSTALL_LIMIT, self.install
        yield "byte-compile", INSTALL_LIMIT, self.compile
        yield "import the SDK", None, self.import_sdk
        yield "start", READY_TIMEOUT, self.start
        yield "configuration", None, self.configuration
        yield "model schemas", None, self.model_schemas
        yield "serverless start", serverless.LIMIT, self.serverless

    def unpack(self, package: Path) -> str:
        try:
            self.files = plugin_files(package)
            reading = plugin_of(self.files)
            if reading.manifest is None:
                raise _Failed("There is no manifest.yaml that can be read: run xinfer check.")
            self.manifest = reading.manifest
            folder = self._identify()
            for path in self.files:
                self._write(folder, path)
        except UnreadablePlugin as error:
            raise _Failed(str(error)) from error
        # Without a network a full cache would hide what the package lacks.
        cache = _shared_cache(self.place) if self.network else self.place / ".uv-cache"
        self.environment = Environment(folder, cache, self.network)
        if not self.network:
            self.rehearsal.network = "none" if self.environment.prefix else "unreachable"
        return f"{len(self.files)} files"

    def _identify(self) -> Path:
        """Note what the package is, and return the folder that the daemon gives it."""
        author, name, version = (getattr(self.manifest, n) for n in ("author", "name", "version"))
        require_identifier(author, name, version)
        digest = checksum(self.files)
        self.rehearsal.checksum = digest
        self.rehearsal.identifier = identifier(author, name, version, digest)
        self.rehearsal.requested = self.manifest.resource.memory
        return Path(self.place, author, f"{name}-{version}@{digest}")

    def _write(self, folder: Path, path: str) -> None:
        target = folder / path
        content = self.files[path]
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            target.chmod(0o644)
        except OSError as error:
            raise _Failed(f"{short(path)!r} cannot be written: {error.strerror}.") from error

    def install(self) -> str:
        source = self.environment.make(self.python, self.files)
        self.rehearsal.installed = self.environment.installed()
        return f"{len(self.rehearsal.installed)} distributions, from {source}"

    def compile(self) -> str:
        try:
            self.environment.compile()
        except CommandFailed as reason:
            # The daemon notes this in its log and goes on.
            raise _Skipped(
                f"Some files do not compile, which Dify ignores here: {reason}"
            ) from None
        return ""

    def import_sdk(self) -> str:
        return self.environment.run([self.environment.python, "-c", _IMPORT_SDK])

    def start(self) -> str:
        self.plugin = self.processes.enter_context(
            PluginProcess.start(
                self.environment.folder,
                python=self.environment.python,
                entrypoint=self.manifest.meta.runner.entrypoint,
                environment={"PYTHONPATH": "", **self.environment.variables},
                prefix=self.environment.prefix,
            )
        )
        self.rehearsal.memory = _memory(self.plugin.pid)
        requested = f"the manifest requests {self.rehearsal.requested / 2**20:.0f} MiB"
        if not self.rehearsal.memory:
            return f"first heartbeat; {requested}"
        return f"first heartbeat, with {self.rehearsal.memory / 2**20:.0f} MiB; {requested}"

    def configuration(self) -> str:
        declared = self.plugin.manifest
        for name in ("author", "name", "version"):
            if declared.get(name) != getattr(self.manifest, name):
                raise _Failed(
                    f"The plugin declares {name} {declared.get(name)!r}, its package "
                    f"{getattr(self.manifest, name)!r}: they must agree."
                )
        return "agrees with the package"

    def model_schemas(self) -> str:
        """Ask for the schemas of the declared models, as Dify does before it lists them."""
        reading = plugin_of(self.files)
        models = reading.models[:_MOST_MODELS]
        provider = reading.provider.provider if reading.provider else ""
        for model in models:
            (answer,) = self.plugin.call(
                "get_ai_model_schemas",
                provider=provider,
                model_type=str(model.model_type),
                model=model.model,
                credentials={},
            )
            if not answer.get("model_schema"):
                raise _Failed(f"The plugin does not describe its model {model.model}.")
        return f"{len(models)} of {len(reading.models)} answered"

    def serverless(self) -> str:
        self.processes.close()
        reason = serverless.start(
            self.environment.python,
            self.manifest.meta.runner.entrypoint,
            self.environment.folder,
            prefix=self.environment.prefix,
            environment=self.environment.variables,
        )
        if reason:
            raise _Failed(reason)
        return "its server answers"


def _shared_cache(place: Path) -> Path:
    if cache := os.environ.get("UV_CACHE_DIR"):
        return Path(cache)
    home = os.environ.get("HOME")
    return Path(home) / ".cache/uv" if home else place / ".uv-cache"


def _memory(pid: int) -> int:
    """Read how many bytes a process holds; 0 where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return 0
    for line in status.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
