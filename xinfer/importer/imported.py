"""A plugin split into what becomes Python and what is copied as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import evolve, frozen

from xinfer.build.emit import SPEC
from xinfer.importer.comments import CommentFinder
from xinfer.importer.numbers import numbers_in
from xinfer.importer.runtime import DeclaredRuntime, declared_runtime
from xinfer.plugin.files import PluginFiles
from xinfer.plugin.limits import UnreadablePlugin
from xinfer.plugin.plugin import MANIFEST, Plugin
from xinfer.plugin.read import listed, missing_keys
from xinfer.plugin.unwanted import secrets_in, tool_folder
from xinfer.plugin.writer import FileTree
from xinfer.schema import walk
from xinfer.spec import FormField, I18n, Ignore, Manifest, Model, Provider
from xinfer.spec.declaration import Declaration
from xinfer.spec.declaration import evolve as evolve_declaration
from xinfer.spec.project import model_file, positions
from xinfer.yaml import Fault

_DEPENDENCIES = frozenset({"pyproject.toml", "requirements.txt", "uv.lock"})
"""Of the plugin's own Python; the build lists what a declared runtime needs."""


_MOST_MODELS = 5_000
"""The largest official plugin has 258."""


class ImportFailed(UnreadablePlugin):
    """A plugin cannot be imported; ``str`` gives every reason, with file and line."""


@frozen(kw_only=True)
class Imported:
    """What of a plugin becomes Python, and what is copied.

    :param provider_file: the path of the provider's YAML.
    :param models: in the order of Dify's list.
    :param copied: every file that no declared object stands for.
    :param finder: the comments of the YAML.
    :param warnings: what is not as it was, and what the format does not have.
    :param numbers: the type of each credential that the plugin's own Python reads as a number.
    :param runtime: what is declared in the place of the plugin's own Python.
    :param ignore: findings that are left out of checks.
    """

    manifest: Manifest
    provider: Provider
    provider_file: str
    models: tuple[Model, ...]
    copied: FileTree
    finder: CommentFinder
    warnings: tuple[str, ...]
    numbers: Mapping[str, type]
    runtime: DeclaredRuntime | None = None
    ignore: tuple[Ignore, ...] = ()


def import_plugin(plugin: Plugin) -> Imported:
    """Split a plugin into what is declared and what is copied.

    :raises ImportFailed: the plugin has not exactly one model provider, or a file cannot be read.
    """
    files = plugin.files
    for fault in files.unpackable:
        raise ImportFailed(f"{files.where / fault.path} is {fault.reason}: remove it.")
    manifest, provider, provider_file = _whole(plugin)
    if len(plugin.models) > _MOST_MODELS:
        raise ImportFailed(
            f"{files.where} has {len(plugin.models):,} models, and import writes {_MOST_MODELS:,} "
            "at most: leave out some."
        )
    if SPEC in files:
        raise ImportFailed(f"{files.where} was built by xinfer. Copy its {SPEC} instead.")
    unwanted = dict(_unwanted(files))
    declared = {MANIFEST, provider_file, *plugin.model_paths}
    objects: list[tuple[str, Declaration]] = [(MANIFEST, manifest), (provider_file, provider)]
    objects += ((model_file(model), model) for model in plugin.models)
    finder = CommentFinder()
    for path, whole in objects:
        finder.add(whole, files[path])
    for path, in_position in positions(provider, plugin.models):
        if listed(files, path) == [model.model for model in in_position]:
            declared.add(path)
            finder.add_list(in_position, files[path])
    return Imported(
        manifest=manifest,
        provider=provider,
        provider_file=provider_file,
        models=plugin.models,
        copied={path: files[path] for path in files if path not in declared | unwanted.keys()},
        finder=finder,
        numbers=numbers_in(files[path] for path in files if path.endswith(".py")),
        warnings=(
            *_carried_over(plugin),
            *(f"{path} is not copied: {unwanted[path]}" for path in unwanted),
        ),
    )


