"""What a plugin takes over as it is: the project's own folder, and xinfer's runtime."""

from __future__ import annotations

import ast
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


def runtime_files(project: Project, own: FileTree) -> FileTree:
    """Read the parts of xinfer that a plugin needs: those of its runtime, and those it imports.

    :param own: the Python of the plugin's own.
    """
    packages = set(_PACKAGES) if project.runtime else set()
    for module in imported_modules(own):
        packages |= {name for name in _PACKAGES if _within(module, f"xinfer.{name}")}
    if not packages:
        return {}
    if packages != {"spec"}:
        packages = set(_PACKAGES)
    files = [_XINFER / "__init__.py", _XINFER / "py.typed"]
    if "runtime" in packages:
        files.append(_XINFER / "runtime/__init__.py")
    files += [path for name in sorted(packages) for path in sorted((_XINFER / name).rglob("*.py"))]
    return {f"xinfer/{path.relative_to(_XINFER).as_posix()}": path.read_bytes() for path in files}


def spec_modules(project: Project, modules: FileTree, own: FileTree) -> FileTree:
    """Return the spec's modules where the runtime, or Python of the plugin's own, imports them."""
    names = {path.removesuffix(".py").replace("/", ".") for path in modules}
    return modules if project.runtime or names & imported_modules(own) else {}


_PACKAGES = ("spec", "runtime")
"""What can be carried: the declarations, and what runs on them."""


def imported_modules(tree: FileTree) -> set[str]:
    """Collect the modules that a plugin's Python imports, by its syntax; ``a.b`` for ``from a.b``.

    A file that does not parse imports nothing: checks report it.
    """
    modules: set[str] = set()
    for path, content in tree.items():
        if not path.endswith(".py"):
            continue
        try:
            syntax = ast.parse(content)
        except (SyntaxError, ValueError):
            continue
        for node in ast.walk(syntax):
            if isinstance(node, ast.Import):
                modules |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return modules


def _within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


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
