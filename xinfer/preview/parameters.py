"""The panel in which users set a language model's parameters.

Source: Dify's ``model-parameter-modal`` and ``parameter-item``; ``AIModelEntity`` of graphon, which
holds the templates and decides whether a model has structured output.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from attrs import frozen

from xinfer.preview.language import provider_text
from xinfer.preview.profiles import Profile
from xinfer.rules.parameters import TEMPLATES
from xinfer.spec import Feature, I18n, Model, ParameterRule, ParameterType, Template
from xinfer.spec.conditions import is_expression

type Control = Literal["slider", "number", "select", "text", "textarea", "boolean", "none"]


@frozen(kw_only=True)
class Parameter:
    """One row of the panel.

    :param index: its place among the model's rules.
    :param control: what is drawn; a slider has a number box beside it.
    :param step: of the slider or the number box.
    :param optional: whether a switch in front of it decides if it is sent.
    :param on: whether it is sent in this state.
    :param value: what the control shows.
    """

    index: int
    name: str
    label: str
    help: str
    control: Control
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    options: tuple[str, ...] = ()
    optional: bool
    on: bool
    value: Any


@frozen(kw_only=True)
class Panel:
    """The panel of one model.

    :param sent: the completion parameters that an app stores.
    :param structured_output: how Dify asks this model for structured output.
    """

    model: str
    parameters: tuple[Parameter, ...]
    sent: Mapping[str, Any]
    structured_output: str


def panel(
    model: Model,
    profile: Profile,
    language: str,
    edits: Iterable[tuple[str, Any]] = (),
) -> Panel | None:
    """Compute a panel; ``None`` if the model has no rules, for which Dify draws nothing.

    :param edits: parameters and new values, the oldest first. ``True`` or ``False`` for a
        parameter that is not a boolean sets its switch.
    """
    if not model.parameter_rules:
        return None
    on, values = set[str](), dict[str, Any]()
    rules = {rule.name: rule for rule in model.parameter_rules}
    for name, value in edits:
        rule = rules[name]
        if isinstance(value, bool) and _type(rule) is not ParameterType.BOOLEAN:
            (on.add if value else on.discard)(name)
            continue
        values[name] = _clamped(rule, value)
        if rule.required:
            on.add(name)
    drawn = tuple(
        _parameter(index, rule, language, values, on)
        for index, rule in enumerate(model.parameter_rules)
    )
    return Panel(
        model=model.model,
        parameters=drawn,
        sent={parameter.name: parameter.value for parameter in drawn if parameter.on},
        structured_output=structured_output(model, profile),
    )


def _parameter(
    index: int, rule: ParameterRule, language: str, values: Mapping[str, Any], on: set[str]
) -> Parameter:
    control = _control(rule)
    low, high = _limits(rule)
    return Parameter(
        index=index,
        name=rule.name,
        label=provider_text(rule.label or _label(rule), language),
        help=provider_text(rule.help, language),
        control=control,
        minimum=low,
        maximum=high,
        step=_step(rule, control),
        options=rule.options,
        optional=not rule.required,
        on=rule.name in on,
        value=values.get(rule.name, _default(rule)),
    )


def _type(rule: ParameterRule) -> ParameterType | None:
    return rule.type or (TEMPLATES[rule.use_template][0] if rule.use_template else None)


def _limits(rule: ParameterRule) -> tuple[float | None, float | None]:
    """Return minimum and maximum, the template's if the rule has none."""
    _, low, high, _ = TEMPLATES[rule.use_template] if rule.use_template else (None,) * 4
    return _number(rule.min, low), _number(rule.max, high)


def _number(value: Any, otherwise: float | None) -> float | None:
    return otherwise if value is None or is_expression(value) else value


def _control(rule: ParameterRule) -> Control:
    match _type(rule):
        case ParameterType.INT | ParameterType.FLOAT:
            return "number" if None in _limits(rule) else "slider"
        case ParameterType.BOOLEAN:
            return "boolean"
        case ParameterType.STRING:
            return "select" if rule.options else "text"
        case ParameterType.TEXT:
            return "textarea"
        case _:
            return "none"


def _step(rule: ParameterRule, control: Control) -> float | None:
    """Return the control's step: Dify ignores the precision of a slider, and misreads a box's."""
    if control == "slider":
        if _type(rule) is ParameterType.FLOAT:
            return 0.1
        high = _limits(rule)[1] or 0
        return 1 if 0 < high < 100 else 10 if 0 < high < 1000 else 100
    if control == "number":
        return float(f"0.{rule.precision or 0}")
    return None


def _default(rule: ParameterRule) -> Any:
    default = rule.default
    if default is None and rule.use_template:
        default = TEMPLATES[rule.use_template][3]
    if default is not None and not is_expression(default):
        return default
    low = _limits(rule)[0]
    if low is not None:
        return low
    kind = _type(rule)
    if kind in (ParameterType.INT, ParameterType.FLOAT):
        return 0
    return False if kind is ParameterType.BOOLEAN else ""


def _clamped(rule: ParameterRule, value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    low, high = _limits(rule)
    value = value if low is None else max(low, value)
    return value if high is None else min(high, value)


def _label(rule: ParameterRule) -> I18n:
    return _TEMPLATE_LABELS[rule.use_template] if rule.use_template else I18n(rule.name)


_TEMPLATE_LABELS: Mapping[Template, I18n] = {
    Template.TEMPERATURE: I18n("Temperature", zh_Hans="温度"),
    Template.TOP_P: I18n("Top P", zh_Hans="Top P"),
    Template.TOP_K: I18n("Top K", zh_Hans="Top K"),
    Template.PRESENCE_PENALTY: I18n("Presence Penalty", zh_Hans="存在惩罚"),
    Template.FREQUENCY_PENALTY: I18n("Frequency Penalty", zh_Hans="频率惩罚"),
    Template.MAX_TOKENS: I18n("Max Tokens", zh_Hans="最大 Token 数"),
    Template.RESPONSE_FORMAT: I18n("Response Format", zh_Hans="回复格式"),
    Template.JSON_SCHEMA: I18n("JSON Schema"),
}


def structured_output(model: Model, profile: Profile) -> str:
    """Return how Dify asks for structured output: ``native`` or through the prompt.

    A ``json_schema`` rule alone implied the feature up to graphon 0.7; from 0.8 on it does so only
    where the model lists no features.
    """
    rules = {rule.name: rule for rule in model.parameter_rules}
    implied = "json_schema" in rules and (
        _version(profile.graphon) < (0, 8) or "features" not in model.explicit
    )
    if Feature.STRUCTURED_OUTPUT in model.features or implied:
        return "native" if "json_schema" in rules else "nothing: there is no json_schema rule"
    options = rules["response_format"].options if "response_format" in rules else ()
    form = next((name for name in ("JSON", "json_object") if name in options), None)
    return f"prompt, with response_format {form}" if form else "prompt"


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
