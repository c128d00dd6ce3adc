"""A plugin and a state to everything that the page draws: one pure function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import asdict, field, frozen

from xinfer.preview.cards import (
    ModelRow,
    PluginCard,
    ProviderCard,
    model_rows,
    plugin_card,
    provider_card,
)
from xinfer.preview.dialog import Dialog, dialog
from xinfer.preview.form import State
from xinfer.preview.parameters import Panel, panel
from xinfer.preview.profiles import PROFILES, Profile
from xinfer.spec import I18n, Model, ModelType, Project
from xinfer.spec.conditions import ModelInfo


@frozen(kw_only=True)
class Selection:
    """What the page is set to.

    :param theme: ``light`` or ``dark``.
    :param model: whose parameters are shown; the first language model where it is ``None``.
    :param abilities: those that the sample of a customizable model has.
    :param parameters: edits of the parameter panel, the oldest first.
    """

    profile: str = next(iter(PROFILES))
    language: str = "en-US"
    theme: str = "light"
    state: State = field(factory=State)
    model: str | None = None
    abilities: frozenset[str] = frozenset()
    parameters: tuple[tuple[str, Any], ...] = ()


def selection_from(data: Mapping[str, Any]) -> Selection:
    """Read a selection from what the page sends; what it leaves out keeps its default."""
    options: dict[str, Any] = {
        name: data[name] for name in ("profile", "language", "theme", "model") if name in data
    }
    state = State(
        dialog=data.get("dialog", "add"),
        edits=tuple((str(name), str(value)) for name, value in data.get("edits", ())),
        stored=data.get("stored"),
        pressed=bool(data.get("pressed")),
    )
    return Selection(
        **options,
        state=state,
        abilities=frozenset(data.get("abilities", ())),
        parameters=tuple((str(name), value) for name, value in data.get("parameters", ())),
    )


@frozen(kw_only=True)
class View:
    """Everything the page draws."""

    provider_card: ProviderCard
    plugin_card: PluginCard
    dialog: Dialog | None
    models: tuple[ModelRow, ...]
    panel: Panel | None
    texts: tuple[Mapping[str, str], ...]


def view(project: Project, selection: Selection) -> View:
    """Compute what Dify shows of a complete project."""
    profile = PROFILES[selection.profile]
    language, theme = selection.language, selection.theme
    models = tuple(sample_models(project, selection.abilities))
    return View(
        provider_card=provider_card(project, language, theme),
        plugin_card=plugin_card(project, language, theme),
        dialog=dialog(project, profile, language, selection.state),
        models=model_rows(models, language),
        panel=_panel(models, profile, selection),
        texts=tuple(texts(project)),
    )


def sample_models(project: Project, abilities: Iterable[str]) -> Iterator[Model]:
    """Yield the predefined models, and one of each customizable type with these abilities.

    What a server reports is not known here: limits are absent, so expressions fall back to what
    they end with.
    """
    yield from project.models
    info = ModelInfo(abilities=frozenset(abilities))
    for declared in project.customizable_models:
        yield declared.resolve(f"your {declared.model_type} model", info)


def _panel(models: Sequence[Model], profile: Profile, selection: Selection) -> Panel | None:
    chosen = next(
        (
            model
            for model in models
            if model.model_type is ModelType.LLM and selection.model in (None, model.model)
        ),
        None,
    )
    if chosen is None:
        return None
    return panel(chosen, profile, selection.language, selection.parameters)


def texts(project: Project) -> Iterator[Mapping[str, str]]:
    """Yield each text of the provider's forms and cards in the two languages that Dify keeps."""
    for path, text in _texts(project):
        yield {"path": path, "en_US": text.en_US, "zh_Hans": text.zh_Hans or ""}


def _texts(project: Project) -> Iterator[tuple[str, I18n]]:
    provider = project.provider
    yield "label", provider.label
    if provider.help:
        yield "help.title", provider.help.title
    for name in ("provider_credential_schema", "model_credential_schema"):
        schema = getattr(provider, name)
        for entry in schema.credential_form_schemas if schema else ():
            yield f"{name}.{entry.variable}.label", entry.label
            if entry.placeholder:
                yield f"{name}.{entry.variable}.placeholder", entry.placeholder
            for option in entry.options:
                yield f"{name}.{entry.variable}.{option.value}", option.label


def as_json(view_: View) -> dict[str, Any]:
    """Turn a view into plain data for the page."""
    data = asdict(view_)
    dialog_ = view_.dialog
    if dialog_ is not None:
        for entry, drawn in zip(data["dialog"]["fields"], dialog_.fields, strict=True):
            entry["visible"] = drawn.visible
    return data
