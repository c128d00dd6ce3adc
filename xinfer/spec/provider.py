"""The provider: what its YAML file in ``provider/`` says."""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from xinfer.spec.declaration import Declaration
from xinfer.spec.form import CredentialSchema, ModelCredentialSchema
from xinfer.spec.i18n import I18n
from xinfer.spec.models import ModelType


class ConfigurateMethod(StrEnum):
    """How models are added: the provider lists them, or the user describes each."""

    PREDEFINED_MODEL = "predefined-model"
    CUSTOMIZABLE_MODEL = "customizable-model"


@frozen(kw_only=True)
class Help(Declaration):
    """A link in the credentials dialog; title and URL are both required."""

    title: I18n
    url: I18n


@frozen(kw_only=True)
class ModelFiles(Declaration):
    """Where the model files of one type lie.

    :param predefined: glob patterns from the plugin's root. ``**`` and ``./`` mean different
        things to the daemon and the SDK: leave them out.
    :param position: a YAML list of model names, their order in the list; only the daemon reads it.
    """

    predefined: tuple[str, ...] = ()
    position: str | None = None


@frozen(kw_only=True)
class ProviderModels(Declaration):
    """The model files, by type; these six spellings are the ones that are read."""

    llm: ModelFiles | None = None
    text_embedding: ModelFiles | None = None
    rerank: ModelFiles | None = None
    tts: ModelFiles | None = None
    speech2text: ModelFiles | None = None
    moderation: ModelFiles | None = None


@frozen(kw_only=True)
class ProviderPosition(Declaration):
    """The order of models by name, inline; the daemon drops it when ``models`` is a mapping."""

    llm: tuple[str, ...] = ()
    text_embedding: tuple[str, ...] = ()
    rerank: tuple[str, ...] = ()
    tts: tuple[str, ...] = ()
    speech2text: tuple[str, ...] = ()
    moderation: tuple[str, ...] = ()


@frozen(kw_only=True)
class PythonSources(Declaration):
    """The modules the SDK loads.

    :param provider_source: holds exactly one subclass of ``ModelProvider``.
    :param model_sources: each three components deep (``models/llm/llm.py``), or errors of the
        model become ``IndexError``.
    """

    provider_source: str
    model_sources: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProviderExtra(Declaration):
    """What only the SDK reads."""

    python: PythonSources


@frozen(kw_only=True)
class Provider(Declaration):
    """A model provider.

    :param provider: its name, ``[a-z0-9_-]``, at most 255 characters.
    :param description: the manifest's where it is absent.
    :param icon_small: a file in ``_assets``, by language; likewise the other three.
    :param background: a CSS colour behind the large icon.
    :param supported_model_types: at most 16; empty means the types of the declared models.
    :param configurate_methods: at most 16.
    :param provider_credential_schema: made from the credentials class when absent; likewise
        ``model_credential_schema``, which is the one Dify shows for ``customizable-model``.
    :param models: where predefined models lie; filled in by the build, as is ``extra``.

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
