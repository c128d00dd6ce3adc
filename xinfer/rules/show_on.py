"""Rules of the conditions on which Dify's dialog shows a field, and its server keeps its value."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.forms import forms
from xinfer.rules.rule import Problem, rule
from xinfer.rules.values import did_you_mean
from xinfer.spec import ConfigurateMethod, FormField, FormType, Provider, ShowOn
from xinfer.spec.form import MODEL_NAME, MODEL_TYPE

_CHOICES = (FormType.SELECT, FormType.RADIO)
_LONGEST = 255
_SERVER = "graphon model_runtime/schema_validators/common_validator.py"
_DIALOG = "dify web/app/components/base/form/components/base/base-form.tsx"


def _form(show_on: str, schema: str = "model") -> str:
    """Write a form with a choice g of x and y, and a field shown on conditions."""
    model = "  model: {label: {en_US: Model name}}\n" if schema == "model" else ""
    methods = (
        "[predefined-model, customizable-model]" if schema == "model" else "[predefined-model]"
    )
    key = "    - {variable: api_key, type: secret-input, required: true, label: {en_US: K}}\n"
    return (
        f"configurate_methods: {methods}\n"
        f"{schema}_credential_schema:\n{model}  credential_form_schemas:\n{key}"
        "    - variable: g\n      type: radio\n      required: false\n      label: {en_US: G}\n"
        "      options: [{value: x, label: {en_US: X}}, {value: y, label: {en_US: Y}}]\n"
        "    - variable: v\n      type: text-input\n      required: false\n"
        "      label: {en_US: V}\n"
        f"      show_on: {show_on}\n"
    )


@rule(
    "XI315",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DIALOG}; {_SERVER}",
    bad=(_form("[«{variable: h, value: x}»]"),),
    good=(_form("[{variable: g, value: x}]"), _form("[{variable: __model_type, value: llm}]")),
    fix="Use a variable of the same form, or __model_type.",
)
def unknown_condition(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A field is shown on a variable that the form does not have, so it is never shown."""
    for at, form in forms(provider):
        variables = {field.variable for field in form}
        for place, owner, condition in _conditions(at, form):
            if condition.variable not in {*variables, MODEL_TYPE, MODEL_NAME}:
                message = (
                    f"{owner.variable} is never shown: the form has no {condition.variable}"
                    f"{did_you_mean(condition.variable, [*variables, MODEL_TYPE])}"
                )
                yield Problem(message, at=place, of=owner)


@rule(
    "XI331",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_SERVER}: __model_name is no field; {_DIALOG}",
    bad=(_form("[«{variable: __model_name, value: gpt}»]"),),
    good=(_form("[{variable: g, value: x}]"),),
    fix="Show it on __model_type or on another field.",
)
def shown_on_name(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A field is shown on the model's name, which Dify below 1.8 does not send.

    There the server drops what was entered. Newer dialogs compare at every key stroke.
    """
    for at, form in forms(provider):
        for place, owner, condition in _conditions(at, form):
            if condition.variable == MODEL_NAME:
                yield Problem(f"{owner.variable} depends on the model's name", at=place, of=owner)


@rule(
    "XI316",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DIALOG}; {_SERVER}",
    bad=(
        _form("[«{variable: g, value: X}»]"),
        _form("[«{variable: __model_type, value: text_embedding}»]"),
    ),
    good=(_form("[{variable: g, value: y}]"), _form("[{variable: __model_type, value: llm}]")),
    fix="Use a value that the other field can have.",
)
def impossible_condition(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A field is shown on a value that the other field cannot have, so it is never shown."""
    types = {kind.value for kind in provider.supported_model_types}
    for at, form in forms(provider):
        values: dict[str, set[str]] = {}
        for field in form:
            if field.type in _CHOICES and field.options:
                values.setdefault(field.variable, set()).update(o.value for o in field.options)
        free = {field.variable for field in form if field.type not in _CHOICES}
        values |= {MODEL_TYPE: types} if types else {}
        for place, owner, condition in _conditions(at, form):
            possible = values.get(condition.variable)
            if condition.variable in free or possible is None or condition.value in possible:
                continue
            listed = ", ".join(sorted(possible))
            message = (
                f"{owner.variable} is never shown: {condition.variable} is one of {listed}"
                f"{did_you_mean(condition.value, possible)}"
            )
            yield Problem(message, at=place, of=owner)


@rule(
    "XI318",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DIALOG}: every condition must hold; {_SERVER}",
    bad=(
        _form("«[{variable: g, value: x}, {variable: g, value: y}]»"),
        _form(
            "«[{variable: __model_type, value: llm}, {variable: __model_type, value: moderation}]»"
        ),
    ),
    good=(_form("[{variable: g, value: x}, {variable: __model_type, value: llm}]"),),
    fix="Use one condition for each variable, and a field of its own for each of its values.",
)
def contradicting_conditions(field: FormField, _: Plugin) -> Iterator[Problem]:
    """Two conditions require two values of one variable, so the field is never shown.

    All conditions must hold; there is no "or".
    """
    values: dict[str, set[str]] = {}
    for condition in field.show_on:
        values.setdefault(condition.variable, set()).add(condition.value)
    for variable, required in values.items():
        if len(required) > 1:
            listed = " and ".join(sorted(required))
            message = f"{field.variable} is never shown: {variable} cannot be {listed} at once"
            yield Problem(message, at="show_on")


@rule(
    "XI319",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_SERVER}; {_DIALOG}",
    bad=(_form("[«{variable: __model_type, value: llm}»]", "provider"),),
    good=(_form("[{variable: g, value: x}]", "provider"),),
    fix="Show it on another field, or always.",
)
def model_type_in_provider_form(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A field of the provider's form is shown on the model type, which nobody chooses there.

    The dialog never shows it, and the server drops its value.
    """
    if ConfigurateMethod.PREDEFINED_MODEL not in provider.configurate_methods:
        return  # then Dify shows the models' form alone
    if provider.provider_credential_schema:
        form = provider.provider_credential_schema.credential_form_schemas
        at = "provider_credential_schema.credential_form_schemas"
        for place, owner, condition in _conditions(at, form):
            if condition.variable == MODEL_TYPE:
                message = f"{owner.variable} is never shown in the provider's own form"
                yield Problem(message, at=place, of=owner)


@rule(
    "XI314",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source="daemon pkg/entities/plugin_entities/model_declaration.go: "
    "ModelProviderFormShowOnObject",
    bad=(_form("[{variable: api_key, value: «''»}]"),),
    good=(_form("[{variable: api_key, value: x}]"),),
    fix="Use 1 to 255 characters.",
)
def condition_length(condition: ShowOn, _: Plugin) -> Iterator[Problem]:
    """A condition's variable or value is empty or has more than 255 characters."""
    for name in ("variable", "value"):
        count = len(getattr(condition, name))
        if not 0 < count <= _LONGEST:
            yield Problem(f"the {name} has {count} characters, not 1 to {_LONGEST}", at=name)


def _conditions(at: str, form: tuple[FormField, ...]) -> Iterator[tuple[str, FormField, ShowOn]]:
    """Yield each condition of a form, on a field or on an option, with its place and field."""
    for index, field in enumerate(form):
        for number, condition in enumerate(field.show_on):
            yield f"{at}[{index}].show_on[{number}]", field, condition
        for choice, option in enumerate(field.options):
            for number, condition in enumerate(option.show_on):
                yield f"{at}[{index}].options[{choice}].show_on[{number}]", field, condition


RULES = (
    unknown_condition,
    shown_on_name,
    impossible_condition,
    contradicting_conditions,
    model_type_in_provider_form,
    condition_length,
)
