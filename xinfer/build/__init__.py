"""A project to a plugin on disk: one pure function to files, one writer.

:func:`prepare` reads the spec and what goes with it, and makes the files in memory;
:func:`write` puts them on disk; :func:`differences` says what it would change.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from attrs import frozen

from xinfer.build.emit import SPEC, ConflictError, emit, requirements
from xinfer.build.load import LoadedSpec, SpecError, load_spec
from xinfer.build.sources import CarriedFileError, carried_files, runtime_files, spec_modules
from xinfer.plugin.archive import pack
from xinfer.plugin.files import files_in_memory
from xinfer.plugin.writer import (
    FileTree,
    ForeignFileError,
    differences,
    write_file,
    write_tree,
)
from xinfer.rules import Finding, Severity, check_values
from xinfer.spec import Project, evolve

__all__ = [
    "SPEC",
    "BuildError",
    "Built",
    "FileTree",
    "LoadedSpec",
    "Prepared",
    "SpecError",
    "WrongValues",
    "differences",
    "emit",
    "load_spec",
    "pack",
    "prepare",
    "write",
    "write_tree",
]


class WrongValues(Exception):
    """What is declared holds values that no YAML can be made of; ``str`` lists them."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(f"{one.span}: {one.message}" for one in self.findings))


BuildError = (SpecError, WrongValues, ConflictError, CarriedFileError, ForeignFileError)
"""What a user can mend; ``str`` of each says how."""


@frozen(kw_only=True)
class Prepared:
    """A plugin in memory."""

    project: Project
    tree: FileTree

    @property
    def name(self) -> str:
        """The plugin's name, which its folder bears."""
        return self.project.manifest.name


@frozen(kw_only=True)
class Built:
    """A plugin on disk: its folder, its package, and whether either had to be written."""

    folder: Path
    package: Path
    changed: bool


def prepare(spec: Path) -> Prepared:
    """Make the files of the plugin that a ``provider_spec.py`` declares.

    :raises SpecError: the spec does not import; the other errors of ``BuildError`` likewise
        name what to mend.
    """
    loaded = load_spec(spec)
    project = loaded.project
    carried = carried_files(loaded.folder / project.files)
    modules = spec_modules(project, loaded.modules, carried)
    try:
        tree = emit(
            project,
            modules=modules,
            carried=carried,
            runtime=runtime_files(project, {**carried, **modules}),
        )
    except Exception:
        # A value of another type than is declared can fail anywhere on the way to YAML.
        if wrong := [one for one in check_values(project) if one.severity is Severity.REFUSED]:
            raise WrongValues(wrong) from None
        raise
    complete = evolve(project, requirements=requirements(project, tree))
    return Prepared(project=complete, tree=tree)


def write(prepared: Prepared, out: Path) -> Built:
    """Write ``<name>/`` and ``<name>-<version>.difypkg`` into ``out``, where they differ."""
    folder = out / prepared.name
    package = out / f"{prepared.name}-{prepared.project.manifest.version}.difypkg"
    changed = write_tree(prepared.tree, folder)
    changed |= write_file(package, pack(files_in_memory(prepared.tree, folder).items()))
    return Built(folder=folder, package=package, changed=changed)
