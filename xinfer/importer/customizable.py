"""What the SDK's OpenAI-compatible classes say of models that users add, as a declaration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xinfer.spec import (
    Condition,
    CustomizableModel,
    Expression,
    Feature,
    ModelType,
    ParameterRule,
    Template,
    first_of,
    limit,
    setting,
)

_FEATURES = (
    (Feature.TOOL_CALL, "function_calling_type", "function_call"),
    (Feature.MULTI_TOOL_CALL, "function_calling_type", "tool_call"),
    (Feature.STREAM_TOOL_CALL, "stream_function_calling", "supported"),
    (Feature.VISION, "vision_support", "support"),
    (Feature.VIDEO, "video_support", "support"),
)
"""What a field of the form must hold for a model to have a feature."""

_CONTEXT = {ModelType.LLM: 4096, ModelType.TEXT_EMBEDDING: 512}
"""Tokens, where neither the user nor the server says."""


def customizable_model(model_type: ModelType, settings: Mapping[str, str]) -> CustomizableModel:
    """Declare the models of one type as the SDK's class describes them.

    :param settings: the attribute of each variable of the form.
    """
    is_llm = model_type is ModelType.LLM
    parts: dict[str, Any] = {
        "features": dict(_features(settings)) if is_llm else {},
        "properties": dict(_properties(model_type, settings)),
        "parameter_rules": tuple(_rules(settings)) if is_llm else (),
    }
    return CustomizableModel(
        model_type=model_type, **{name: part for name, part in parts.items() if part}
    )


def _features(settings: Mapping[str, str]) -> Iterator[tuple[Feature, Condition]]:
    for feature, variable, value in _FEATURES:
        if variable in settings:
            yield feature, setting(settings[variable]) == value


def _properties(
    model_type: ModelType, settings: Mapping[str, str]
) -> Iterator[tuple[str, Expression | str | int]]:
    if model_type is ModelType.LLM:
        yield "mode", setting(settings["mode"]) if "mode" in settings else "chat"
    if model_type in _CONTEXT:
        yield "context_size", _from_setting("context_size", settings, _CONTEXT[model_type])
    if model_type is ModelType.TEXT_EMBEDDING:
        yield "max_chunks", 1


def _rules(settings: Mapping[str, str]) -> Iterator[ParameterRule]:
    yield ParameterRule(
        name="temperature", use_template=Template.TEMPERATURE, default=0.7, max=2, precision=2
    )
    yield ParameterRule(name="top_p", use_template=Template.TOP_P, default=1)
    for template in (Template.FREQUENCY_PENALTY, Template.PRESENCE_PENALTY):
        yield ParameterRule(name=template.value, use_template=template, default=0, min=-2, max=2)
    yield ParameterRule(
        name="max_tokens",
        use_template=Template.MAX_TOKENS,
        default=512,
        max=_from_setting("max_tokens_to_sample", settings, 4096),
    )


def _from_setting(variable: str, settings: Mapping[str, str], otherwise: int) -> Expression:
    from_setting = (setting(settings[variable]),) if variable in settings else ()
    return first_of(*from_setting, limit("context_length"), otherwise)
