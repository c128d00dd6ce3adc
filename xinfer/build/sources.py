"""What a plugin takes over as it is: the project's own folder, and xinfer's runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from xinfer.plugin.writer import FileTree
from xinfer.spec import Project

_XINFER = Path(__file__).parent.parent
_NEVER = {".git", ".venv", "__pycache__", ".DS_Store", ".env", ".mypy_cache", ".ruff_cache"}
"""What an editor, a test run or a secret leaves in a folder, and no plugin may hold."""


class CarriedFileError(Exception):
    """A file of the project's own folder cannot go into a plugin."""


def carried_files(folder: Path) -> FileTree:
    """Read the project's own files, by path from the plugin's root; none where there is no folder.

    :raises CarriedFileError: a link that leads out of the folder.
    """
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(folder, folder)
    }


def runtime_files(project: Project) -> FileTree:
    """Read the part of xinfer that the plugin runs on: what it declares with, and what it calls.

    A provider that brings its own code for all its models needs the declarations alone.
    """
    rooms = ["spec", "runtime"] if project.customizable_models else ["spec"]
    files = [_XINFER / "__init__.py", _XINFER / "py.typed"]
    files += [path for room in rooms for path in sorted((_XINFER / room).rglob("*.py"))]
    return {f"xinfer/{path.relative_to(_XINFER).as_posix()}": path.read_bytes() for path in files}


def _files(folder: Path, root: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name in _NEVER:
            continue
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise CarriedFileError(
                f"{path} leads out of {root}: put the file itself there, so that every machine "
                "builds the same plugin."
            )
        if path.is_dir():
            yield from _files(path, root)
        else:
            yield path
