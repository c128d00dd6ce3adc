"""Rules of models: parameters, prices, and what only customizable ones may leave open."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.rules.values import alike
from xinfer.schema import dotted, expressions, fields_of
from xinfer.spec import (
    Condition,
    CustomizableModel,
    Feature,
    Model,
    ModelProperties,
    ModelType,
    ParameterRule,
    ParameterType,
    Pricing,
    Project,
    Template,
    Voice,
)
from xinfer.spec.conditions import LIMITS, Limit, Setting, is_expression
from xinfer.spec.credentials import fields
from xinfer.spec.project import MODEL_FOLDERS, model_file

_LONGEST = 255
_MOST_RULES, _MOST_FEATURES = 128, 256
_PROPERTIES = fields_of(ModelProperties).keys()

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
"""Type, least, most and default that each of Dify's templates brings."""


@rule("XI401", Severity.REFUSED, Stage.START, fix="Use 1 to 255 characters.")
def model_name_length(model: Model, _: Subject) -> Iterator[Problem]:
    """A model's name is empty or too long; Dify cannot describe it."""
    if not 0 < len(model.model) <= _LONGEST:
        yield Problem(f"a name of {len(model.model)} characters", at="model")


@rule("XI402", Severity.BROKEN, Stage.RUN_TIME, fix="Remove all but one.")
def duplicate_model(project: Project, _: Subject) -> Iterator[Problem]:
    """Two models of a type have the same name; the SDK uses the last."""
    counts = Counter((model.model_type, model.model) for model in project.models)
    for index, model in enumerate(project.models):
        if counts[model.model_type, model.model] > 1:
            message = f"{model.model!r} is declared {counts[model.model_type, model.model]} times"
            yield Problem(message, at=f"models[{index}].model", of=model)


@rule("XI403", Severity.REFUSED, Stage.START, fix="Say file= for one of them.")
def same_file(project: Project, _: Subject) -> Iterator[Problem]:
    """Two models would be written into one file."""
    written = {model.model: model_file(model) for model in _writable(project)}
    counts = Counter(path.casefold() for path in written.values())
    for index, model in enumerate(project.models):
        path = written.get(model.model, "")
        if counts[path.casefold()] > 1:
            message = f"{model.model!r} is not the only one in {path}"
            yield Problem(message, at=f"models[{index}].model", of=model)


@rule(
    "XI404", Severity.REFUSED, Stage.START, fix="Write the value; or declare a CustomizableModel."
)
def open_value(model: Model, _: Subject) -> Iterator[Problem]:
    """A predefined model leaves something to the server, which no YAML can say.

    Terms such as ``limit("context_length")`` and conditions are for customizable models.
    """
    for index, declared in enumerate(model.parameter_rules):
        for name in ("default", "min", "max"):
            if is_expression(getattr(declared, name)):
                yield Problem(f"{name} is a term", at=f"parameter_rules[{index}].{name}")
        if declared.when is not None:
            yield Problem("a rule with a condition", at=f"parameter_rules[{index}].when")


@rule("XI405", Severity.REFUSED, Stage.START, fix="Declare models of one of the six types.")
def type_without_folder(project: Project, _: Subject) -> Iterator[Problem]:
    """A predefined model is of a type that neither the daemon nor the SDK reads from files."""
    for index, model in enumerate(project.models):
        if model.model_type not in MODEL_FOLDERS and model.file is None:
            message = f"{model.model!r} is of type {model.model_type}"
            yield Problem(message, at=f"models[{index}].model_type", of=model)


@rule("XI406", Severity.BROKEN, Stage.RUN_TIME, fix="Write a positive number.")
def property_not_positive(properties: ModelProperties, _: Subject) -> Iterator[Problem]:
    """A size or a number is zero or negative; Dify divides by some of them."""
    for name in ("context_size", "max_chunks", "word_limit", "max_workers", "file_upload_limit"):
        value = getattr(properties, name)
        if value is not None and value <= 0:
            yield Problem(f"{name} is {value}", at=name)


@rule("XI412", Severity.REFUSED, Stage.START, fix="Correct its spelling, or leave it out.")
def property_key(properties: ModelProperties, _: Subject) -> Iterator[Problem]:
    """A model's file names a property that the SDK does not know; it refuses the whole plugin."""
    for key in properties.extra_keys:
        if key not in _PROPERTIES:
            yield Problem(f"{key} is no property of a model{alike(key, _PROPERTIES)}", at=key)


