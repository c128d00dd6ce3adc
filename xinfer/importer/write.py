"""A project on disk: its modules, formatted, and the files that go with them."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from attrs import evolve

from xinfer.build.preparation import plugin
from xinfer.importer.baseline import entries, write_baseline
from xinfer.importer.evaluate import evaluate
from xinfer.importer.expressions import UnwritableValue
from xinfer.importer.imported import Imported, ImportFailed
from xinfer.importer.project import MODELS, SPEC, modules_of
from xinfer.ruff import run_ruff
from xinfer.rules import Finding, check
from xinfer.spec import Project
from xinfer.spec.project import complete, model_file
from xinfer.yaml import to_data


def write_spec(imported: Imported, out: Path, *, baseline: bool = False) -> Path:
    """Write the project into a new folder and return its spec, which builds the same YAML.

    :param baseline: whether to suppress what a check finds in it.
    :raises ImportFailed: something stands there already, or the spec would not build the same;
        nothing is written then.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ImportFailed(f"{out} is not an empty folder. Name another one with -o.")
    out.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        _write_modules(imported, staging)
        for path, content in imported.copied.items():
            _write(staging / "plugin" / path, content)
        if baseline:
            _write_baseline(imported, staging)
        staging.chmod(0o755)
        if out.exists():
            out.rmdir()
        staging.rename(out)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return out / SPEC


def _write_modules(imported: Imported, folder: Path) -> None:
    """Write the spec and its modules, and make sure that they declare what was read."""
    try:
        sources = modules_of(imported)
    except UnwritableValue as error:
        raise ImportFailed(f"The plugin cannot be written as Python: {error}.") from None
    for path, source in sources.items():
        _write(folder / path, source.encode("utf-8", "backslashreplace"))
    _format(folder, list(sources))
    _compare({path: (folder / path).read_text("utf-8") for path in sources}, imported)


def _write_baseline(imported: Imported, folder: Path) -> None:
    """Suppress what a check finds: in comments, and in the spec for files that cannot hold any.

    The spec is loaded for that; :func:`_compare` has seen that it holds nothing but declarations.
    """
    left = _comment(folder)
    if ignore := entries(left, folder):
        # Written anew, the modules have no comments; those in the other files stay.
        _write_modules(evolve(imported, ignore=ignore), folder)
        _comment(folder)


def _comment(folder: Path) -> tuple[Finding, ...]:
    """Write the comments and format the modules; return what cannot have a comment."""
    modules = [folder / SPEC, *sorted((folder / MODELS).glob("*.py"))]
    before = {path: path.read_text("utf-8") for path in modules}
    built = plugin(folder / SPEC)
    left = write_baseline(built, check(built))
    commented = [path.read_text("utf-8") for path in modules]
    _format(folder, [str(path) for path in modules])
    if commented != [path.read_text("utf-8") for path in modules]:
        # Around a comment arguments get a line each, and stay there without it.
        for path in modules:
            _write(path, _without_comments(path.read_text("utf-8"), before[path]).encode())
        built = plugin(folder / SPEC)
        left = write_baseline(built, check(built))
    return left


def _without_comments(text: str, before: str) -> str:
    """Remove the suppressions that were not there before."""
    earlier = set(map(str.strip, before.splitlines()))
    return "".join(
        line
        for line in text.splitlines(keepends=True)
        if line.strip() in earlier or not line.lstrip().startswith("# xinfer: ignore[")
    )


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _format(folder: Path, paths: list[str]) -> None:
    """Format the modules, which sort their imports themselves."""
    run_ruff("format", "--line-length=100", *paths, folder=folder).check_returncode()


def _compare(sources: dict[str, str], imported: Imported) -> None:
    """Make sure that the modules declare what was read, key for key."""
    try:
        written = _files(evaluate(sources))
    except (TypeError, ValueError) as error:
        raise ImportFailed(f"The plugin cannot be declared: {error}.") from None
    provider_file = imported.provider_file
    read = {
        "manifest.yaml": to_data(imported.manifest),
        provider_file: to_data(imported.provider),
        **{model_file(model): to_data(model) for model in imported.models},
    }
    if imported.runtime:  # which brings modules of its own
        for files in (read, written):
            files[provider_file].pop("extra", None)
    for path in read.keys() | written.keys():
        if not equal(read.get(path), written.get(path)):
            raise ImportFailed(
                f"{path} would not be built as it was read. This is a mistake in xinfer: please "
                "report it, with this file."
            )


def _files(project: Project) -> dict[str, Any]:
    project = complete(project)
    return {
        "manifest.yaml": to_data(project.manifest),
        project.provider_file: to_data(project.provider),
        **{model_file(model): to_data(model) for model in project.models},
    }


def equal(left: Any, right: Any) -> bool:
    """Compare data of YAML, with its types: 1 is not 1.0, and NaN equals itself."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(equal, left, right))
    return bool(left == right or (left != left and right != right))
