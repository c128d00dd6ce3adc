"""The plugins that are compared, emitted into a folder and byte-compiled.

``ours`` is what ``provider_spec.py`` declares; ``floor``, ``peer`` and ``sdk`` declare the same
models and bring the Python in ``benchmarks/plugins/`` instead of xinfer's runtime. ``before`` is a
plugin that an earlier commit has built, in the folder that :data:`BEFORE` names.
"""

from __future__ import annotations

import compileall
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from xinfer.build.emit import emit
from xinfer.build.preparation import prepare
from xinfer.build.sources import carried_files
from xinfer.plugin.writer import FileTree, write_tree
from xinfer.spec.declaration import evolve

ROOT = Path(__file__).parent.parent
BEFORE = "XINFER_BENCH_BEFORE"
"""The variable that names a checkout of an earlier commit, with its plugin built in ``dist/``."""


def before() -> Path | None:
    """Return the plugin of the earlier commit, if there is one to compare with."""
    checkout = os.environ.get(BEFORE)
    return Path(checkout) / "dist/xinference" if checkout else None


def write_plugins(folder: Path) -> dict[str, Path]:
    """Write every contestant below a folder; return where each one lies."""
    written = {}
    for name, tree in TREES.items():
        plugin = folder / name
        write_tree(tree(), plugin)
        written[name] = plugin
    if earlier := before():
        written["before"] = folder / "before"
        shutil.copytree(earlier, written["before"])
    for plugin in written.values():
        compileall.compile_dir(plugin, quiet=2)
    return written


def _ours() -> FileTree:
    return prepare(ROOT / "provider_spec.py").tree


def _with_code_of(name: str, *beneath: str) -> FileTree:
    project = prepare(ROOT / "provider_spec.py").project
    renamed = evolve(project, manifest=evolve(project.manifest, name=f"bench-{name}"))
    folders = (Path(__file__).parent / "plugins" / each for each in (*beneath, name))
    code = {path: content for each in folders for path, content in carried_files(each).tree.items()}
    carried = {**carried_files(ROOT / project.files).tree, **code}
    return emit(renamed, modules={}, carried=carried, runtime={})


TREES: Mapping[str, Callable[[], FileTree]] = {
    "ours": _ours,
    "floor": lambda: _with_code_of("floor"),
    "peer": lambda: _with_code_of("peer"),
    "sdk": lambda: _with_code_of("sdk", "floor"),
}
