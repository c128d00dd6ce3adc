"""Rules of the provider: the types it offers, its texts, its forms' presence, its Python."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, is_absent, rule
from xinfer.spec import (
    ConfigurateMethod,
    Help,
    I18n,
    ModelType,
    Provider,
    ProviderExtra,
    PythonSources,
)
from xinfer.spec.project import MODEL_FOLDERS

_NAME = re.compile(r"[a-z0-9_-]+")
_LONGEST_NAME = 255
_MOST_ENTRIES = 16
_NOT_IN_SDK = (ModelType.MULTIMODAL_EMBEDDING, ModelType.MULTIMODAL_RERANK)
_TEXTS = ("label", "description", "icon_small", "icon_large", "icon_small_dark", "icon_large_dark")
_DECLARATION = "daemon pkg/entities/plugin_entities/model_declaration.go: ModelProviderDeclaration"
_CONFIGURATION = "sdk entities/model/provider.py: ModelProviderConfiguration"
_CUSTOM_FORM = """\
model_credential_schema:
  model: {label: {en_US: Model name}}
  credential_form_schemas:
    - {variable: api_key, type: secret-input, required: true, label: {en_US: API key}}
"""
_DIALOG = "dify api/core/entities/provider_configuration.py"


@rule(
    "XI201",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify api/models/provider_ids.py: GenericProviderID",
    bad=("provider: «Acme/AI»",),
    good=("provider: acme-ai_2",),
    fix="Use a-z, 0-9, _ and -.",
)
def provider_name(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The provider's name has characters that Dify's identifiers do not have.

    Dify joins author, plugin and provider with slashes, and splits them again.
    """
    if not _NAME.fullmatch(provider.provider):
        message = f"the provider's name {provider.provider!r} does not fit an identifier"
        yield Problem(message, at="provider")


