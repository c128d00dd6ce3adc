"""Rules of the provider: its models' types, files and sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.globs import globs
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import (
    MODEL_FOLDERS,
    ConfigurateMethod,
    Help,
    ModelType,
    Provider,
    ProviderExtra,
    PythonSources,
    model_file,
)

_NAME = re.compile(r"[a-z0-9_-]+")
_MOST = 16
_NOT_IN_SDK = (ModelType.MULTIMODAL_EMBEDDING, ModelType.MULTIMODAL_RERANK)
_I18N = ("label", "description", "icon_small", "icon_large", "icon_small_dark", "icon_large_dark")


@rule("XI201", Severity.BROKEN, Stage.RUN_TIME, fix="Use a-z, 0-9, _ and -.")
def provider_name(provider: Provider, _: Subject) -> Iterator[Problem]:
    """The provider's name has characters that Dify's identifiers do not.

    Dify puts author, plugin and provider together with slashes between them.
    """
    if not _NAME.fullmatch(provider.provider):
        yield Problem(f"the provider is called {provider.provider!r}", at="provider")


@rule(
    "XI202", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Use a name of at most 255 characters."
)
def provider_name_length(provider: Provider, _: Subject) -> Iterator[Problem]:
    """The provider's name is empty or too long; remote debugging refuses it."""
    if not 0 < len(provider.provider) <= 255:
        yield Problem(f"a name of {len(provider.provider)} characters", at="provider")


