"""A spec and what goes with it to a plugin in memory, and from there to the disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import attrs
from attrs import frozen

from xinfer.build.emit import ConflictError, emit, requirements
from xinfer.build.load import SpecError, load_spec
from xinfer.build.sources import CarriedFileError, carried_files, runtime_files, spec_modules
from xinfer.plugin.archive import pack
from xinfer.plugin.checksum import checksum, identifier
from xinfer.plugin.files import files_in_memory
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.plugin import Form, Plugin
from xinfer.plugin.requirements import with_requirements
from xinfer.plugin.writer import (
    FileTree,
    ForeignFileError,
    differences,
    require_folders,
    staged_file,
    write_tree,
)
from xinfer.rules import Finding, Severity, check_values
from xinfer.spec import Project
from xinfer.spec.declaration import evolve
from xinfer.spec.project import complete, model_file


class OutputError(Exception):
    """The plugin cannot be written where it should be; ``str`` says why."""


class WrongValues(Exception):
    """A spec declares values that no YAML can hold; ``str`` lists them with their places."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__(
            "\n".join(f"{finding.span}: {finding.message}" for finding in self.findings)
        )


BuildError = (
    SpecError,
    WrongValues,
    ConflictError,
    CarriedFileError,
    ForeignFileError,
    UnreadablePlugin,
    OutputError,
)
"""The errors that a user can correct; ``str`` of each says how."""


@frozen(kw_only=True)
class Prepared:
    """A plugin in memory.

    :param tree: its folder: what is packed, and what the ignore file leaves out of the package.
    :param copies: the files of the tree that are copied as they are: the parts of xinfer that the
        plugin needs, and the spec's modules. A repository tracks what is generated, and not these.
    :param own_folder: where the project's own files are.
    """

    plugin: Plugin
    tree: FileTree
    copies: frozenset[str]
    own_folder: Path

    @property
    def project(self) -> Project:
        """What the spec declares, completed."""
        return self.plugin.project

    @property
    def name(self) -> str:
        """The plugin's name, which its folder has too."""
        return self.project.manifest.name

    def differences(self, folder: Path) -> Iterator[str]:
        """Yield the lines of a diff from a plugin's folder to this plugin; none where they agree.

        A clone has none of the copies, and is not out of date for that.
        """
        has_copies = any((folder / path).exists() for path in self.copies)
        return differences(self.tree, folder, leaving_out=() if has_copies else self.copies)


@frozen(kw_only=True)
class Built:
    """A plugin on disk.

    :param changed: whether the folder or the package had to be written.
    :param identifier: under which Dify installs the package; it ends with the checksum.
    """

    folder: Path
    package: Path
    changed: bool
    identifier: str


def _expect_right_values(project: Project) -> None:
    """Raise :class:`WrongValues` if a value is not of the type of its field."""
    findings = check_values(project)
    if wrong := [finding for finding in findings if finding.severity is Severity.REFUSED]:
        raise WrongValues(wrong)


def prepare(spec: Path) -> Prepared:
    """Make the files of the plugin that a ``provider_spec.py`` declares.

    :raises SpecError: the spec does not import.
    :raises WrongValues: the spec declares values that no YAML can hold.
    :raises ConflictError: a file of the project's folder has the path of a generated one.
    :raises CarriedFileError: a file of the project's folder cannot be packed.
    :raises UnreadablePlugin: the project's folder holds more than a plugin can.
    """
    loaded = load_spec(spec)
    project = loaded.project
    _expect_right_values(project)
    # The fields of the credentials class are declared objects only in the completed forms.
    _expect_right_values(evolve(complete(project), models=()))
    carried = carried_files(loaded.folder / project.files)
    modules = spec_modules(project, loaded.modules, carried.tree)
    runtime = runtime_files(project, {**carried.tree, **modules})
    tree = emit(project, modules=modules, carried=carried.tree, runtime=runtime)
    sources = carried.sources | loaded.sources
    files = files_in_memory(tree, spec, sources)
    files = attrs.evolve(files, left_out=(*files.left_out, *carried.left_out))
    declared = complete(evolve(project, requirements=requirements(project, tree)))
    plugin = Plugin(
        form=Form.SPEC,
        files=files,
        declared=declared,
        manifest=declared.manifest,
        provider=declared.provider,
        provider_file=declared.provider_file,
        models=declared.models,
        model_paths=tuple(map(model_file, declared.models)),
        modules=tuple(loaded.sources.values()),
    )
    return Prepared(
        plugin=plugin,
        tree=tree,
        copies=frozenset({*modules, *runtime}),
        own_folder=loaded.folder / project.files,
    )


def plugin(spec: Path) -> Plugin:
    """Make the plugin that a ``provider_spec.py`` declares, as :func:`prepare` does."""
    return prepare(spec).plugin


def write(prepared: Prepared, out: Path) -> Built:
    """Write ``<name>/`` and ``<name>-<version>.difypkg`` into ``out``, where they differ.

    :raises OutputError: it cannot be written there; what was there before is unchanged.
    """
    manifest = prepared.project.manifest
    own = prepared.own_folder
    if own.is_dir() and out.resolve().is_relative_to(own.resolve()):
        raise OutputError(f"{out} is in {own}, which the build packs: choose a folder elsewhere.")
    folder = out / prepared.name
    require_folders(folder)
    package = out / f"{manifest.name}-{manifest.version}.difypkg"
    files = with_requirements(prepared.plugin.files)
    place = package
    try:
        with staged_file(package, pack(files.items())) as put_package:
            place = folder
            changed = write_tree(prepared.tree, folder)
            changed |= put_package()
    except OSError as error:
        raise OutputError(f"{place} cannot be written: {error.strerror or error}.") from error
    return Built(
        folder=folder,
        package=package,
        changed=changed,
        identifier=identifier(manifest.author, manifest.name, manifest.version, checksum(files)),
    )
