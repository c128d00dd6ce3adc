"""Python that only fills in the SDK's OpenAI-compatible classes, as a declared runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

from attrs import frozen

from xinfer.importer.credentials import target_of
from xinfer.importer.sdk_classes import TARGETS, ClassReader, NotDeclarable
from xinfer.plugin.writer import FileTree
from xinfer.spec import EndUser, FormField, FormType, Model, ModelType, Provider, targets
from xinfer.spec.runtime import Sending
from xinfer.spec.targets import ByOption, Sets


@frozen(kw_only=True)
class DeclaredRuntime:
    """What stands in the place of a plugin's Python.

    :param base_url: where the server is, for users whose credentials do not say.
    :param validated_by: the model that credentials are validated with.
    :param sets: what fields of the form set, by variable.
    :param sends: what happens to parameters.
    :param user: how the end user is told.
    :param model_types: those that the plugin's classes serve.
    :param replaced: the files that it replaces.
    :param not_carried: lines of these files that it cannot express, with their places.
    """

    base_url: str | None
    validated_by: tuple[str, ...]
    sets: Mapping[str, Sets]
    sends: tuple[Sending, ...]
    user: EndUser | None
    model_types: tuple[ModelType, ...]
    replaced: frozenset[str]
    not_carried: tuple[str, ...]


def declared_runtime(
    provider: Provider, models: Iterable[Model], files: FileTree
) -> DeclaredRuntime:
    """Read the runtime off a plugin's modules.

    :raises NotDeclarable: a class is not one of the SDK's OpenAI-compatible ones, or no line
        tells where the server is.
    """
    sources = provider.extra.python if provider.extra else None
    if sources is None:
        raise NotDeclarable("the provider names no Python (extra.python)")
    reader = ClassReader(declared=tuple(models))
    reader.provider(sources.provider_source, _parsed(sources.provider_source, files))
    for path in sources.model_sources:
        reader.models(path, _parsed(path, files))
    variables = {each.variable: each.type for form in _forms(provider) for each in form}
    sets: dict[str, Sets] = {}
    for variable, target in (*reader.sets.items(), *TARGETS.items()):
        is_secret = variables.get(variable) is FormType.SECRET_INPUT
        if variable in variables and target not in map(target_of, sets.values()):
            if is_secret is not (target == targets.api_key):
                raise NotDeclarable(f"{variable} is no field for {target}")
            sets[variable] = _by_option(variable, reader, provider) or target
    if not reader.base_urls and targets.base_url not in map(target_of, sets.values()):
        raise NotDeclarable("no line tells the server's URL")
    others = list(reader.base_urls.items())[1:]
    dropped = [f"{where}: another base URL, {url}" for url, where in others]
    prices = ["the prices that users enter"] if "input_price" in variables else []
    replaced = {sources.provider_source, *sources.model_sources, "main.py"}
    return DeclaredRuntime(
        base_url=next(iter(reader.base_urls), None),
        validated_by=tuple(reader.validated_by),
        sets=sets,
        sends=reader.sends,
        user=reader.user,
        model_types=tuple(dict.fromkeys(reader.model_types)),
        replaced=frozenset(path for path in replaced if path in files),
        not_carried=(*dropped, *prices, *reader.not_carried),
    )


def _by_option(variable: str, reader: ClassReader, provider: Provider) -> ByOption | None:
    """Let the options of a field decide where the server is, as the code does."""
    if variable not in reader.urls_by_value:
        return None
    values, otherwise = reader.urls_by_value[variable]
    options = {
        option.value: values.get(option.value, otherwise)
        for form in _forms(provider)
        for each in form
        if each.variable == variable
        for option in each.options
    }
    if not options:
        raise NotDeclarable(f"{variable} decides about the URL, and has no options")
    return targets.base_url.by_option(options)


def _forms(provider: Provider) -> Iterator[tuple[FormField, ...]]:
    for schema in (provider.provider_credential_schema, provider.model_credential_schema):
        if schema:
            yield schema.credential_form_schemas


def _parsed(path: str, files: FileTree) -> ast.Module:
    try:
        return ast.parse(files[path])
    except KeyError:
        raise NotDeclarable(f"there is no {path}") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise NotDeclarable(f"{path} is not Python") from None
