"""What a plugin takes over as it is: the project's own folder, and xinfer's runtime."""

from __future__ import annotations

import ast
from pathlib import Path

from attrs import frozen

from xinfer.plugin.files import Excluded
from xinfer.plugin.folder import plugin_folder
from xinfer.plugin.ignore import DEFAULT_IGNORE
from xinfer.plugin.requirements import DEPENDENCY_FILES
from xinfer.plugin.writer import FileTree
from xinfer.spec import Project

_XINFER = Path(__file__).parent.parent


class CarriedFileError(Exception):
    """A file of the project's own folder cannot go into a plugin."""


@frozen
class Carried:
    """The project's own files.

    :param tree: contents by path from the plugin's root.
    :param sources: where each of them is.
    :param left_out: what the ignore file leaves out.
    """

    tree: FileTree
    sources: dict[str, Path]
    left_out: tuple[Excluded, ...] = ()


def carried_files(folder: Path) -> Carried:
    """Read the project's own files; none if there is no such folder.

    :raises CarriedFileError: a file cannot be packed alike on every machine, e.g. a link.
    """
    if not folder.is_dir():
        return Carried({}, {})
    files = plugin_folder(folder, default=DEFAULT_IGNORE)
    for fault in files.unpackable:
        raise CarriedFileError(
            f"{folder / fault.path} is {fault.reason}: put an ordinary file there, or leave it "
            "out with a line in .difyignore."
        )
    # The packager looks for these on disk, left out or not, before it makes a requirements.txt.
    unpacked = {gone.path: gone.read() for gone in files.left_out if gone.path in DEPENDENCY_FILES}
    return Carried(
        tree={**files, **unpacked},
        sources={file.path: file.source for file in files.files if file.source},
        left_out=tuple(gone for gone in files.left_out if gone.path not in unpacked),
    )


def runtime_files(project: Project, own: FileTree) -> FileTree:
    """Read the parts of xinfer that a plugin needs: those of its runtime, and those it imports.

    :param own: the files of the plugin; their Python tells what is imported.
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
