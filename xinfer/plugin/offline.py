"""A package that installs without an index: the wheels of its requirements, and how to use them.

Dify's daemon makes the environment of a plugin with ``uv sync``, or with ``uv pip install`` where
there is no pyproject.toml. Both read the sources of packages from the plugin's own files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from attrs import evolve, frozen
from packaging.utils import parse_wheel_filename

from xinfer.plugin.files import File, PluginFiles, in_package_order
from xinfer.plugin.requirements import LOCK, PYPROJECT, REQUIREMENTS, find_uv
from xinfer.plugin.toml import NotTOML, read_toml

WHEELS = "wheels"
_SECONDS = 600
_GLIBC = range(5, 37)
"""The glibc of Dify's image is 2.36; wheels for an older one run there."""

type Pins = Mapping[str, frozenset[str]]
"""What is installed on each machine, as ``name==version``."""


class OfflineError(Exception):
    """A package for installation without an index cannot be made; ``str`` says why."""


@frozen
class _Platform:
    """A machine on which Dify runs.

    :param uv: the name of the platform in uv.
    :param machine: the name of its processor in wheels.
    """

    uv: str
    machine: str

    @property
    def tags(self) -> Iterator[str]:
        """The platforms of wheels that run there."""
        yield from (f"manylinux_2_{minor}_{self.machine}" for minor in reversed(_GLIBC))
        yield from (f"{old}_{self.machine}" for old in ("manylinux2014", "manylinux2010"))
        yield from (f"manylinux1_{self.machine}", f"linux_{self.machine}")


PLATFORMS: Mapping[str, _Platform] = {
    "linux/amd64": _Platform("x86_64-manylinux_2_28", "x86_64"),
    "linux/arm64": _Platform("aarch64-manylinux_2_28", "aarch64"),
}
"""Where Dify's images run."""


def with_wheels(files: PluginFiles, platforms: Sequence[str], python: str) -> PluginFiles:
    """Add the wheels of everything that a plugin requires, and let uv take them alone.

    The lock of the plugin names the addresses of an index; one of the wheels alone takes its place.
    It holds their hashes, which uv compares before it installs.

    :param platforms: some of :data:`PLATFORMS`.
    :param python: the version of Python in Dify's daemon.
    :raises OfflineError: a requirement has no wheel, or uv or pip is missing.
    """
    for name in platforms:
        if name not in PLATFORMS:
            choices = ", ".join(PLATFORMS)
            raise OfflineError(f"There is no platform {name!r}; Dify runs on {choices}.")
    if any(path.startswith(f"{WHEELS}/") for path in files):
        raise OfflineError(
            f"There is a folder {WHEELS} already: pack the plugin that does not bring its wheels."
        )
    chosen = [PLATFORMS[name] for name in dict.fromkeys(platforms)]
    with tempfile.TemporaryDirectory() as folder:
        wheels = Path(folder) / WHEELS
        wheels.mkdir()
        pins = {}
        for platform in chosen:
            downloaded = Path(folder) / platform.machine
            _download(_resolve(files, platform, python, Path(folder)), platform, python, downloaded)
            pins[platform.machine] = frozenset(_pin(wheel) for wheel in downloaded.iterdir())
            for wheel in downloaded.iterdir():
                wheel.replace(wheels / wheel.name)
        added = {f"{WHEELS}/{wheel.name}": wheel.read_bytes() for wheel in sorted(wheels.iterdir())}
        if PYPROJECT in files:
            text = _configured(files[PYPROJECT].decode(), pins, python)
            (Path(folder) / PYPROJECT).write_text(text, "utf-8")
            added[PYPROJECT] = text.encode()
            added[LOCK] = _locked(Path(folder), python, added)
    if REQUIREMENTS in files or PYPROJECT not in files:
        added[REQUIREMENTS] = _pinned(pins, added).encode()
    unchanged = (file for file in files.files if file.path not in added and file.path != LOCK)
    added_files = (
        File(path=path, size=len(content), read=lambda content=content: content)  # type: ignore[misc]
        for path, content in added.items()
    )
    return evolve(files, files=in_package_order((*unchanged, *added_files)))


def _resolve(files: PluginFiles, platform: _Platform, python: str, folder: Path) -> Path:
    """Pin what a plugin requires on a platform; return the file with the pins."""
    source = PYPROJECT if PYPROJECT in files else REQUIREMENTS
    if source not in files:
        raise OfflineError("The plugin has neither pyproject.toml nor requirements.txt.")
    (folder / source).write_bytes(files[source])
    constraints: list[str] = []
    if source == PYPROJECT and LOCK in files and REQUIREMENTS in files:
        # What the lock pins, exported by the packager.
        (folder / "locked.txt").write_bytes(files[REQUIREMENTS])
        constraints = ["--constraints", "locked.txt"]
    pins = folder / f"{platform.machine}.txt"
    _run(
        [
            *(_uv(), "pip", "compile", source, *constraints, "--output-file", str(pins)),
            *("--python-platform", platform.uv, "--python-version", python),
            *("--only-binary", ":all:", "--generate-hashes", "--no-header", "--no-annotate"),
        ],
        folder,
        "The requirements cannot be resolved to wheels",
    )
    return pins


