"""The requirements.txt that the daemon's packager generates from a lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from attrs import evolve

from xinfer.plugin.files import File, PluginFiles, in_package_order
from xinfer.plugin.limits import UnreadablePlugin

REQUIREMENTS, PYPROJECT, LOCK = "requirements.txt", "pyproject.toml", "uv.lock"
DEPENDENCY_FILES = frozenset({REQUIREMENTS, PYPROJECT, LOCK})
_EXPORT = (
    *("export", "--frozen", "--format", "requirements.txt", "--no-group", "dev"),
    *("--no-emit-project", "--no-hashes", "--no-header", "--no-annotate"),
)
_SECONDS = 60


def with_requirements(files: PluginFiles) -> PluginFiles:
    """Add the requirements.txt that the packager generates, if it does.

    It does when there is a pyproject.toml and a uv.lock, and no requirements.txt. A file that is
    left out counts as being there.

    :raises UnreadablePlugin: uv is not installed, or cannot export.
    """
    project, lock = files.on_disk(PYPROJECT), files.on_disk(LOCK)
    if project is None or lock is None or files.on_disk(REQUIREMENTS) is not None:
        return files
    content = _export(project, lock, files.where)
    generated = File(path=REQUIREMENTS, size=len(content), read=lambda: content)
    return evolve(files, files=in_package_order((*files.files, generated)))


def find_uv() -> str | None:
    """Return the path of uv, if it is installed: in this environment, or for all."""
    # UV_PATH is the daemon's; UV is what uv sets for the commands that it runs.
    configured = os.environ.get("UV_PATH") or os.environ.get("UV")
    beside = str(Path(sys.executable).parent)
    return configured or shutil.which("uv", path=beside) or shutil.which("uv")


def _export(project: bytes, lock: bytes, where: Path) -> bytes:
    uv = find_uv()
    if uv is None:
        raise UnreadablePlugin(
            f"{where} has a uv.lock and no requirements.txt, which Dify's packager makes with uv: "
            "install uv, or add a requirements.txt."
        )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / PYPROJECT).write_bytes(project)
        (Path(folder) / LOCK).write_bytes(lock)
        try:
            exported = subprocess.run(  # noqa: S603
                [uv, *_EXPORT], cwd=folder, capture_output=True, check=False, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnreadablePlugin(f"uv export failed for {where}: {error}.") from None
    if exported.returncode:
        reason = exported.stderr.decode(errors="replace").strip()
        raise UnreadablePlugin(f"uv export failed for {where}: {reason}")
    return exported.stdout
