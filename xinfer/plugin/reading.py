"""What the YAML of a plugin declares, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
from attrs import field, frozen

from xinfer.plugin.archive import package_files
from xinfer.plugin.files import Excluded, PluginFiles
from xinfer.plugin.folder import folder_files
from xinfer.plugin.globs import globs
from xinfer.plugin.ignore import IGNORE_FILES
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.schema import REQUIRED_KEYS, walk
from xinfer.spec import (
    MODEL_FOLDERS,
    Declaration,
    Manifest,
    Model,
    ModelFiles,
    Provider,
    evolve,
    model_file,
)
from xinfer.yaml import DocumentError, Fault, Keep, read_document, read_spec

MANIFEST = "manifest.yaml"


@frozen(kw_only=True)
class Reading:
    """A plugin as it was read.

    :param provider_file: ``None`` where the manifest names no provider that is there.
    :param models: in the order of the lists of positions, those not listed behind the others.
    :param faults: what could not be read.
    :param missing: paths that are named, and are no files.
    """

    manifest: Manifest | None = None
    provider: Provider | None = None
    provider_file: str | None = None
    models: tuple[Model, ...] = ()
    model_paths: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = field(default=())
    missing: tuple[str, ...] = ()


def plugin_files(path: Path) -> PluginFiles:
    """Open a folder or a ``.difypkg``.

    A file that is a link out of the folder is not read: the folder may be anybody's. Dify's
    packager reads it, and so does xinfer if it is the ignore file.

    :raises UnreadablePlugin: it is neither, or more than a plugin can be.
    """
    if path.is_file():
        return package_files(path)
    if not path.is_dir():
        raise UnreadablePlugin(f"There is no {path}: name a plugin's folder or a .difypkg.")
    files = folder_files(path)
    outside = [file for file in files.files if file.outside and file.path not in IGNORE_FILES]
    faults = (Excluded(file.path, "a link out of the plugin's folder") for file in outside)
    return attrs.evolve(
        files,
        files=tuple(file for file in files.files if file not in outside),
        unpackable=(*files.unpackable, *faults),
    )


def read(files: PluginFiles, *, progress: Callable[[int, int], None] | None = None) -> Reading:
    """Read manifest, provider and models; what cannot be read is among the faults.

    :param progress: told how many of how many model files have been read.
    """
    faults: list[Fault] = []
    plugin = _object(files, MANIFEST, Manifest, faults) if MANIFEST in files else None
    if plugin is None:
        absent = () if MANIFEST in files else (MANIFEST,)
        return Reading(faults=tuple(faults), missing=absent)
    named = plugin.plugins.models
    there = [path for path in named if path in files]
    missing = tuple(path for path in named if path not in files)
    provider = _object(files, there[-1], Provider, faults) if there else None
    paths = tuple(_model_paths(provider, files)) if provider else ()
    models: list[Model] = []
    for number, path in enumerate(paths):
        if progress:
            progress(number, len(paths))
        if (model := _object(files, path, Model, faults)) is not None:
            models.append(model if model_file(model) == path else _written_to(model, path))
    return Reading(
        manifest=plugin,
        provider=provider,
        provider_file=there[-1] if there else None,
        models=tuple(_in_position(models, provider, files)) if provider else (),
        model_paths=paths,
        faults=tuple(faults),
        missing=missing,
    )


def missing_keys(value: object) -> Iterator[tuple[Declaration, str]]:
    """Yield the keys of manifest and provider that must be there, with the object they are of.

    Those of models are demanded when they are read.
    """
    for _, declared in walk(value):
        for name in REQUIRED_KEYS.get(type(declared), ()) if declared.span else ():
            if name not in declared.explicit and name not in declared.extra_keys:
                yield declared, name


def positions(provider: Provider, models: tuple[Model, ...]) -> Iterator[tuple[str, list[str]]]:
    """Yield the path and the names of each list that a build would make."""
    for kind, folder in MODEL_FOLDERS.items():
        declared = _by_folder(provider).get(folder)
        if declared and declared.position:
            yield declared.position, [m.model for m in models if m.model_type is kind]


def listed(files: PluginFiles, path: str) -> list[str] | None:
    """Read a list of positions; ``None`` where there is none, or it is no list of names."""
    try:
        data = read_document(files[path], path).data if path in files else None
    except DocumentError:
        return None
    return data if isinstance(data, list) and all(isinstance(n, str) for n in data) else None


def _object[T: Declaration](
    files: PluginFiles, path: str, kind: type[T], faults: list[Fault]
) -> T | None:
    try:
        return read_spec(files[path], kind, file=path, keep=Keep.MISFITS)
    except DocumentError as error:
        faults += error.faults
        return None


def _written_to(model: Model, path: str) -> Model:
    """Note where a model is written; what it said stays what it said."""
    return evolve(model, file=path)


def _model_paths(provider: Provider, files: PluginFiles) -> Iterator[str]:
    """List the model files that the patterns match, each once, in the order of the patterns."""
    found = (path for glob in globs(provider) for path in glob.matched(files))
    yield from dict.fromkeys(found)


def _by_folder(provider: Provider) -> dict[str, ModelFiles]:
    declared = provider.models
    found = {name: getattr(declared, name) for name in MODEL_FOLDERS.values()} if declared else {}
    return {name: files for name, files in found.items() if files}


def _in_position(models: list[Model], provider: Provider, files: PluginFiles) -> list[Model]:
    """Sort models as Dify lists them."""
    places: dict[tuple[str, str], int] = {}
    for kind, folder in MODEL_FOLDERS.items():
        declared = _by_folder(provider).get(folder)
        if declared and declared.position:
            for place, name in enumerate(listed(files, declared.position) or ()):
                places.setdefault((kind.value, name), place)
    types = {kind: place for place, kind in enumerate(dict.fromkeys(m.model_type for m in models))}
    last = len(places)
    return sorted(
        models,
        key=lambda model: (
            types[model.model_type],
            places.get((model.model_type.value, model.model), last),
        ),
    )