def _download(pins: Path, platform: _Platform, python: str, wheels: Path) -> None:
    _run(
        [
            *(*_pip(), "download", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--requirement", str(pins), "--dest", str(wheels)),
            *("--python-version", python, "--implementation", "cp", "--quiet"),
            *(f"--platform={tag}" for tag in platform.tags),
            "--disable-pip-version-check",
        ],
        pins.parent,
        "A wheel cannot be downloaded",
    )


_INDEXES = frozenset(
    f"UV_{name}"
    for name in ("INDEX", "DEFAULT_INDEX", "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX")
)
"""Variables that would replace what pyproject.toml sets."""
_PATH = re.compile(r'\{ path = "(?P<wheel>[^"]+\.whl)"(, hash = "[^"]*")?')


def _locked(folder: Path, python: str, added: Mapping[str, bytes]) -> bytes:
    """Lock the wheels of a folder, and write the hash of each into the lock."""
    command = [_uv(), "lock", "--offline", "--python", python]
    own = {name: value for name, value in os.environ.items() if name not in _INDEXES}
    _run(command, folder, "The wheels cannot be locked", own)

    def with_hash(match: re.Match[str]) -> str:
        digest = hashlib.sha256(added[f"{WHEELS}/{match['wheel']}"]).hexdigest()
        return f'{{ path = "{match["wheel"]}", hash = "sha256:{digest}"'

    return _PATH.sub(with_hash, (folder / LOCK).read_text("utf-8")).encode()


def _pinned(pins: Pins, added: Mapping[str, bytes]) -> str:
    """Write requirements that are the wheels themselves, with their hashes."""
    hashes: dict[str, list[str]] = {}
    for path, content in added.items():
        if path.startswith(f"{WHEELS}/"):
            hashes.setdefault(_pin(Path(path)), []).append(hashlib.sha256(content).hexdigest())
    lines = ["--no-index", f"--find-links {WHEELS}"]
    for pin, marker in _marked(pins):
        hashed = (f"--hash=sha256:{digest}" for digest in hashes[pin])
        lines.append(" ".join([pin + marker, *hashed]))
    return "\n".join(lines) + "\n"


def _pin(wheel: Path) -> str:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    return f"{name}=={version}"


def _marked(pins: Pins) -> Iterator[tuple[str, str]]:
    """Pair each pin with the marker of the machines that it is for, if not for all."""
    for pin in sorted(frozenset().union(*pins.values())):
        machines = [machine for machine in pins if pin in pins[machine]]
        on = " or ".join(f"platform_machine == '{machine}'" for machine in machines)
        yield pin, "" if len(machines) == len(pins) else f" ; {on}"


def _uv() -> str:
    uv = find_uv()
    if uv is None:
        raise OfflineError("The requirements are resolved with uv: install it.")
    return uv


def _pip() -> list[str]:
    if find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    return [_uv(), "tool", "run", "--quiet", "pip"]


def _run(
    command: list[str], folder: Path, failure: str, environment: Mapping[str, str] | None = None
) -> None:
    try:
        done = subprocess.run(  # noqa: S603
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise OfflineError(f"{failure}: {error}.") from None
    if done.returncode:
        lines = [line.strip() for line in done.stderr.decode(errors="replace").splitlines()]
        errors = [line for line in lines if line.startswith("ERROR")] or lines
        reason = " ".join(filter(None, errors[-1:] if errors is not lines else lines))
        reason = reason or f"{Path(command[0]).name} ended with exit code {done.returncode}."
        raise OfflineError(f"{failure}: {re.sub('^(ERROR|error): ', '', reason)}")


_SETTINGS = frozenset({"no-index", "find-links", "environments", "constraint-dependencies"})


def _configured(pyproject: str, pins: Pins, python: str) -> str:
    """Let ``uv sync`` take the wheels alone, for the machines of the pins alone."""
    try:
        tool = read_toml(pyproject).get("tool", {}).get("uv", {})
    except (NotTOML, AttributeError):
        raise OfflineError("pyproject.toml cannot be read.") from None
    sources = list(tool.get("sources", {}))
    if sources:
        raise OfflineError(
            f"[tool.uv.sources] takes {', '.join(sources)} from another place: remove it."
        )
    present = sorted(_SETTINGS & tool.keys())
    if present:
        raise OfflineError(f"[tool.uv] sets {', '.join(present)} already: remove it.")
    machines = " or ".join(f"platform_machine == '{machine}'" for machine in pins)
    environment = (
        f"sys_platform == 'linux' and python_version == '{python}' and ({machines}) "
        "and platform_python_implementation == 'CPython'"
    )
    settings = (
        f'no-index = true\nfind-links = ["{WHEELS}"]\nenvironments = [{json.dumps(environment)}]\n'
    )
    # Where machines differ in a version, one lock holds both.
    if constraints := [pin + marker for pin, marker in _marked(pins) if marker]:
        settings += f"constraint-dependencies = {json.dumps(constraints)}\n"
    pyproject = _without_groups(pyproject)
    header = re.search(r"^\[tool\.uv\][ \t]*(#.*)?\n", pyproject, re.MULTILINE)
    if header:
        return pyproject[: header.end()] + settings + pyproject[header.end() :]
    return f"{pyproject.rstrip()}\n\n[tool.uv]\n{settings}"


_GROUPS = re.compile(
    r"^\[(dependency-groups|project\.optional-dependencies)\][^\n]*\n((?!\[)[^\n]*\n?)*",
    re.MULTILINE,
)


def _without_groups(pyproject: str) -> str:
    """Leave out groups and extras, which the daemon does not install and which have no wheels."""
    text = _GROUPS.sub("", pyproject)
    data = read_toml(text)
    if "dependency-groups" in data or "optional-dependencies" in data.get("project", {}):
        raise OfflineError("pyproject.toml has inline groups of dependencies: remove them.")
    return f"{text.rstrip()}\n\n[dependency-groups]\ndev = []\n"
