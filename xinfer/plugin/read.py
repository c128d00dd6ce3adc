"""A folder or package to a :class:`Plugin`, with everything in it that cannot be read."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path

from xinfer.plugin import toml
from xinfer.plugin.archive import package_files
from xinfer.plugin.files import PluginFiles
from xinfer.plugin.folder import plugin_folder
from xinfer.plugin.globs import globs
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.plugin import MANIFEST, Form, Plugin
from xinfer.plugin.requirements import PYPROJECT, REQUIREMENTS
from xinfer.plugin.toml import NotTOML, read_toml
from xinfer.schema import REQUIRED_KEYS, walk
from xinfer.spec import Manifest, Model, ModelType, Project, Provider
from xinfer.spec.declaration import Declaration, evolve, set_span
from xinfer.spec.project import complete, model_file, positions
from xinfer.spec.span import Span
from xinfer.yaml import DocumentError, Fault, Keep, read_document, read_spec

_WRITTEN_BY_HAND = (
    "supported_model_types",
    "configurate_methods",
    "provider_credential_schema",
    "model_credential_schema",
    "models",
    "extra",
)
"""Fields that a spec derives from others, and that a plugin has in its YAML or not at all."""

_PROVIDERS = re.compile(r"provider/[^/]+\.ya?ml")
_MODELS = re.compile(r"models/.+(?<!/_position)\.ya?ml")
"""Where providers and models usually are, for plugins whose manifest or provider does not say."""


def read_plugin(path: Path, *, progress: Callable[[int, int], None] | None = None) -> Plugin:
    """Read a plugin from its folder or package.

    All files are read: a fault in one hides none in another.

    :param progress: told how many of how many model files have been read.
    :raises UnreadablePlugin: it cannot be opened, or is a plugin of another kind.
    """
    return plugin_of(plugin_files(path), progress=progress)


def plugin_files(path: Path) -> PluginFiles:
    """Open a folder or a ``.difypkg``.

    :raises UnreadablePlugin: it is neither, or exceeds a limit.
    """
    if path.is_file():
        if folder := _folder_of(path):
            raise UnreadablePlugin(f"{path} is one file of a plugin: name its folder, {folder}.")
        return package_files(path)
    if not path.is_dir():
        raise UnreadablePlugin(f"There is no {path}: name a plugin's folder or a .difypkg.")
    return plugin_folder(path)


def _folder_of(path: Path) -> Path | None:
    """Return the folder of the plugin that a file belongs to, unless it can be a package."""
    if path.suffix not in _PARTS:
        return None
    return next((above for above in path.parents[:4] if (above / MANIFEST).is_file()), None)


_PARTS = frozenset({".yaml", ".yml", ".py", ".toml", ".txt", ".md", ".svg", ".png"})


def plugin_of(files: PluginFiles, *, progress: Callable[[int, int], None] | None = None) -> Plugin:
    """Read a plugin from its files, as :func:`read_plugin` does."""
    _refuse_large_lists(files)
    faults: list[Fault] = []
    manifest = _read(files, MANIFEST, Manifest, faults) if MANIFEST in files else None
    absent = [] if MANIFEST in files else [MANIFEST]
    if manifest is None:
        provider_files = (
            [path for path in files if _PROVIDERS.fullmatch(path)] if MANIFEST in files else []
        )
    else:
        _refuse_other_kinds(manifest, files.where)
        provider_files = [path for path in manifest.plugins.models if path in files]
        absent += [path for path in manifest.plugins.models if path not in files]
    provider_file = provider_files[-1] if provider_files else None
    provider = _read(files, provider_file, Provider, faults) if provider_file else None
    paths: tuple[str, ...] = ()
    if provider:
        paths = tuple(_model_paths(provider, files))
    elif provider_file:
        paths = tuple(path for path in files if _MODELS.fullmatch(path))
    models: list[Model] = []
    for number, path in enumerate(paths):
        if progress:
            progress(number, len(paths))
        if (model := _read(files, path, Model, faults)) is not None:
            models.append(model if model_file(model) == path else evolve(model, file=path))
    in_order = tuple(_in_position(models, provider, files)) if provider else tuple(models)
    declared = _project(manifest, provider, in_order, files) if manifest and provider else None
    faults += _misfits(files, (manifest, provider, *in_order))
    if manifest is not None:
        faults += _without_provider(manifest, files)
    return Plugin(
        form=Form.YAML,
        files=files,
        declared=declared,
        manifest=manifest,
        provider=provider,
        models=in_order,
        provider_file=provider_file,
        model_paths=paths,
        faults=tuple(faults),
        absent=tuple(absent),
    )


def _without_provider(manifest: Manifest, files: PluginFiles) -> Iterator[Fault]:
    """Yield the providers that a manifest names and that are not there."""
    for index, path in enumerate(manifest.plugins.models):
        if path not in files:
            span = manifest.plugins.span
            span = (span and span.below(("models", index))) or Span(MANIFEST, 1, 1)
            gone = next((gone for gone in files.left_out if gone.path == path), None)
            near = get_close_matches(path, files, n=1)
            message = f"there is no {path}" + (f": did you mean {near[0]}?" if near else "")
            if gone is not None:
                message = f"{path} is left out by {gone.reason}"
            yield Fault(
                MANIFEST,
                span.line,
                span.column or 1,
                f"plugins.models[{index}]",
                message,
                span.end_line,
                span.end_column,
            )


def _refuse_large_lists(files: PluginFiles) -> None:
    for name, most in _MOST_BYTES.items():
        if files.sizes.get(name, 0) > most:
            limit = f"{most // 1024:,} KiB"
            raise UnreadablePlugin(f"{files.where}: {name} is larger than {limit}: shorten it.")


_MOST_BYTES = {PYPROJECT: toml.MAX_BYTES, REQUIREMENTS: 512 * 1024}
"""Of the lists of dependencies, which several rules read; with all hashes of 200 packages, a
requirements.txt is half as long."""


def _refuse_other_kinds(manifest: Manifest, where: Path) -> None:
    extensions = manifest.plugins
    kinds = [kind for kind in extensions.explicit if getattr(extensions, kind)]
    if kinds and "models" not in kinds:
        raise UnreadablePlugin(
            f"{where} is a plugin of {', '.join(kinds)}; xinfer reads model providers."
        )


def _project(
    manifest: Manifest, provider: Provider, models: tuple[Model, ...], files: PluginFiles
) -> Project:
    """Make the project that declares all that the YAML does, and nothing that it does not."""
    written = {name: getattr(provider, name) for name in _WRITTEN_BY_HAND}
    meta = evolve(manifest.meta, minimum_dify_version=manifest.meta.minimum_dify_version)
    project = Project(
        manifest=evolve(manifest, plugins=manifest.plugins, meta=meta),
        provider=evolve(provider, **written),
        models=models,
        requirements=tuple(_requirements(files)),
    )
    set_span(project, None)
    return complete(project)


def _misfits(files: PluginFiles, declared: tuple[Declaration | None, ...]) -> Iterator[Fault]:
    """Yield the faults of values that were kept aside, so that the rest could be read."""
    for whole in declared:
        spans = (inner.span for _, inner in walk(whole) if inner.extra_keys and inner.span)
        span = next(spans, None)
        if whole is not None and span is not None:
            try:
                read_spec(files[span.file], type(whole), file=span.file, keep=Keep.STRAY)
            except DocumentError as error:
                yield from error.faults


def _requirements(files: PluginFiles) -> Iterator[str]:
    """Read what the plugin's environment will hold, as the daemon does: pyproject.toml first."""
    if PYPROJECT in files:
        try:
            data = read_toml(files[PYPROJECT].decode())
        except (NotTOML, UnicodeDecodeError):
            return
        project = data.get("project")
        dependencies = project.get("dependencies") if isinstance(project, dict) else None
        if isinstance(dependencies, list):
            yield from (line for line in dependencies if isinstance(line, str))
    elif REQUIREMENTS in files:
        for line in files[REQUIREMENTS].decode(errors="replace").splitlines():
            if text := _NOT_OF_REQUIREMENT.sub("", line).strip():
                yield text