@rule(
    "XI202",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=_DECLARATION,
    bad=(f"provider: «{'p' * 256}»",),
    good=(f"provider: {'p' * 255}",),
    fix="Use a name of at most 255 characters.",
)
def provider_name_length(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The provider's name has more than 255 characters."""
    if len(provider.provider) > _LONGEST_NAME:
        count = len(provider.provider)
        message = f"the provider's name has {count} characters; at most {_LONGEST_NAME} are allowed"
        yield Problem(message, at="provider")


@rule(
    "XI203",
    Severity.REFUSED,
    Stage.START,
    source="sdk entities/model/__init__.py: ModelType",
    bad=("supported_model_types: [llm, moderation, «multimodal-rerank»]\n",),
    good=("supported_model_types: [llm, moderation]\n",),
    fix=Fix(
        spec="Use TEXT_EMBEDDING or RERANK, and Feature.VISION.",
        yaml="Use text-embedding or rerank, and the feature vision.",
    ),
)
def type_unknown_to_sdk(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The provider offers a model type that the daemon knows and the SDK does not."""
    for index, kind in enumerate(provider.supported_model_types):
        if kind in _NOT_IN_SDK:
            at = f"supported_model_types[{index}]"
            yield Problem(f"the SDK does not know the model type {kind}", at=at)


@rule(
    "XI204",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/model_factory.py: ModelFactory.get_instance",
    bad=("supported_model_types: [llm, moderation, «rerank»]\n",),
    good=("supported_model_types: [llm, moderation]\n",),
    fix="Leave the type out, or add models or Python that serve it.",
)
def type_without_models(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """The provider offers a model type that no model and no Python serves.

    Dify shows the type, and the first request fails.
    """
    sources = provider.extra.python.model_sources if provider.extra else ()
    folders = {part for source in sources for part in source.removesuffix(".py").split("/")}
    for index, kind in enumerate(provider.supported_model_types):
        is_served = MODEL_FOLDERS.get(kind) in folders or kind in plugin.project.model_types
        if not is_served and kind not in _NOT_IN_SDK:
            at = f"supported_model_types[{index}]"
            yield Problem(f"nothing serves the model type {kind}", at=at)


@rule(
    "XI205",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify api/core/entities/provider_configuration.py: get_provider_models",
    bad=("supported_model_types: «[llm]»\n",),
    good=("supported_model_types: [moderation, llm]\n",),
    fix="Add the type to supported_model_types.",
)
def models_of_other_type(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """There are models of a type that the provider does not offer, so Dify hides them."""
    for kind in plugin.project.model_types if provider.supported_model_types else ():
        if kind not in provider.supported_model_types:
            message = f"models of type {kind} are declared, and the provider does not offer it"
            yield Problem(message, at="supported_model_types")


@rule(
    "XI206",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify web/app/components/header/account-setting/model-provider-page/model-modal",
    bad=("configurate_methods:\n  - predefined-model\n  - «customizable-model»\n",),
    good=("configurate_methods:\n  - predefined-model\n",),
    fix=Fix(
        spec="Pass the credentials class as Project(credentials=…).",
        yaml="Add a model_credential_schema.",
    ),
)
def model_form_missing(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """Users can add models of their own, and there is no form for it.

    For customizable-model, Dify shows the model_credential_schema only.
    """
    methods = provider.configurate_methods
    customizable = ConfigurateMethod.CUSTOMIZABLE_MODEL
    if customizable in methods and is_absent(provider, "model_credential_schema"):
        at = f"configurate_methods[{methods.index(customizable)}]"
        yield Problem("customizable-model needs a model_credential_schema", at=at)


@rule(
    "XI220",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DIALOG}: Provider does not have provider_credential_schema",
    bad=("configurate_methods: [«predefined-model»]\nprovider_credential_schema:\n",),
    good=("configurate_methods:\n  - predefined-model\n",),
    fix=Fix(
        spec="Pass the credentials class as Project(credentials=…).",
        yaml="Add a provider_credential_schema; its credential_form_schemas may be [].",
    ),
)
def provider_form_missing(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The provider lists models, and there is no form for its credentials.

    Dify raises an error when users open the provider's dialog.
    """
    methods = provider.configurate_methods
    predefined = ConfigurateMethod.PREDEFINED_MODEL
    if predefined in methods and is_absent(provider, "provider_credential_schema"):
        at = f"configurate_methods[{methods.index(predefined)}]"
        yield Problem("predefined-model needs a provider_credential_schema", at=at)


@rule(
    "XI221",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="langgenius/dify#40985, langgenius/dify-official-plugins#3682",
    bad=(
        "configurate_methods: [«customizable-model»]\nprovider_credential_schema:\n" + _CUSTOM_FORM,
    ),
    good=("configurate_methods: [customizable-model]\n" + _CUSTOM_FORM,),
    fix=Fix(
        spec="Leave provider_credential_schema to the build.",
        yaml="Add a provider_credential_schema with the same fields.",
    ),
)
def provider_form_missing_for_custom(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """Users add all models themselves, and there is no form for the provider's credentials.

    From version 1.16 on, Dify opens that form from a knowledge pipeline, and fails.
    """
    methods = provider.configurate_methods
    is_custom_only = methods == (ConfigurateMethod.CUSTOMIZABLE_MODEL,)
    if is_custom_only and is_absent(provider, "provider_credential_schema"):
        message = "customizable-model alone still needs a provider_credential_schema"
        yield Problem(message, at="configurate_methods[0]")


@rule(
    "XI207",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CONFIGURATION,
    bad=("configurate_methods: «[]»\n", "supported_model_types: «[]»\n"),
    good=("configurate_methods:\n  - predefined-model\n",),
    fix=Fix(
        spec="Declare models or customizable_models.",
        yaml="List what the provider offers.",
    ),
)
def nothing_offered(provider: Provider, plugin: Plugin) -> Iterator[Problem]:
    """The provider offers no type of model, or no way to set one up."""
    for name in ("supported_model_types", "configurate_methods"):
        if name in (plugin.provider or provider).explicit and not getattr(provider, name):
            yield Problem(f"{name} is empty", at=name)
            return


@rule(
    "XI208",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=_DECLARATION,
    bad=(f"configurate_methods: «[{', '.join(['predefined-model'] * 17)}]»\n",),
    good=(f"configurate_methods: [{', '.join(['predefined-model'] * 16)}]\n",),
    fix="List each once.",
)
def too_many(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """More than 16 model types or ways to add models are listed."""
    for name in ("supported_model_types", "configurate_methods"):
        count = len(getattr(provider, name))
        if count > _MOST_ENTRIES:
            yield Problem(
                f"{name} has {count} entries; at most {_MOST_ENTRIES} are allowed", at=name
            )


@rule(
    "XI209",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source="daemon pkg/entities/plugin_entities/basic_type.go: I18nObject",
    bad=("label:\n  en_US: «''»\n  zh_Hans: 顶点\n",),
    good=("label:\n  en_US: Acme\n  zh_Hans: 顶点\n",),
    fix="Write the English text.",
)
def provider_text_empty(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A text of the provider has no English."""
    for name in _TEXTS:
        text = getattr(provider, name)
        if text is not None and not text.en_US:
            yield Problem(f"the English {name} is empty", at=f"{name}.en_US", of=text)


_HELP = "help:\n  title:\n    en_US: {}\n  url:\n    en_US: {}\n"


@rule(
    "XI210",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source="daemon pkg/entities/plugin_entities/model_declaration.go: ModelProviderHelpEntity",
    bad=(_HELP.format("«''»", "https://example.com"),),
    good=(_HELP.format("Get a key", "https://example.com"),),
    fix="Write the English text.",
)
def help_text_empty(help_: Help, _: Plugin) -> Iterator[Problem]:
    """The title or the URL of the provider's help has no English."""
    for name in ("title", "url"):
        text = getattr(help_, name)
        if not text.en_US:
            yield Problem(f"the English {name} is empty", at=f"{name}.en_US", of=text)


@rule(
    "XI222",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify web/…/model-provider-page/model-modal: the link's href",
    bad=(_HELP.format("Get a key", "«example.com/keys»"),),
    good=(_HELP.format("Get a key", "https://example.com/keys"),),
    fix="Begin it with https://.",
)
def help_url_relative(help_: Help, _: Plugin) -> Iterator[Problem]:
    """The URL of the provider's help has no scheme, so the browser looks for it in Dify itself."""
    texts: I18n = help_.url
    for language in ("en_US", "zh_Hans", "ja_JP", "pt_BR"):
        url = getattr(texts, language)
        if url and not re.match(r"[a-z][a-z0-9+.-]*:", url, re.IGNORECASE):
            yield Problem(f"the URL {url!r} has no scheme", at=f"url.{language}", of=texts)


@rule(
    "XI215",
    Severity.REFUSED,
    Stage.START,
    source=_CONFIGURATION,
    bad=("extra:«»\n",),
    good=("extra:\n  python:\n    provider_source: provider/acme.py\n",),
    fix=Fix(
        spec="Leave extra to the build.",
        yaml="Add extra.python with provider_source and model_sources.",
    ),
)
def sources_missing(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """The provider names no Python."""
    if is_absent(provider, "extra"):
        yield Problem("extra.python is missing", at="extra")


@rule(
    "XI216",
    Severity.REFUSED,
    Stage.START,
    source="sdk core/utils/class_loader.py: load_module_from_source",
    bad=(
        "extra:\n  python:\n    provider_source: «provider/acne.py»\n",
        "extra:\n  python:\n    model_sources:\n      - models/llm/llm.py\n"
        "      - «models/llm/other.py»\n",
    ),
    good=("extra:\n  python:\n    provider_source: provider/acme.py\n",),
    fix="Correct the path, or add the file.",
)
def source_file_missing(extra: ProviderExtra, plugin: Plugin) -> Iterator[Problem]:
    """A module that the provider names is not among the plugin's files."""
    paths = {"python.provider_source": extra.python.provider_source}
    paths |= {f"python.model_sources[{i}]": s for i, s in enumerate(extra.python.model_sources)}
    for at, path in paths.items():
        if plugin.lacks(str(PurePosixPath(path))):
            yield Problem(plugin.missing(path), at=at)


@rule(
    "XI223",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/plugin_registration.py: _resolve_model_providers",
    bad=("extra:\n  python:\n    provider_source: provider/acme.py\n    model_sources: «[]»\n",),
    good=("extra:\n  python:\n    provider_source: provider/acme.py\n",),
    fix=Fix(
        spec="List them in PythonSources(model_sources=…), or leave extra to the build.",
        yaml="List them under extra.python.model_sources.",
    ),
)
def sources_unlisted(sources: PythonSources, plugin: Plugin) -> Iterator[Problem]:
    """The provider names no module of its models, though there are some: none is loaded."""
    if not sources.model_sources:
        folders = tuple(f"models/{folder}/" for folder in MODEL_FOLDERS.values())
        modules = sorted(
            path
            for path in plugin.files
            if path.startswith(folders) and path.endswith(".py") and not path.endswith("__.py")
        )
        if modules:
            yield Problem(f"model_sources does not list {modules[0]}", at="model_sources")


RULES = (
    provider_name,
    provider_name_length,
    type_unknown_to_sdk,
    type_without_models,
    models_of_other_type,
    model_form_missing,
    provider_form_missing,
    provider_form_missing_for_custom,
    nothing_offered,
    too_many,
    provider_text_empty,
    help_text_empty,
    help_url_relative,
    sources_missing,
    source_file_missing,
    sources_unlisted,
)