@rule("XI413", Severity.ADVICE, Stage.RUN_TIME, fix="Say max=…, as much as the model can write.")
def template_maximum(model: Model, _: Subject) -> Iterator[Problem]:
    """max_tokens ends where Dify's template does, at 2048, though the context is far longer."""
    context = model.model_properties.context_size or 0
    for index, declared in enumerate(model.parameter_rules):
        of_template = declared.use_template is Template.MAX_TOKENS and declared.max is None
        if of_template and context >= _LONG_CONTEXT:
            text = f"{declared.name} ends at 2048 tokens, of a context of {context}"
            yield Problem(text, at=f"parameter_rules[{index}].max")


_LONG_CONTEXT = 16_384


@rule("XI407", Severity.ADVICE, Stage.RUN_TIME, fix="Say context_size=… in tokens.")
def context_size_missing(model: Model, _: Subject) -> Iterator[Problem]:
    """A language model does not say its context size; Dify then cannot shorten a long history."""
    if model.model_type is ModelType.LLM and model.model_properties.context_size is None:
        yield Problem(f"{model.model} has no context_size", at="model_properties.context_size")


@rule(
    "XI408",
    Severity.ADVICE,
    Stage.RUN_TIME,
    fix="Declare voices, and one of them as default_voice.",
)
def voices_missing(model: Model, _: Subject) -> Iterator[Problem]:
    """A predefined speech model has no voices, or not its default one.

    Unless the plugin's own code lists voices, the daemon refuses the SDK's answer about them.
    """
    properties = model.model_properties
    if model.model_type is not ModelType.TTS:
        return
    if not properties.voices:
        yield Problem(f"{model.model} has no voices", at="model_properties.voices")
    elif properties.default_voice not in {None, *(voice.mode for voice in properties.voices)}:
        message = f"{properties.default_voice!r} is none of the voices"
        yield Problem(message, at="model_properties.default_voice")


@rule("XI409", Severity.BROKEN, Stage.RUN_TIME, fix="Write the voice's id.")
def voice_empty(voice: Voice, _: Subject) -> Iterator[Problem]:
    """A voice has no id; the daemon refuses the list."""
    if not voice.mode:
        yield Problem(f"the voice {voice.name!r} has no id", at="mode")


@rule("XI410", Severity.REFUSED, Stage.START, fix="Leave some out.")
def too_many_of_model(model: Model, _: Subject) -> Iterator[Problem]:
    """A model has more than 128 parameters or 256 features; Dify refuses its description."""
    for name, most in (("parameter_rules", _MOST_RULES), ("features", _MOST_FEATURES)):
        if len(getattr(model, name)) > most:
            yield Problem(f"{len(getattr(model, name))} {name}", at=name)


@rule(
    "XI411",
    Severity.ADVICE,
    Stage.RUN_TIME,
    fix="Add Feature.TOOL_CALL, or Feature.MULTI_TOOL_CALL.",
)
def idle_stream_tool_call(model: Model, _: Subject) -> Iterator[Problem]:
    """A model calls tools in a stream, and none otherwise; Dify offers it no tools then."""
    calls = {Feature.TOOL_CALL, Feature.MULTI_TOOL_CALL}
    if Feature.STREAM_TOOL_CALL in model.features and not calls & set(model.features):
        yield Problem("stream-tool-call without tool-call", at="features")