_NOT_OF_REQUIREMENT = re.compile(r"(^|\s)#.*|\s+--hash=.*|\s*\\$")
"""A comment, hashes, and the mark that a line goes on."""


def missing_keys(plugin: Plugin) -> Iterator[tuple[Declaration, str]]:
    """Yield each object of manifest and provider that lacks a required key, with the key.

    A model that lacks one cannot be read.
    """
    for _, declared in walk((plugin.manifest, plugin.provider)):
        for name in REQUIRED_KEYS.get(type(declared), ()) if declared.span else ():
            if name not in declared.explicit and name not in declared.extra_keys:
                yield declared, name


def listed(files: PluginFiles, path: str) -> list[str] | None:
    """Read a list of positions; ``None`` if there is no file, or it is not a list of names."""
    try:
        data = read_document(files[path], path).data if path in files else None
    except DocumentError:
        return None
    return data if isinstance(data, list) and all(isinstance(n, str) for n in data) else None


def _read[T: Declaration](
    files: PluginFiles, path: str, kind: type[T], faults: list[Fault]
) -> T | None:
    try:
        return read_spec(files[path], kind, file=path, keep=Keep.MISFITS)
    except DocumentError as error:
        faults += error.faults
        return None


def _model_paths(provider: Provider, files: PluginFiles) -> Iterator[str]:
    """List the model files that the patterns match, each once, in the order of the patterns."""
    paths = (path for glob in globs(provider) for path in glob.matched(files))
    yield from dict.fromkeys(paths)


def _in_position(models: list[Model], provider: Provider, files: PluginFiles) -> list[Model]:
    """Sort models as Dify lists them."""
    places: dict[tuple[ModelType, str], float] = {}
    for path, same_type in positions(provider, models):
        names = listed(files, path) if same_type else None
        for place, name in enumerate(names or ()):
            places.setdefault((same_type[0].model_type, name), place)
    types = {kind: place for place, kind in enumerate(dict.fromkeys(m.model_type for m in models))}

    def place_of(model: Model) -> tuple[int, float]:
        return types[model.model_type], places.get((model.model_type, model.model), math.inf)

    return sorted(models, key=place_of)
