"""Rules of the parameters of models: what Dify's panel offers and the SDK accepts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, is_absent, rule
from xinfer.spec import CustomizableModel, Model, ParameterRule, ParameterType, Template
from xinfer.spec.conditions import is_expression

_LONGEST = 255
_DAEMON = "daemon pkg/entities/plugin_entities/model_declaration.go: ModelParameterRule"
_CHECK = "sdk interfaces/model/large_language_model.py: _validate_and_filter_model_parameters"

TEMPLATES: Mapping[Template, tuple[ParameterType, float | None, float | None, Any]] = {
    Template.TEMPERATURE: (ParameterType.FLOAT, 0, 1, 0),
    Template.TOP_P: (ParameterType.FLOAT, 0, 1, 1),
    Template.TOP_K: (ParameterType.INT, 1, 100, 50),
    Template.PRESENCE_PENALTY: (ParameterType.FLOAT, 0, 1, 0),
    Template.FREQUENCY_PENALTY: (ParameterType.FLOAT, 0, 1, 0),
    Template.MAX_TOKENS: (ParameterType.INT, 1, 2048, 64),
    Template.RESPONSE_FORMAT: (ParameterType.STRING, None, None, None),
    Template.JSON_SCHEMA: (ParameterType.TEXT, None, None, None),
}
"""Type, minimum, maximum and default that each of Dify's templates brings."""

_TYPES: Mapping[ParameterType, tuple[type, ...]] = {
    ParameterType.FLOAT: (int, float),
    ParameterType.INT: (int,),
    ParameterType.STRING: (str,),
    ParameterType.TEXT: (str,),
    ParameterType.BOOLEAN: (bool,),
}


def _rule(more: str) -> str:
    return f"parameter_rules:\n  - {{name: p, {more}}}\n"


