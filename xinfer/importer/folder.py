"""A plugin's folder to declared objects and the files that go along unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from attrs import evolve as attrs_evolve
from attrs import frozen

from xinfer.build import RECORD, FileTree
from xinfer.importer.comments import CommentFinder
from xinfer.serde import DocumentError, Fault, read_document, read_spec
from xinfer.spec import MODEL_FOLDERS, Declaration, Model, ModelFiles, Plugin, Provider, model_file

_MANIFEST = "manifest.yaml"
_POSITION = "_position.yaml"
_MOST_FILES = 10_000
_MOST_BYTES = 200 * 1024 * 1024
_NEVER = {".git", ".venv", "venv", "__pycache__", ".DS_Store", ".env", "node_modules"}


class ImportFailed(Exception):
    """A folder cannot be imported; ``str`` names every reason, with file and line."""

    def __init__(self, faults: list[Fault] | str) -> None:
        super().__init__(faults if isinstance(faults, str) else "\n".join(map(str, faults)))


@frozen(kw_only=True)
class Imported:
    """What a plugin's folder holds.

    :param models: in the order of the lists of positions, those not listed behind the others.
    :param carried: every file that no declared object stands for.
    :param finder: the comments of the YAML.
    :param warnings: keys that the format does not know; they are kept.
    """

    plugin: Plugin
    provider: Provider
    models: tuple[Model, ...]
    carried: FileTree
    finder: CommentFinder
    warnings: tuple[str, ...]


def read_plugin(folder: Path, *, progress: Callable[[int, int], None] | None = None) -> Imported:
    """Read a model plugin.

    :param progress: told how many of how many model files have been read.
    :raises ImportFailed: it is no model plugin, or something in it cannot be kept.
    """
    files = _files(folder)
    if _MANIFEST not in files:
        raise ImportFailed(f"{folder} holds no manifest.yaml: name the folder of a plugin.")
    if RECORD in files and "provider_spec.py" in files:
        raise ImportFailed(
            f"{folder} was built by xinfer, and its spec is {folder / 'provider_spec.py'}: "
            "copy that one."
        )
    faults: list[Fault] = []
    plugin = _read(files, _MANIFEST, Plugin, faults)
    if plugin is None:
        raise ImportFailed(faults)
    if len(plugin.plugins.models) != 1:
        count = len(plugin.plugins.models)
        raise ImportFailed(
            f"{_MANIFEST} names {count} model providers under plugins.models: only plugins with "
            "exactly one can be imported."
        )
    provider_file = plugin.plugins.models[0]
    if provider_file not in files:
        raise ImportFailed(f"{_MANIFEST} names {provider_file}, and there is no such file.")
    provider = _read(files, provider_file, Provider, faults)
    if provider is None:
        raise ImportFailed(faults)
    paths = list(_model_paths(provider, files))
    models: list[Model] = []
    for number, path in enumerate(paths):
        if progress:
            progress(number, len(paths))
        if (model := _read(files, path, Model, faults)) is not None:
            models.append(model if model_file(model) == path else _written_to(model, path))
    if faults:
        raise ImportFailed(faults)
    ordered = _in_position(models, provider, files)
    declared = {_MANIFEST, provider_file, *paths}
    generated = {
        path
        for path, names in _positions(provider, ordered)
        if path in files and _listed(files, path) == names
    }
    objects: list[tuple[str, Declaration]] = [(_MANIFEST, plugin), (provider_file, provider)]
    objects += zip((model_file(model) for model in ordered), ordered, strict=True)
    finder = CommentFinder()
    for path, found in objects:
        finder.add(found, files[path], _comments(files[path]))
    return Imported(
        plugin=plugin,
        provider=provider,
        models=tuple(ordered),
        carried={p: c for p, c in files.items() if p not in declared | generated},
        finder=finder,
        warnings=tuple(line for path, declared in objects for line in _unknown(declared, path)),
    )


def _written_to(model: Model, path: str) -> Model:
    """Note where a model is written; what it said stays what it said."""
    noted = attrs_evolve(model, file=path)
    object.__setattr__(noted, "origin", model.origin)
    object.__setattr__(noted, "explicit", model.explicit | {"file"})
    return noted


def _files(folder: Path) -> dict[str, bytes]:
    """Read a folder; links out of it, and folders of another size than a plugin's, are refused."""
    if not folder.is_dir():
        raise ImportFailed(f"{folder} is not a folder.")
    root = folder.resolve()
    found: dict[str, bytes] = {}
    size = 0
    for path in _walk(folder):
        if not path.resolve().is_relative_to(root):
            raise ImportFailed(f"{path} is a link out of the plugin's folder: remove it.")
        content = path.read_bytes()
        size += len(content)
        found[path.relative_to(folder).as_posix()] = content
        if len(found) > _MOST_FILES or size > _MOST_BYTES:
            raise ImportFailed(f"{folder} holds more than a plugin can: name the plugin's folder.")
    return found


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _NEVER:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path)
        elif path.is_file():
            yield path
        elif path.is_symlink():
            raise ImportFailed(f"{path} is a link that leads to no file: remove it.")