@rule(
    "XI203", Severity.REFUSED, Stage.START, fix="Use text-embedding or rerank with feature vision."
)
def type_unknown_to_sdk(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A model type is known to the daemon alone; the SDK refuses to start."""
    for index, kind in enumerate(provider.supported_model_types):
        if kind in _NOT_IN_SDK:
            at = f"supported_model_types[{index}]"
            yield Problem(f"the SDK does not know the model type {kind}", at=at)


@rule("XI204", Severity.BROKEN, Stage.RUN_TIME, fix="Leave the type out, or declare models of it.")
def type_without_models(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """A model type is offered for which there is no model and no code.

    Dify shows it, and the first request fails.
    """
    sources = provider.extra.python.model_sources if provider.extra else ()
    folders = {part for source in sources for part in source.removesuffix(".py").split("/")}
    for index, kind in enumerate(provider.supported_model_types):
        served = MODEL_FOLDERS.get(kind) in folders or kind in subject.project.model_types
        if not served:
            at = f"supported_model_types[{index}]"
            yield Problem(f"nothing serves the model type {kind}", at=at)


@rule("XI205", Severity.BROKEN, Stage.RUN_TIME, fix="Add the type to supported_model_types.")
def models_of_other_type(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """There are models of a type that the provider does not offer; Dify hides them."""
    for kind in subject.project.model_types:
        if kind not in provider.supported_model_types:
            at = "supported_model_types"
            yield Problem(f"models of type {kind} are declared, and not offered", at=at)


@rule(
    "XI206",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Declare credentials, or a model_credential_schema.",
)
def model_form_missing(provider: Provider, _: Subject) -> Iterator[Problem]:
    """Users can add models, and there is no form for it.

    For customizable-model Dify shows the model_credential_schema only.
    """
    customizable = ConfigurateMethod.CUSTOMIZABLE_MODEL in provider.configurate_methods
    if customizable and provider.model_credential_schema is None:
        yield Problem("customizable-model without a form", at="model_credential_schema")


@rule("XI207", Severity.BROKEN, Stage.RUN_TIME, fix="Declare models, predefined or customizable.")
def nothing_offered(provider: Provider, _: Subject) -> Iterator[Problem]:
    """The provider offers no type of model, or no way to set one up; nobody can use it."""
    for name in ("supported_model_types", "configurate_methods"):
        if not getattr(provider, name):
            yield Problem(f"{name} is empty", at=name)


@rule("XI208", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Name each once.")
def too_many(provider: Provider, _: Subject) -> Iterator[Problem]:
    """More than 16 types or ways are listed; remote debugging refuses the provider."""
    for name in ("supported_model_types", "configurate_methods"):
        if len(getattr(provider, name)) > _MOST:
            yield Problem(f"{len(getattr(provider, name))} entries", at=name)


@rule("XI209", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Write the English text.")
def provider_text_empty(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A text has no English; remote debugging refuses the provider."""
    for name in _I18N:
        text = getattr(provider, name)
        if text is not None and not text.en_US:
            yield Problem(f"{name} has no English text", at=f"{name}.en_US", of=text)


@rule("XI210", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Write the English text.")
def help_text_empty(help_: Help, _: Subject) -> Iterator[Problem]:
    """The help's title or URL has no English; remote debugging refuses the provider."""
    for name in ("title", "url"):
        text = getattr(help_, name)
        if not text.en_US:
            yield Problem(f"{name} has no English text", at=f"{name}.en_US", of=text)


@rule("XI211", Severity.BROKEN, Stage.RUN_TIME, fix="Put the order into _position.yaml files.")
def idle_position(provider: Provider, _: Subject) -> Iterator[Problem]:
    """The order of models stands in the provider, where the daemon drops it.

    It makes the order from position files as soon as ``models`` names files.
    """
    if provider.position is not None and provider.models is not None:
        yield Problem("position is dropped, because models is there", at="position")


@rule(
    "XI212", Severity.BROKEN, Stage.RUN_TIME, fix="Write models/llm/*.yaml, from the plugin's root."
)
def glob_understood_twice(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A pattern means one thing to the daemon and another to the SDK.

    The daemon knows no ``**`` and no ``./``: the models are there for the SDK alone.
    """
    for glob in globs(provider):
        if "**" in glob.pattern or glob.pattern.startswith(("./", "../")):
            yield Problem(f"the pattern {glob.pattern!r}", at=glob.at)


@rule(
    "XI213", Severity.REFUSED, Stage.START, fix="Write models/llm/*.yaml, from the plugin's root."
)
def glob_refused(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A pattern is absolute, empty or broken; the SDK or the daemon refuses it."""
    for glob in globs(provider):
        pattern = glob.pattern
        if not pattern or pattern.startswith("/") or pattern.count("[") != pattern.count("]"):
            yield Problem(f"the pattern {pattern!r}", at=glob.at)


@rule("XI214", Severity.BROKEN, Stage.RUN_TIME, fix="Put it at models/<type>/<type>.py.")
def source_too_shallow(sources: PythonSources, _: Subject) -> Iterator[Problem]:
    """A model's module has fewer than three parts; each of its errors becomes an IndexError.

    The SDK takes the third part from the end of the module's name for its messages.
    """
    for index, source in enumerate(sources.model_sources):
        if len(PurePosixPath(source).parts) < 3:
            yield Problem(f"the module {source!r}", at=f"model_sources[{index}]")


@rule(
    "XI215", Severity.REFUSED, Stage.START, fix="Say extra=ProviderExtra(python=PythonSources(…))."
)
def sources_missing(provider: Provider, _: Subject) -> Iterator[Problem]:
    """The provider names no Python; the SDK refuses to start."""
    if provider.extra is None:
        yield Problem("extra is missing", at="extra")


@rule("XI216", Severity.REFUSED, Stage.START, fix="Correct the path, or add the file.")
def source_file_missing(extra: ProviderExtra, subject: Subject) -> Iterator[Problem]:
    """A module that the provider names is not among the plugin's files; the SDK cannot start."""
    if subject.files is None:
        return
    named = {"python.provider_source": extra.python.provider_source}
    named |= {f"python.model_sources[{i}]": s for i, s in enumerate(extra.python.model_sources)}
    for at, path in named.items():
        if str(PurePosixPath(path)) not in subject.files:
            yield Problem(f"there is no {path}", at=at)


@rule("XI217", Severity.BROKEN, Stage.RUN_TIME, fix="Let each file be matched by one pattern.")
def overlapping_globs(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """Two patterns match the same file; the model is declared twice."""
    seen: dict[str, str] = {}
    for glob in globs(provider):
        for path in glob.matched(subject.files or ()):
            if path in seen:
                text = f"{seen[path]!r} and {glob.pattern!r} both match {path}"
                yield Problem(text, at=glob.at)
                return
            seen[path] = glob.pattern


@rule("XI218", Severity.ADVICE, Stage.RUN_TIME, fix="Correct the pattern, or leave it out.")
def glob_matches_nothing(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """A pattern matches no file, which nobody reports: its models are just not there."""
    for glob in globs(provider):
        if subject.files is not None and not any(glob.matched(subject.files)):
            yield Problem(f"{glob.pattern!r} matches no file", at=glob.at)


@rule("XI219", Severity.ADVICE, Stage.RUN_TIME, fix="Move the file to the folder of its type.")
def model_in_other_folder(provider: Provider, subject: Subject) -> Iterator[Problem]:
    """A model lies among those of another type; its type counts, and its place in the order goes.

    The daemon and the SDK go by ``model_type`` alone.
    """
    models = subject.project.models
    known = {model_file(model): model for model in models if model.model_type in MODEL_FOLDERS}
    for glob in globs(provider):
        for path in glob.matched(subject.files or ()):
            model = known.get(path)
            if model is not None and MODEL_FOLDERS[model.model_type] != glob.folder:
                text = f"{path} is under models.{glob.folder}, and for {model.model_type}"
                yield Problem(text, at=glob.at)


RULES = (
    provider_name,
    provider_name_length,
    type_unknown_to_sdk,
    type_without_models,
    models_of_other_type,
    model_form_missing,
    nothing_offered,
    too_many,
    provider_text_empty,
    help_text_empty,
    idle_position,
    glob_understood_twice,
    glob_refused,
    source_too_shallow,
    sources_missing,
    source_file_missing,
    overlapping_globs,
    glob_matches_nothing,
    model_in_other_folder,
)