@rule(
    "XI420",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_DAEMON,
    bad=(
        "parameter_rules:\n  - {name: «''», type: int}\n",
        f"parameter_rules:\n  - {{name: «{'p' * 256}», type: int}}\n",
    ),
    good=(f"parameter_rules:\n  - {{name: {'p' * 255}, type: int}}\n",),
    fix="Use 1 to 255 characters.",
)
def parameter_name_length(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """A parameter's name is empty or has more than 255 characters.

    The daemon refuses to describe the model.
    """
    count = len(declared.name)
    if not 0 < count <= _LONGEST:
        yield Problem(f"the name has {count} characters, not 1 to {_LONGEST}", at="name")


@rule(
    "XI421",
    Severity.REFUSED,
    Stage.START,
    source="sdk entities/model/schema.py: ParameterRule",
    bad=("parameter_rules:\n  - «name: p\n    max: 1»\n",),
    good=(_rule("type: int"), _rule("use_template: top_k")),
    fix=Fix(
        spec="Pass type=ParameterType.… or use_template=Template.….",
        yaml="Add type: or use_template:.",
    ),
)
def parameter_without_type(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """A parameter has neither a type nor a template, which stops the whole plugin."""
    if is_absent(declared, "type") and is_absent(declared, "use_template"):
        yield Problem(f"{declared.name} has neither a type nor a template", at="type")


@rule(
    "XI422",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(
        "parameter_rules:\n  - {name: p, type: int}\n  - {name: «p», type: float}\n",
        "parameter_rules:\n  - {name: p, type: int}\n  - {name: «p», type: int}\n",
    ),
    good=("parameter_rules:\n  - {name: p, type: int}\n  - {name: q, type: int}\n",),
    fix=Fix(
        spec="Remove one, or, of a customizable model, give each a condition.", yaml="Remove one."
    ),
)
def duplicate_parameter(model: Model | CustomizableModel, _: Plugin) -> Iterator[Problem]:
    """Two parameters of a model have the same name: users see both, and one has an effect."""
    first: dict[str, ParameterRule] = {}
    for index, declared in enumerate(model.parameter_rules):
        # Customizable models may have two of a name under conditions that exclude each other.
        if declared.when is not None:
            continue
        if other := first.get(declared.name):
            at = f"parameter_rules[{index}].name"
            related = (other.span,) if other.span else ()
            message = f"another parameter is called {declared.name!r}, too"
            yield Problem(message, at=at, of=declared, related=related)
        first.setdefault(declared.name, declared)


@rule(
    "XI424",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(_rule("type: int, min: «2», max: 1"), _rule("use_template: temperature, min: «2»")),
    good=(_rule("type: int, min: 1, max: 1"),),
    fix="Exchange them.",
)
def limits_exchanged(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """The minimum of a parameter is above its maximum, so the SDK refuses every value."""
    _kind, low, high, _default = effective(declared)
    if low is not None and high is not None and low > high:
        yield Problem(f"the minimum {low} is above the maximum {high}", at="min")


@rule(
    "XI425",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(
        _rule("type: int, min: 1, max: 3, default: «4»"),
        _rule("type: int, min: 1, max: 3, default: «0»"),
        _rule("use_template: temperature, default: «1.5»"),
    ),
    good=(
        _rule("type: int, min: 1, max: 3, default: 3"),
        _rule("type: int, min: 1, max: 3, default: 1"),
        _rule("use_template: temperature, default: 1.5, max: 2"),
    ),
    fix="Choose a default in the range, or write min and max.",
)
def default_out_of_range(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """The default of a parameter is outside its range, or outside that of its template.

    The SDK refuses the value as soon as users switch the parameter on.
    """
    _kind, low, high, default = effective(declared)
    if isinstance(default, int | float) and not isinstance(default, bool):
        below = low is not None and default < low
        above = high is not None and default > high
        if (below or above) and not (low is not None and high is not None and low > high):
            limits = f"{'…' if low is None else low} to {'…' if high is None else high}"
            at = "default" if declared.default is not None else "max" if above else "min"
            yield Problem(f"the default {default} is outside the range {limits}", at=at)


@rule(
    "XI426",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(
        _rule("type: float, default: «warm»"),
        _rule("type: int, default: «0.5»"),
        _rule("type: boolean, default: «'true'»"),
        _rule("type: int, default: «true»"),
    ),
    good=(_rule("type: float, default: 1"), _rule("type: int, default: 1.0")),
    fix="Give a default of the parameter's type.",
)
def default_of_other_type(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """The default of a parameter is not of its type, so the SDK refuses it when it is sent."""
    kind, _low, _high, default = effective(declared)
    if default is None or kind is None or is_expression(default):
        return
    whole = kind is ParameterType.INT and isinstance(default, float) and default.is_integer()
    wrong_bool = isinstance(default, bool) and kind is not ParameterType.BOOLEAN
    if wrong_bool or not (isinstance(default, _TYPES[kind]) or whole):
        yield Problem(f"the default {default!r} is not of type {kind}", at="default")


@rule(
    "XI427",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(_rule("type: int, options: «['1', '2']»"),),
    good=(_rule("type: string, options: ['1', '2']"),),
    fix="Leave the options out, or use the type string.",
)
def idle_parameter_options(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """A parameter that is not a string has options, which neither Dify nor the SDK looks at."""
    kind = effective(declared)[0]
    if declared.options and kind is not None and kind is not ParameterType.STRING:
        yield Problem(f"the options of a parameter of type {kind} have no effect", at="options")


@rule(
    "XI428",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(_rule("type: string, options: [low, high], default: «hihg»"),),
    good=(_rule("type: string, options: [low, high], default: high"),),
    fix="Use one of the options.",
)
def default_not_an_option(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """A parameter's default is not one of its options, so the SDK refuses it when it is sent."""
    if effective(declared)[0] is not ParameterType.STRING:
        return
    if declared.options and declared.default not in (None, "", *declared.options):
        listed = ", ".join(declared.options)
        yield Problem(f"the default {declared.default!r} is not one of {listed}", at="default")


@rule(
    "XI429",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_CHECK,
    bad=(_rule("type: float, precision: «-1»"),),
    good=(_rule("type: float, precision: 0"),),
    fix="Write the number of decimals, 0 or more.",
)
def precision_negative(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """A parameter's precision is negative: the SDK accepts only multiples of ten or more."""
    if declared.precision is not None and declared.precision < 0:
        yield Problem(f"the precision {declared.precision} is negative", at="precision")


@rule(
    "XI430",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_DAEMON,
    bad=(_rule(f"type: string, options: [a, «{'o' * 256}»]"),),
    good=(_rule(f"type: string, options: [a, {'o' * 255}]"),),
    fix="Shorten it to at most 255 characters.",
)
def parameter_option_length(declared: ParameterRule, _: Plugin) -> Iterator[Problem]:
    """An option of a parameter has more than 255 characters.

    The daemon refuses to describe the model.
    """
    for index, option in enumerate(declared.options):
        if len(option) > _LONGEST:
            message = f"the option has {len(option)} characters; at most {_LONGEST} are allowed"
            yield Problem(message, at=f"options[{index}]")


def effective(
    declared: ParameterRule,
) -> tuple[ParameterType | None, float | None, float | None, Any]:
    """Work out type, minimum, maximum and default, its template's if the parameter has none.

    An expression, whose value only the server knows, counts as ``None``.
    """
    template = TEMPLATES.get(declared.use_template) if declared.use_template else None
    kind, low, high, default = template or (None, None, None, None)
    own = {
        name: None if is_expression(value) else value
        for name in ("min", "max", "default")
        if (value := getattr(declared, name)) is not None
    }
    return (
        declared.type or kind,
        own.get("min", low),
        own.get("max", high),
        own.get("default", default),
    )


RULES = (
    parameter_name_length,
    parameter_without_type,
    duplicate_parameter,
    limits_exchanged,
    default_out_of_range,
    default_of_other_type,
    idle_parameter_options,
    default_not_an_option,
    precision_negative,
    parameter_option_length,
)
