"""The provider's card, the plugin's card and the list of models.

Source: Dify's ``provider-added-card``, ``plugins/card``, ``model-list-item`` and ``model-name``;
``SimpleModelProviderEntity`` of its API.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from attrs import frozen

from xinfer.preview.dialog import TYPE_NAMES
from xinfer.preview.language import interface_text, manifest_text, provider_text
from xinfer.spec import ConfigurateMethod, Feature, Model, ModelType, Project

type Theme = str


@frozen(kw_only=True)
class ProviderCard:
    """A provider in Dify's settings.

    :param icon: a file in ``_assets``; ``None`` draws a placeholder.
    :param hint: what the card says before anything is set up.
    """

    label: str
    icon: str | None
    badges: tuple[str, ...]
    hint: str
    adds_models: bool
    has_key_panel: bool


@frozen(kw_only=True)
class PluginCard:
    """The plugin in Dify's list of plugins."""

    label: str
    description: str
    icon: str
    category: str
    author: str
    name: str
    version: str
    minimum_dify_version: str | None


@frozen(kw_only=True)
class ModelRow:
    """A model in the list of a provider.

    :param badges: type, mode and context size, in Dify's spelling.
    :param capabilities: those of the four that Dify marks with an icon.
    :param selectable: whether the selectors of apps offer it.
    """

    model: str
    label: str
    badges: tuple[str, ...]
    capabilities: tuple[str, ...]
    selectable: bool
    note: str = ""


def provider_card(project: Project, language: str, theme: Theme) -> ProviderCard:
    """Draw the provider."""
    provider = project.provider
    dark = provider.icon_small_dark if theme == "dark" else None
    methods = provider.configurate_methods
    return ProviderCard(
        label=provider_text(provider.label, language),
        icon=provider_text(dark or provider.icon_small, language) or None,
        badges=tuple(_type_badge(kind) for kind in provider.supported_model_types),
        hint=interface_text("set up", language),
        adds_models=ConfigurateMethod.CUSTOMIZABLE_MODEL in methods,
        has_key_panel=ConfigurateMethod.PREDEFINED_MODEL in methods,
    )


def plugin_card(project: Project, language: str, theme: Theme) -> PluginCard:
    """Draw the plugin: its texts come from the manifest, not from the provider."""
    manifest = project.manifest
    dark = manifest.icon_dark if theme == "dark" else None
    return PluginCard(
        label=manifest_text(manifest.label, language),
        description=manifest_text(manifest.description, language),
        icon=dark or manifest.icon,
        category=interface_text("model", language),
        author=manifest.author,
        name=manifest.name,
        version=manifest.version,
        minimum_dify_version=manifest.meta.minimum_dify_version,
    )


def model_rows(models: Iterable[Model], language: str) -> tuple[ModelRow, ...]:
    """List models as Dify does: types by the alphabet, then the provider's order."""
    return tuple(_row(model, language) for model in sorted(models, key=_type_of))


def _type_of(model: Model) -> str:
    return str(model.model_type)


def _row(model: Model, language: str) -> ModelRow:
    properties = model.model_properties
    size = context_badge(properties.context_size)
    badges = (_type_badge(model.model_type), (properties.mode or "").upper(), size)
    return ModelRow(
        model=model.model,
        label=provider_text(model.label, language) or model.model,
        badges=tuple(filter(None, badges)),
        capabilities=tuple(
            _CAPABILITIES[feature] for feature in model.features if feature in _CAPABILITIES
        ),
        selectable=not model.deprecated,
        note=interface_text("deprecated", language) if model.deprecated else "",
    )


def context_badge(size: object) -> str:
    """Write a context size as Dify's list does: thousands rounded down, ``NaNK`` for no number."""
    if not size:
        return ""
    try:
        number = float(str(size))
    except ValueError:
        number = math.nan
    if math.isnan(number):
        return "NaNK"
    return f"{int(number // 1000)}K" if number >= 1000 else f"{number:g}"


def _type_badge(kind: ModelType) -> str:
    return TYPE_NAMES.get(kind, str(kind)).upper()


_CAPABILITIES: Mapping[Feature, str] = {
    Feature.VISION: "Vision",
    Feature.DOCUMENT: "Document",
    Feature.AUDIO: "Audio",
    Feature.VIDEO: "Video",
}
"""The features that have a mark; tools and structured output have none."""
