"""A plugin's folder to declared objects and the files that go along unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen

from xinfer.build import SPEC, FileTree
from xinfer.importer.comments import CommentFinder
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.reading import MANIFEST, Reading, listed, missing_keys, plugin_files, read
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
    """

    manifest: Manifest
    provider: Provider
    models: tuple[Model, ...]
    carried: FileTree
    finder: CommentFinder
    warnings: tuple[str, ...]


def read_plugin(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> Imported:
    """Read a model plugin from its folder or package.

    :param progress: told how many of how many model files have been read.
    :raises ImportFailed: it is no model plugin, or something in it cannot be kept.
    """
    try:
        files = plugin_files(folder)
        for fault in files.unpackable:
            raise ImportFailed(f"{folder / fault.path} is {fault.reason}: remove it.")
        reading = read(files, progress=progress)
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


def _whole(reading: Reading, folder: Path) -> tuple[Manifest, Provider, str]:
    """Return what must be there.

    :raises ImportFailed: it is not.
    """
    if MANIFEST in reading.missing:
        raise ImportFailed(f"{folder} holds no manifest.yaml: name the folder of a plugin.")
    if reading.missing:
        path = reading.missing[0]
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
