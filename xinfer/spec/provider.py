"""The model provider, as its YAML file in ``provider/`` describes it."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from xinfer.spec.declaration import Declaration
from xinfer.spec.form import CredentialSchema, ModelCredentialSchema
from xinfer.spec.i18n import I18n
from xinfer.spec.models import ModelType


class ConfigurateMethod(StrEnum):
    """How models are added: the provider declares them, or the user adds each."""

    PREDEFINED_MODEL = "predefined-model"
    CUSTOMIZABLE_MODEL = "customizable-model"


@frozen(kw_only=True)
class Help(Declaration):
    """A link in the credentials dialog."""

    title: I18n
    url: I18n


@frozen(kw_only=True)
class ModelFiles(Declaration):
    """Where the model files of one type are.

    :param predefined: glob patterns from the plugin's root; without ``**`` and ``./``, which the
        daemon and the SDK read differently.
    :param position: a YAML file that lists the names of models in their order; the SDK does not
        read it.
    """

    predefined: tuple[str, ...] = ()
    position: str | None = None


@frozen(kw_only=True)
class ProviderModels(Declaration):
    """The model files by type; the daemon and the SDK read these six keys and no others."""

    llm: ModelFiles | None = None
    text_embedding: ModelFiles | None = None
    rerank: ModelFiles | None = None
    tts: ModelFiles | None = None
    speech2text: ModelFiles | None = None
    moderation: ModelFiles | None = None


@frozen(kw_only=True)
class ProviderPosition(Declaration):
    """The names of models in their order; the daemon ignores it if ``models`` is a mapping."""

    llm: tuple[str, ...] = ()
    text_embedding: tuple[str, ...] = ()
    rerank: tuple[str, ...] = ()
    tts: tuple[str, ...] = ()
    speech2text: tuple[str, ...] = ()
    moderation: tuple[str, ...] = ()


@frozen(kw_only=True)
class PythonSources(Declaration):
    """The modules that the SDK loads.

    :param provider_source: a module with exactly one subclass of ``ModelProvider``.
    :param model_sources: paths of three parts (``models/llm/llm.py``); with fewer, the SDK turns
        every error of a model into an ``IndexError``.
    """

    provider_source: str
    model_sources: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProviderExtra(Declaration):
    """What the SDK reads, and the daemon does not."""

    python: PythonSources


@frozen(kw_only=True)
class Provider(Declaration):
    """A model provider.

    :param provider: its name, ``[a-z0-9_-]``, at most 255 characters.
    :param description: that of the manifest if absent.
    :param icon_small: a file in ``_assets`` by language; so are the other three icons.
    :param background: a CSS colour behind the large icon.
    :param supported_model_types: at most 16; the types of the declared models if absent.
    :param configurate_methods: at most 16.
    :param provider_credential_schema: made from the credentials class if absent.
    :param model_credential_schema: likewise; the form that Dify shows for ``customizable-model``.
    :param models: where the predefined models are; the build fills it in.
    :param extra: the build fills it in.

    Source: ``ModelProviderDeclaration`` (daemon), ``ModelProviderConfiguration`` (SDK).
    """

    provider: str
    label: I18n
    description: I18n | None = None
    icon_small: I18n | None = None
    icon_large: I18n | None = None
    icon_small_dark: I18n | None = None
    icon_large_dark: I18n | None = None
    background: str | None = None
    help: Help | None = None
    supported_model_types: tuple[ModelType, ...] = ()
    configurate_methods: tuple[ConfigurateMethod, ...] = ()
    provider_credential_schema: CredentialSchema | None = None
    model_credential_schema: ModelCredentialSchema | None = None
    models: ProviderModels | None = None
    position: ProviderPosition | None = None
    extra: ProviderExtra | None = None
