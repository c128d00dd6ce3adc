"""One task of those rows, in a process of its own: prints the seconds it took, imports aside.

``python -m benchmarks.tooling_tasks parse FOLDER``
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path


def _parse(folder: Path) -> Callable[[], object]:
    from ruamel.yaml import YAML

    files = sorted(folder.rglob("*.yaml"))
    # As fast as it goes here: in C, where that is installed.
    loader = YAML(typ="safe")
    return lambda: [loader.load(file.read_bytes()) for file in files]


def _check(folder: Path) -> Callable[[], object]:
    from xinfer.plugin.read import read_plugin
    from xinfer.rules import check

    return lambda: check(read_plugin(folder))


def _check_spec(folder: Path) -> Callable[[], object]:
    from xinfer.build.preparation import prepare
    from xinfer.rules import check

    def run() -> object:
        prepared = prepare(folder / "provider_spec.py")
        return check(prepared.plugin)

    return run


def _import(folder: Path) -> Callable[[], object]:
    from xinfer.importer import import_plugin, write_spec
    from xinfer.plugin.read import read_plugin

    out = Path(tempfile.mkdtemp(dir=folder.parent)) / "imported"
    return lambda: write_spec(import_plugin(read_plugin(folder)), out)


TASKS: Mapping[str, Callable[[Path], Callable[[], object]]] = {
    "parse": _parse,
    "check": _check,
    "check-spec": _check_spec,
    "import": _import,
}

if __name__ == "__main__":
    task = TASKS[sys.argv[1]](Path(sys.argv[2]))
    began = time.perf_counter()
    task()
    print(time.perf_counter() - began)
