"""The plugins that are compared, emitted into a folder and byte-compiled.

``ours`` is what ``provider_spec.py`` declares; ``floor`` and ``peer`` declare the same models and
bring the Python in ``benchmarks/plugins/`` instead of xinfer's runtime.
"""

from __future__ import annotations

import compileall
from collections.abc import Callable, Mapping
from pathlib import Path

from xinfer.build import FileTree, emit, prepare, write_tree
from xinfer.build.sources import carried_files
from xinfer.spec.declaration import evolve

ROOT = Path(__file__).parent.parent


def write_plugins(folder: Path) -> dict[str, Path]:
    """Write every contestant below a folder; return where each one lies."""
    written = {}
    for name, tree in TREES.items():
        plugin = folder / name
        write_tree(tree(), plugin)
        compileall.compile_dir(plugin, quiet=2)
        written[name] = plugin
    return written


def _ours() -> FileTree:
    return prepare(ROOT / "provider_spec.py").tree


def _with_code_of(name: str) -> FileTree:
    project = prepare(ROOT / "provider_spec.py").project
    named = evolve(project, manifest=evolve(project.manifest, name=f"bench-{name}"))
    code = carried_files(Path(__file__).parent / "plugins" / name)
    carried = {**carried_files(ROOT / project.files), **code}
    return emit(named, modules={}, carried=carried, runtime={})


TREES: Mapping[str, Callable[[], FileTree]] = {
    "ours": _ours,
    "floor": lambda: _with_code_of("floor"),
    "peer": lambda: _with_code_of("peer"),
}