def _whole(plugin: Plugin) -> tuple[Manifest, Provider, str]:
    """Return the manifest and the provider.

    :raises ImportFailed: one of them is missing, or a file cannot be read at all.
    """
    where = plugin.files.where
    if MANIFEST in plugin.absent:
        fix = "Name the folder of a plugin."
        if "manifest.yml" in plugin.files:
            fix = f"Rename its manifest.yml to {MANIFEST}."
        raise ImportFailed(f"{where} has no {MANIFEST}. {fix}")
    if faults := [fault for fault in plugin.faults if _hides_files(fault, plugin)]:
        raise ImportFailed("\n".join(map(str, faults)))
    readable = {model_file(model) for model in plugin.models}
    readable |= {MANIFEST} if plugin.manifest else set()
    readable |= {plugin.provider_file} if plugin.provider and plugin.provider_file else set()
    # A value that does not fit is kept as it is; a file without a required key gives no object.
    if faults := [fault for fault in plugin.faults if fault.file not in readable]:
        raise ImportFailed("\n".join(map(str, faults)))
    manifest, provider, path = plugin.manifest, plugin.provider, plugin.provider_file
    if manifest is None or provider is None or path is None or len(manifest.plugins.models) != 1:
        count = len(manifest.plugins.models) if manifest else 0
        raise ImportFailed(
            f"{MANIFEST} names {count} model providers (plugins.models), and only a plugin of "
            "one can be imported."
        )
    return manifest, provider, path


def _hides_files(fault: Fault, plugin: Plugin) -> bool:
    """Return whether a fault keeps a provider or models from being found at all."""
    starts = {MANIFEST: "plugins", plugin.provider_file: "models"}
    return fault.path.startswith(starts.get(fault.file, "\0"))


def _unwanted(files: PluginFiles) -> Iterator[tuple[str, str]]:
    """Yield what no project should carry, with the reason."""
    for path in files:
        if folder := tool_folder(path):
            yield path, f"{folder} is a tool's"
    for secret in secrets_in(files):
        # Code that holds a key is code all the same; the build refuses it.
        if not secret.path.endswith(".py"):
            yield secret.path, secret.reason


def _carried_over(plugin: Plugin) -> Iterator[str]:
    """Describe what the format does not have, or misses."""
    whole = (plugin.manifest, plugin.provider, *plugin.models)
    misfits = {(fault.file, fault.line): fault for fault in plugin.faults}
    for fault in misfits.values():
        yield f"{fault}; kept as it is"
    for file, language in dict.fromkeys(_strange_languages(whole)):
        yield f"{file}: {language} is not a language of Dify; kept as it is"
    for _, declared in walk(whole):
        for key, value in declared.extra_keys.items():
            span = declared.span and (declared.span.below((key,)) or declared.span)
            is_misfit = span is not None and (span.file, span.line) in misfits
            if value is not None and not is_misfit and not isinstance(declared, I18n):
                yield f"{declared.span}: {key} is not a key of the format; kept as it is"
    for declared, name in missing_keys(plugin):
        yield f"{declared.span}: {name} is missing; added with its default"


def _strange_languages(whole: tuple[Declaration | None, ...]) -> Iterator[tuple[str, str]]:
    """Yield each language that Dify does not have, with the file."""
    for _, text in walk(whole):
        if isinstance(text, I18n) and text.span:
            for language, value in text.extra_keys.items():
                if value is not None:
                    yield text.span.file, language


def with_runtime(imported: Imported) -> Imported:
    """Declare a runtime in the place of Python that only fills in the SDK's classes.

    :raises NotDeclarable: it does more.
    """
    runtime = declared_runtime(imported.provider, imported.models, imported.copied)
    gone = runtime.replaced | _DEPENDENCIES
    warnings = [f"not carried: {line}" for line in runtime.not_carried]
    return evolve(
        imported,
        runtime=runtime,
        copied={path: imported.copied[path] for path in imported.copied if path not in gone},
        warnings=(*imported.warnings, *warnings),
    )


def read_form(provider: Provider) -> tuple[FormField, ...]:
    """Merge the forms of a provider and of its models, whichever of them a user filled in.

    What only one of them has, or demands, is optional.
    """
    schemas = (provider.model_credential_schema, provider.provider_credential_schema)
    forms = sorted((s.credential_form_schemas for s in schemas if s), key=len, reverse=True)
    if len(forms) < 2:
        return forms[0] if forms else ()
    larger, smaller = forms
    demanded = {field.variable for field in larger if _is_demanded(field)}
    demanded &= {field.variable for field in smaller if _is_demanded(field)}
    variables = {field.variable for field in larger}
    merged = (*larger, *(field for field in smaller if field.variable not in variables))
    return tuple(
        evolve_declaration(field, required=False)
        if _is_demanded(field) and field.variable not in demanded
        else field
        for field in merged
    )


def _is_demanded(field: FormField) -> bool:
    return bool(field.required) and field.default is None and not field.show_on
