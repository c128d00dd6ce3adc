"""A declared model as the SDK's entity."""

from __future__ import annotations

from typing import Any

from dify_plugin.entities import I18nObject
from dify_plugin.entities.model import (
    AIModelEntity,
    FetchFrom,
    ModelFeature,
    ModelPropertyKey,
    ModelType,
    ParameterRule,
    ParameterType,
    PriceConfig,
)

from xinfer import spec


def entity(model: spec.Model) -> AIModelEntity:
    """Make the answer to Dify's question for a model's schema."""
    declared = model.model_properties
    properties = {key.value: getattr(declared, key.value, None) for key in ModelPropertyKey}
    if declared.voices is not None:
        properties["voices"] = [_voice(voice) for voice in declared.voices]
    return AIModelEntity(
        model=model.model,
        label=_i18n(model.label or spec.I18n(model.model)),
        model_type=ModelType(model.model_type.value),
        features=[ModelFeature(feature.value) for feature in model.features],
        fetch_from=FetchFrom(model.fetch_from.value),
        model_properties={
            ModelPropertyKey(name): value for name, value in properties.items() if value is not None
        },
        parameter_rules=[_rule(rule) for rule in model.parameter_rules],
        pricing=_price(model.pricing) if model.pricing else None,
    )


def _price(pricing: spec.Pricing) -> PriceConfig:
    """Write a price; the expressions of a customizable model's are evaluated by now."""
    names = ("input", "output", "unit", "currency")
    values = {name: getattr(pricing, name) for name in names}
    # A float as a text, because its decimals are meant and not its bits.
    texts = {name: str(value) for name, value in values.items() if value is not None}
    return PriceConfig.model_validate(texts)


def _voice(voice: spec.Voice) -> dict[str, Any]:
    return {"mode": voice.mode, "name": voice.name, "language": list(voice.language)}


def _i18n(text: spec.I18n) -> I18nObject:
    return I18nObject(en_US=text.en_US, zh_Hans=text.zh_Hans, ja_JP=text.ja_JP, pt_BR=text.pt_BR)


def _rule(rule: spec.ParameterRule) -> ParameterRule:
    values: dict[str, Any] = {
        "name": rule.name,
        "use_template": rule.use_template and rule.use_template.value,
        "label": rule.label and _i18n(rule.label),
        "type": rule.type and ParameterType(rule.type.value),
        "help": rule.help and _i18n(rule.help),
        "required": rule.required,
        "default": rule.default,
        "min": rule.min,
        "max": rule.max,
        "precision": rule.precision,
        "options": list(rule.options),
    }
    parameter = ParameterRule(
        **{key: value for key, value in values.items() if value not in (None, [])}
    )
    if any(values[key] in (0, "") for key in ("default", "min", "max", "precision")):
        # The template is filled in by now. The SDK would do so again for a customizable model,
        # and take a declared 0, false or "" for nothing.
        parameter.use_template = None
    return parameter