@rule("XI420", Severity.REFUSED, Stage.START, fix="Use 1 to 255 characters.")
def rule_name_length(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """A parameter's name is empty or too long; Dify refuses the model's description."""
    if not 0 < len(declared.name) <= _LONGEST:
        yield Problem(f"a name of {len(declared.name)} characters", at="name")


@rule("XI421", Severity.REFUSED, Stage.START, fix="Say type=ParameterType.… or use_template=….")
def rule_without_type(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """A parameter has neither type nor template; the SDK refuses to start."""
    if declared.type is None and declared.use_template is None:
        yield Problem(f"{declared.name} has neither type nor template", at="type")


def _duplicates(rules: tuple[ParameterRule, ...]) -> Iterator[Problem]:
    # Customizable models may have two rules of a name under conditions that exclude each other.
    counts = Counter(declared.name for declared in rules if declared.when is None)
    for index, declared in enumerate(rules):
        if counts[declared.name] > 1:
            at = f"parameter_rules[{index}].name"
            yield Problem(f"the parameter {declared.name!r} occurs twice", at=at, of=declared)


@rule("XI422", Severity.BROKEN, Stage.RUN_TIME, fix="Remove one.")
def duplicate_rule(model: Model, _: Subject) -> Iterator[Problem]:
    """Two parameters of a model have the same name; users see both, one has effect."""
    yield from _duplicates(model.parameter_rules)


@rule("XI423", Severity.BROKEN, Stage.RUN_TIME, fix="Remove one, or give them conditions.")
def duplicate_custom_rule(model: CustomizableModel, _: Subject) -> Iterator[Problem]:
    """Two parameters of a model have the same name; users see both, one has effect."""
    yield from _duplicates(model.parameter_rules)


@rule("XI424", Severity.BROKEN, Stage.RUN_TIME, fix="Exchange them.")
def limits_exchanged(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """The least value of a parameter is above its greatest; every value is refused."""
    _kind, low, high, _default = _effective(declared)
    if low is not None and high is not None and low > high:
        yield Problem(f"{declared.name} goes from {low} to {high}", at="min")


@rule(
    "XI425", Severity.BROKEN, Stage.RUN_TIME, fix="Choose a default within, or say min= and max=."
)
def default_out_of_limits(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """The default of a parameter is out of its limits, those of its template included.

    The SDK refuses the value that Dify offers.
    """
    _kind, low, high, default = _effective(declared)
    if isinstance(default, int | float) and not isinstance(default, bool):
        below = low is not None and default < low
        above = high is not None and default > high
        if below or above:
            message = f"{declared.name} is {default} by default, of {low} to {high}"
            yield Problem(message, at="default")


@rule("XI426", Severity.BROKEN, Stage.RUN_TIME, fix="Give a default of the parameter's type.")
def default_of_other_type(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """The default of a parameter is not of its type; the SDK refuses it when it is sent."""
    kind, _low, _high, default = _effective(declared)
    fits: dict[ParameterType, tuple[type, ...]] = {
        ParameterType.FLOAT: (int, float),
        ParameterType.INT: (int,),
        ParameterType.STRING: (str,),
        ParameterType.TEXT: (str,),
        ParameterType.BOOLEAN: (bool,),
    }
    if default is None or kind is None or is_expression(default):
        return
    whole = kind is ParameterType.INT and isinstance(default, float) and default.is_integer()
    wrong_bool = isinstance(default, bool) and kind is not ParameterType.BOOLEAN
    if wrong_bool or not (isinstance(default, fits[kind]) or whole):
        message = f"{declared.name} is a {kind} and {default!r} by default"
        yield Problem(message, at="default")


@rule("XI427", Severity.BROKEN, Stage.RUN_TIME, fix="Leave the options out, or use type string.")
def idle_rule_options(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """A parameter that is no string has options, which nothing enforces."""
    kind = _effective(declared)[0]
    if declared.options and kind is not None and kind is not ParameterType.STRING:
        yield Problem(f"{declared.name} is a {kind} with options", at="options")


@rule("XI428", Severity.BROKEN, Stage.RUN_TIME, fix="Name one of the options.")
def default_not_a_rule_option(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """The default of a parameter is none of its options; the SDK refuses it when it is sent."""
    if declared.options and declared.default not in (None, "", *declared.options):
        listed = ", ".join(declared.options)
        yield Problem(f"{declared.default!r} is none of {listed}", at="default")


@rule("XI429", Severity.BROKEN, Stage.RUN_TIME, fix="Say how many decimals, 0 or more.")
def precision_negative(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """The precision of a parameter is negative; the SDK rounds away what users enter."""
    if declared.precision is not None and declared.precision < 0:
        yield Problem(f"{declared.name} has {declared.precision} decimals", at="precision")


@rule("XI430", Severity.REFUSED, Stage.START, fix="Shorten them to at most 255 characters.")
def rule_option_length(declared: ParameterRule, _: Subject) -> Iterator[Problem]:
    """An option of a parameter is too long; Dify refuses the model's description."""
    for index, option in enumerate(declared.options):
        if len(option) > _LONGEST:
            yield Problem(f"an option of {len(option)} characters", at=f"options[{index}]")


@rule(
    "XI440",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix='Say unit=Decimal("0.000001") for prices a million.',
)
def pricing_unit(pricing: Pricing, _: Subject) -> Iterator[Problem]:
    """The unit of a price makes it nothing, or a fortune: cost is tokens x price x unit."""
    free = not pricing.input and not pricing.output
    if not (math.isfinite(pricing.unit) and (0 < pricing.unit <= 1 or free)):
        yield Problem(f"the unit is {pricing.unit}", at="unit")


@rule("XI441", Severity.BROKEN, Stage.RUN_TIME, fix="Write a price of 0 or more.")
def negative_price(pricing: Pricing, _: Subject) -> Iterator[Problem]:
    """A price is negative."""
    for name in ("input", "output"):
        price: Decimal | float | None = getattr(pricing, name)
        if price is not None and math.isfinite(price) and price < 0:
            yield Problem(f"{name} costs {price}", at=name)


@rule("XI442", Severity.REFUSED, Stage.START, fix="Say USD, RMB or another.")
def currency_missing(pricing: Pricing, _: Subject) -> Iterator[Problem]:
    """A price has no currency; Dify refuses the model's description."""
    if not pricing.currency:
        yield Problem("the currency is empty", at="currency")


@rule("XI450", Severity.REFUSED, Stage.START, fix="Use the fields of ModelProperties.")
def unknown_property(model: CustomizableModel, _: Subject) -> Iterator[Problem]:
    """A property of a customizable model is none that the SDK knows; its description fails."""
    for name in model.properties:
        if name not in _PROPERTIES:
            yield Problem(f"{name} is no property of a model", at=f"properties.{name}")


@rule(
    "XI451",
    Severity.REFUSED,
    Stage.START,
    fix='Write e.g. Feature.VISION: ability("vision").',
)
def feature_without_condition(model: CustomizableModel, _: Subject) -> Iterator[Problem]:
    """A feature of a customizable model has no condition under which a model has it."""
    for feature, condition in model.features.items():
        if not isinstance(feature, Feature) or not isinstance(condition, Condition):
            yield Problem(f"{feature} has {condition!r}", at=f"features.{feature}")


@rule(
    "XI452",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Put what differs into conditions of one declaration.",
)
def duplicate_custom_type(project: Project, _: Subject) -> Iterator[Problem]:
    """Two declarations are for customizable models of the same type; the first is used."""
    counts = Counter(model.model_type for model in project.customizable_models)
    for index, model in enumerate(project.customizable_models):
        if counts[model.model_type] > 1:
            at = f"customizable_models[{index}].model_type"
            yield Problem(f"{model.model_type} is declared twice", at=at, of=model)


@rule("XI453", Severity.BROKEN, Stage.RUN_TIME, fix="Name an attribute of the credentials class.")
def unknown_setting(project: Project, _: Subject) -> Iterator[Problem]:
    """A term asks for a setting that no form has; its value is never known."""
    known = {field.name for field in fields(project.credentials)} if project.credentials else set()
    for path, _owner, term in expressions(project):
        if isinstance(term, Setting) and term.name not in known:
            yield Problem(f"{term} is no field of the credentials", at=dotted(path))


@rule("XI454", Severity.BROKEN, Stage.RUN_TIME, fix=f"Use {', '.join(LIMITS)}.")
def unknown_limit(project: Project, _: Subject) -> Iterator[Problem]:
    """A term asks for a limit that no server reports; its value is never known."""
    for path, _owner, term in expressions(project):
        if isinstance(term, Limit) and term.name not in LIMITS:
            yield Problem(f"{term} is nothing that a server reports", at=dotted(path))


def _writable(project: Project) -> Iterator[Model]:
    return (m for m in project.models if m.file is not None or m.model_type in MODEL_FOLDERS)


def _effective(
    declared: ParameterRule,
) -> tuple[ParameterType | None, float | None, float | None, Any]:
    """Work out type, limits and default of a parameter, its template's where it says none.

    What a term stands for is not known here: ``None``.
    """
    template = TEMPLATES.get(declared.use_template) if declared.use_template else None
    kind, low, high, default = template or (None, None, None, None)
    known = {
        name: None if is_expression(value) else value
        for name in ("min", "max", "default")
        if (value := getattr(declared, name)) is not None
    }
    return (
        declared.type or kind,
        known.get("min", low),
        known.get("max", high),
        known.get("default", default),
    )


RULES = (
    model_name_length,
    duplicate_model,
    same_file,
    open_value,
    type_without_folder,
    property_not_positive,
    property_key,
    template_maximum,
    context_size_missing,
    voices_missing,
    voice_empty,
    too_many_of_model,
    idle_stream_tool_call,
    rule_name_length,
    rule_without_type,
    duplicate_rule,
    duplicate_custom_rule,
    limits_exchanged,
    default_out_of_limits,
    default_of_other_type,
    idle_rule_options,
    default_not_a_rule_option,
    precision_negative,
    rule_option_length,
    pricing_unit,
    negative_price,
    currency_missing,
    unknown_property,
    feature_without_condition,
    duplicate_custom_type,
    unknown_setting,
    unknown_limit,
)
