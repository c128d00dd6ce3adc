"""A plugin's folder to declared objects and the files that go along unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from attrs import evolve, frozen

from xinfer.build import SPEC, FileTree
from xinfer.importer.comments import CommentFinder
from xinfer.importer.numbers import numbers_in
from xinfer.importer.runtime import DeclaredRuntime, NotDeclarable, declared_runtime
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.plugin import MANIFEST, Plugin
from xinfer.plugin.read import listed, missing_keys
from xinfer.plugin.read import read_plugin as read_files
from xinfer.schema import walk
from xinfer.spec import (
    MODEL_FOLDERS,
    Declaration,
    Manifest,
    Model,
    ModelFiles,
    Provider,
    model_file,
)
from xinfer.yaml import Fault

_SECRETS = {".env"}
_DEPENDENCIES = frozenset({"pyproject.toml", "requirements.txt", "uv.lock"})
"""Of the plugin's own Python; the build lists what a declared runtime needs."""


class ImportFailed(Exception):
    """A folder cannot be imported; ``str`` names every reason, with file and line."""

    def __init__(self, faults: tuple[Fault, ...] | str) -> None:
        super().__init__(faults if isinstance(faults, str) else "\n".join(map(str, faults)))


@frozen(kw_only=True)
class Imported:
    """What a plugin's folder holds.

    :param models: in the order of Dify's list.
    :param carried: every file that no declared object stands for.
    :param finder: the comments of the YAML.
    :param warnings: keys that the format does not know; they are kept.
    :param numbers: the type of each credential that the plugin's own Python reads as a number.
    :param runtime: what is declared in the place of the plugin's own Python.
    """

    manifest: Manifest
    provider: Provider
    models: tuple[Model, ...]
    carried: FileTree
    finder: CommentFinder
    warnings: tuple[str, ...]
    numbers: Mapping[str, type]
    runtime: DeclaredRuntime | None = None


def read_plugin(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> Imported:
    """Read a model plugin from its folder or package.

    :param progress: told how many of how many model files have been read.
    :raises ImportFailed: it is no model plugin, or something in it cannot be kept.
    """
    try:
        reading = read_files(folder, progress=progress)
        files = reading.files
        for fault in files.unpackable:
            raise ImportFailed(f"{folder / fault.path} is {fault.reason}: remove it.")
        plugin, provider, provider_file = _whole(reading, folder)
        if SPEC in files:
            raise ImportFailed(
                f"{folder} was built by xinfer, and holds its own {SPEC}: copy that one."
            )
        models = reading.models
        declared = {MANIFEST, provider_file, *reading.model_paths}
        objects: list[tuple[str, Declaration]] = [(MANIFEST, plugin), (provider_file, provider)]
        objects += zip((model_file(model) for model in models), models, strict=True)
        finder = CommentFinder()
        for path, found in objects:
            finder.add(found, files[path])
        generated = set()
        for path, in_position in _positions(provider, models):
            if listed(files, path) == [model.model for model in in_position]:
                generated.add(path)
                finder.add_list(in_position, files[path])
        return Imported(
            manifest=plugin,
            provider=provider,
            models=models,
            carried={p: files[p] for p in files if p not in declared | generated | _SECRETS},
            finder=finder,
            numbers=numbers_in(files[path] for path in files if path.endswith(".py")),
            warnings=(
                *(line for _, declared in objects for line in _unknown(declared)),
                *(
                    f"{declared.span}: {name} is missing, and demanded; added with its default"
                    for declared, name in missing_keys((plugin, provider))
                ),
            ),
        )
    except UnreadablePlugin as error:
        raise ImportFailed(str(error)) from None


def _whole(reading: Plugin, folder: Path) -> tuple[Manifest, Provider, str]:
    """Return what must be there.

    :raises ImportFailed: it is not.
    """
    if MANIFEST in reading.absent:
        raise ImportFailed(f"{folder} holds no manifest.yaml: name the folder of a plugin.")
    if reading.absent:
        path = reading.absent[0]
        raise ImportFailed(f"{MANIFEST} names {path}, and there is no such file.")
    if reading.faults:
        raise ImportFailed(reading.faults)
    plugin, provider = reading.manifest, reading.provider
    if plugin is None or provider is None or len(plugin.plugins.models) != 1:
        count = len(plugin.plugins.models) if plugin else 0
        raise ImportFailed(
            f"{MANIFEST} names {count} model providers under plugins.models: only plugins with "
            "exactly one can be imported."
        )
    return plugin, provider, plugin.plugins.models[0]


def _positions(provider: Provider, models: tuple[Model, ...]) -> Iterator[tuple[str, list[Model]]]:
    """Yield the path of each list of positions, with the models that it orders."""
    for kind, folder in MODEL_FOLDERS.items():
        declared: ModelFiles | None = getattr(provider.models, folder, None)
        if declared and declared.position:
            yield declared.position, [model for model in models if model.model_type is kind]


def _unknown(value: object) -> Iterator[str]:
    """Describe each key that the format does not have."""
    for _, declared in walk(value):
        for key, extra in declared.extra_keys.items():
            if extra is not None:
                yield f"{declared.span}: {key} is not a key of the format; kept as it is"


def with_runtime(imported: Imported) -> Imported:
    """Declare a runtime in the place of Python that only fills in the SDK's classes.

    :raises NotDeclarable: it does more, or the forms are not for one class.
    """
    runtime = declared_runtime(imported.provider, imported.carried)
    _one_class(imported.provider)
    gone = runtime.replaced | _DEPENDENCIES
    warnings = [f"not carried: {line}" for line in runtime.not_carried]
    return evolve(
        imported,
        runtime=runtime,
        carried={path: imported.carried[path] for path in imported.carried if path not in gone},
        warnings=(*imported.warnings, *warnings),
    )


def _one_class(provider: Provider) -> None:
    """Make sure that the larger form has all that the smaller one has, and asks for no more."""
    schemas = (provider.provider_credential_schema, provider.model_credential_schema)
    forms = sorted((s.credential_form_schemas for s in schemas if s), key=len)
    if len(forms) < 2:
        return
    smaller, larger = ({field.variable: field for field in form} for form in forms)
    for variable in smaller.keys() - larger.keys():
        raise NotDeclarable(f"{variable} is in one form and not in the other, larger one")
    for variable in larger.keys() - smaller.keys():
        field = larger[variable]
        if field.required and field.default is None and not field.show_on:
            raise NotDeclarable(f"{variable} is required in one form and not in the other")
