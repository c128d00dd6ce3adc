"""Whole providers, such that every check passes and Dify loads them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from xinfer.spec import (
    CustomizableModel,
    Feature,
    I18n,
    Manifest,
    Model,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    ParameterRule,
    ParameterType,
    Pricing,
    Project,
    Provider,
    Tag,
    Template,
    ability,
    always,
    first_of,
    limit,
)
from xinfer.testing.strategies.credentials import credentials_classes

ICON = "icon.svg"
"""The one file in ``_assets`` that a drawn project needs."""


@st.composite
def projects(draw: st.DrawFn) -> Project:
    """Draw a provider: predefined language models, customizable ones of any type, or both."""
    name = draw(_identifiers())
    customizable = draw(st.lists(st.sampled_from(list(_PROPERTIES)), max_size=3, unique=True))
    # A predefined model needs code for its type, and the runtime's serves the customizable ones.
    has_llm = ModelType.LLM in customizable
    models = draw(st.lists(_models(), max_size=4, unique_by=_file_of)) if has_llm else []
    kinds = customizable or [ModelType.LLM]
    return Project(
        manifest=Manifest(
            name=name,
            version=draw(st.from_regex(r"[0-9]\.[0-9]{1,2}\.[0-9]{1,3}", fullmatch=True)),
            author=draw(_identifiers()),
            label=draw(_labels()),
            description=draw(_labels()),
            icon=ICON,
            created_at=draw(st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))),
            tags=tuple(draw(st.lists(st.sampled_from(Tag), max_size=3, unique=True))),
        ),
        provider=Provider(
            provider=name,
            label=draw(_labels()),
            description=draw(st.none() | _labels()),
            icon_small=I18n(ICON),
        ),
        credentials=draw(credentials_classes()),
        models=tuple(models),
        customizable_models=tuple(draw(_customizable(kind)) for kind in kinds),
        runtime=OpenAICompatible(base_url="https://api.example.com/v1"),
    )


def _identifiers() -> st.SearchStrategy[str]:
    return st.from_regex(r"[a-z][a-z0-9_-]{0,20}", fullmatch=True).filter(
        lambda name: "dify" not in name and "langgenius" not in name
    )


def _labels() -> st.SearchStrategy[I18n]:
    readable = st.text(
        alphabet=st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60
    ).filter(str.strip)
    return st.builds(I18n, readable, zh_Hans=st.none() | readable)


_PROPERTIES: dict[ModelType, dict[str, Any]] = {
    ModelType.LLM: {"mode": "chat", "context_size": first_of(limit("context_length"), 4096)},
    ModelType.TEXT_EMBEDDING: {"context_size": 512, "max_chunks": 16},
    ModelType.RERANK: {"context_size": 512},
    ModelType.SPEECH2TEXT: {"file_upload_limit": 25, "supported_file_extensions": "mp3,wav"},
    ModelType.TTS: {"default_voice": "x", "audio_type": "mp3", "word_limit": 900, "max_workers": 2},
}


@st.composite
def _customizable(draw: st.DrawFn, kind: ModelType) -> CustomizableModel:
    features = draw(st.sets(st.sampled_from([Feature.VISION, Feature.TOOL_CALL])))
    return CustomizableModel(
        model_type=kind,
        properties=_PROPERTIES[kind],
        features={feature: draw(st.sampled_from([always, ability("chat")])) for feature in features}
        if kind is ModelType.LLM
        else {},
        parameter_rules=draw(_rules()) if kind is ModelType.LLM else (),
    )


@st.composite
def _models(draw: st.DrawFn) -> Model:
    return Model(
        model=draw(st.from_regex(r"[a-z][a-z0-9.:/-]{0,30}[a-z0-9]", fullmatch=True)),
        label=draw(st.none() | _labels()),
        model_type=ModelType.LLM,
        features=tuple(draw(st.sets(st.sampled_from([Feature.VISION, Feature.AGENT_THOUGHT])))),
        model_properties=ModelProperties(
            mode="chat", context_size=draw(st.integers(1024, 1_000_000))
        ),
        parameter_rules=draw(_rules()),
        pricing=draw(st.none() | _pricing()),
        deprecated=draw(st.booleans()),
    )


def _file_of(model: Model) -> str:
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in model.model).casefold()


def _pricing() -> st.SearchStrategy[Pricing]:
    prices = st.decimals(0, 1000, places=3)
    return st.builds(
        Pricing,
        input=prices,
        output=prices,
        unit=st.sampled_from([Decimal("0.000001"), Decimal("0.001")]),
        currency=st.sampled_from(["USD", "RMB"]),
    )


@st.composite
def _rules(draw: st.DrawFn) -> tuple[ParameterRule, ...]:
    names = draw(st.lists(_identifiers(), max_size=4, unique=True))
    return tuple(draw(st.sampled_from(_RULES))(draw, name) for name in names)


def _template(draw: st.DrawFn, name: str) -> ParameterRule:
    template = draw(st.sampled_from([Template.TEMPERATURE, Template.TOP_P, Template.TOP_K]))
    return ParameterRule(name=name, use_template=template)


def _range(draw: st.DrawFn, name: str) -> ParameterRule:
    low, default, high = sorted(draw(st.lists(st.integers(-5, 50), min_size=3, max_size=3)))
    return ParameterRule(
        name=name,
        type=ParameterType.INT,
        label=draw(_labels()),
        min=low,
        max=high,
        default=default,
    )


def _flag(draw: st.DrawFn, name: str) -> ParameterRule:
    return ParameterRule(
        name=name,
        type=ParameterType.BOOLEAN,
        label=draw(_labels()),
        default=draw(st.none() | st.booleans()),
        required=draw(st.booleans()),
    )


def _choice(draw: st.DrawFn, name: str) -> ParameterRule:
    options = draw(st.lists(_identifiers(), min_size=1, max_size=4, unique=True))
    return ParameterRule(
        name=name,
        type=ParameterType.STRING,
        label=draw(_labels()),
        options=tuple(options),
        default=draw(st.none() | st.sampled_from(options)),
    )


_RULES = (_template, _range, _flag, _choice)
