"""A project to a plugin on disk: one pure function to files, one writer.

:func:`prepare` reads the spec and what goes with it, and makes the files in memory;
:func:`write` puts them on disk; :meth:`Prepared.differences` says what that would change. Each
is imported when it is used: :func:`load_spec` alone needs neither the rules nor YAML.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xinfer.build.emit import SPEC
    from xinfer.build.load import LoadedSpec, SpecError, load_spec
    from xinfer.build.preparation import (
        BuildError,
        Built,
        Prepared,
        WrongValues,
        plugin,
        prepare,
        write,
    )
    from xinfer.plugin.archive import pack
    from xinfer.plugin.requirements import with_requirements
    from xinfer.plugin.writer import FileTree, write_tree

__all__ = [
    "SPEC",
    "BuildError",
    "Built",
    "FileTree",
    "LoadedSpec",
    "Prepared",
    "SpecError",
    "WrongValues",
    "load_spec",
    "pack",
    "plugin",
    "prepare",
    "with_requirements",
    "write",
    "write_tree",
]

_MODULES = {
    "SPEC": "xinfer.build.emit",
    "FileTree": "xinfer.plugin.writer",
    "LoadedSpec": "xinfer.build.load",
    "SpecError": "xinfer.build.load",
    "load_spec": "xinfer.build.load",
    "pack": "xinfer.plugin.archive",
    "with_requirements": "xinfer.plugin.requirements",
    "write_tree": "xinfer.plugin.writer",
}
"""Where a name is that is not of ``xinfer.build.preparation``."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "xinfer.build.preparation")), name)