def _read[T: Declaration](
    files: FileTree, path: str, kind: type[T], faults: list[Fault]
) -> T | None:
    try:
        return read_spec(files[path], kind, file=path, lenient=True)
    except DocumentError as error:
        faults += error.faults
        return None


def _model_paths(provider: Provider, files: FileTree) -> Iterator[str]:
    """List the model files that the globs match, each once, in the order of the globs."""
    seen: set[str] = set()
    for declared in _by_folder(provider).values():
        for pattern in declared.predefined:
            for path in files:
                if path in seen or path.endswith(_POSITION):
                    continue
                if _matches(PurePosixPath(path).parts, PurePosixPath(pattern).parts):
                    seen.add(path)
                    yield path


def _matches(path: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Match as the SDK's glob does: ``**`` stands for any folders, the rest within one name."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_matches(path[start:], pattern[1:]) for start in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _matches(path[1:], pattern[1:])


def _by_folder(provider: Provider) -> dict[str, ModelFiles]:
    declared = provider.models
    found = {name: getattr(declared, name) for name in MODEL_FOLDERS.values()} if declared else {}
    return {name: files for name, files in found.items() if files}


def _in_position(models: list[Model], provider: Provider, files: FileTree) -> list[Model]:
    """Sort models as Dify lists them."""
    places: dict[tuple[str, str], int] = {}
    for kind, folder in MODEL_FOLDERS.items():
        declared = _by_folder(provider).get(folder)
        if declared and declared.position:
            for place, name in enumerate(_listed(files, declared.position) or ()):
                places.setdefault((kind.value, name), place)
    types = list(dict.fromkeys(model.model_type for model in models))
    last = len(places)
    return sorted(
        models,
        key=lambda model: (
            types.index(model.model_type),
            places.get((model.model_type.value, model.model), last),
        ),
    )


def _positions(provider: Provider, models: list[Model]) -> Iterator[tuple[str, list[str]]]:
    """Yield each list that a build would make."""
    for kind, folder in MODEL_FOLDERS.items():
        declared = _by_folder(provider).get(folder)
        if declared and declared.position:
            yield declared.position, [m.model for m in models if m.model_type is kind]


def _listed(files: FileTree, path: str) -> list[str] | None:
    try:
        data = read_document(files[path], path).data if path in files else None
    except DocumentError:
        return None
    return data if isinstance(data, list) and all(isinstance(n, str) for n in data) else None


def _comments(text: bytes) -> dict[int, list[str]]:
    """Gather comments that stand on lines of their own, by the line they stand above."""
    found: dict[int, list[str]] = {}
    waiting: list[str] = []
    for number, line in enumerate(text.decode().splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("#"):
            said = stripped.lstrip("#").strip()
            if said and not said.startswith(("yaml-language-server", "Made from ")):
                waiting.append(said)
        elif stripped and waiting:
            found[number] = waiting
            waiting = []
    return found


def _unknown(declared: object, path: str) -> Iterator[str]:
    """Describe each key that the format does not know."""
    if isinstance(declared, tuple):
        for item in declared:
            yield from _unknown(item, path)
    elif isinstance(declared, Declaration):
        for key, value in declared.extra_keys.items():
            if value is not None:
                yield f"{declared.origin}: {key} is not a key of the format; kept as it is"
        for name in declared.explicit:
            yield from _unknown(getattr(declared, name), path)
