"""Rules of credential forms: what Dify's dialog and server make of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import (
    ConfigurateMethod,
    FormField,
    FormType,
    ModelName,
    Option,
    Project,
    Provider,
    ShowOn,
    Target,
    base_url,
    fields,
)

_CHOICES = (FormType.SELECT, FormType.RADIO)
_MODEL_TYPE = "__model_type"
_SECRET = re.compile(r"(^|_)(api_?key|secret|password|token|access_?key)(_|$)", re.IGNORECASE)
_LONGEST = 255
_MOST_FIELDS, _MOST_OPTIONS, _MOST_CONDITIONS = 32, 128, 16


def _forms(provider: Provider) -> Iterator[tuple[str, tuple[FormField, ...]]]:
    schemas = ("provider_credential_schema", "model_credential_schema")
    for name in schemas:
        if schema := getattr(provider, name):
            yield f"{name}.credential_form_schemas", schema.credential_form_schemas


@rule("XI301", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Use 1 to 255 characters.")
def variable_length(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field's variable is empty or too long; remote debugging refuses the provider."""
    if not 0 < len(field.variable) <= _LONGEST:
        yield Problem(f"a variable of {len(field.variable)} characters", at="variable")


@rule("XI302", Severity.BROKEN, Stage.RUN_TIME, fix="Give each field a variable of its own.")
def duplicate_variable(provider: Provider, _: Subject) -> Iterator[Problem]:
    """Two fields of a form have the same variable: one overwrites what was entered in the other.

    Fields that are never shown together, because of what they are shown on, may share one.
    """
    for at, form in _forms(provider):
        first: dict[str, list[FormField]] = {}
        for index, field in enumerate(form):
            others = first.setdefault(field.variable, [])
            if any(_together(field, other) for other in others):
                message = f"the variable {field.variable!r} is another field's, too"
                yield Problem(message, at=f"{at}[{index}].variable", of=field)
            others.append(field)


def _together(one: FormField, other: FormField) -> bool:
    """Say whether two fields can be shown at once."""
    wanted = {condition.variable: condition.value for condition in one.show_on}
    return all(wanted.get(c.variable, c.value) == c.value for c in other.show_on)


@rule("XI303", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Write the English text.")
def field_text_empty(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field's label or placeholder has no English; remote debugging refuses the provider."""
    for name in ("label", "placeholder", "help"):
        text = getattr(field, name)
        if text is not None and not text.en_US:
            yield Problem(f"{name} of {field.variable} has no English text", at=name, of=text)


@rule("XI304", Severity.BROKEN, Stage.RUN_TIME, fix="Add options, or make it a text-input.")
def choice_without_options(field: FormField, _: Subject) -> Iterator[Problem]:
    """A select or radio has nothing to choose from; nobody can fill in the form."""
    if field.type in _CHOICES and not field.options:
        yield Problem(f"{field.variable} is a {field.type} without options", at="options")


@rule("XI305", Severity.ADVICE, Stage.RUN_TIME, fix="Make it a select, or leave the options out.")
def idle_options(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field that is no choice has options, which Dify does not show."""
    if field.options and field.type not in _CHOICES:
        yield Problem(f"{field.variable} is a {field.type} with options", at="options")


@rule("XI306", Severity.BROKEN, Stage.RUN_TIME, fix="Name one of the options.")
def default_not_an_option(field: FormField, _: Subject) -> Iterator[Problem]:
    """The default is none of the options: the form shows nothing chosen, and stores it anyway."""
    values = [option.value for option in field.options]
    if field.type in _CHOICES and values and field.default not in (None, "", *values):
        yield Problem(f"{field.default!r} is none of {', '.join(values)}", at="default")


@rule("XI307", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Use at most 255 characters.")
def default_length(field: FormField, _: Subject) -> Iterator[Problem]:
    """A default is too long; remote debugging refuses the provider."""
    if field.default is not None and len(field.default) > _LONGEST:
        yield Problem(f"a default of {len(field.default)} characters", at="default")


@rule("XI308", Severity.BROKEN, Stage.RUN_TIME, fix="Shorten the default, or raise max_length.")
def default_above_length(field: FormField, _: Subject) -> Iterator[Problem]:
    """The default is longer than the field lets anyone enter."""
    if field.default and 0 < field.max_length < len(field.default):
        yield Problem(f"{field.variable} allows {field.max_length} characters", at="default")


@rule("XI309", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Use 1 to 255 characters.")
def option_value(option: Option, _: Subject) -> Iterator[Problem]:
    """An option's value is empty or too long; remote debugging refuses the provider."""
    if not 0 < len(option.value) <= _LONGEST:
        yield Problem(f"a value of {len(option.value)} characters", at="value")


@rule("XI310", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Write the English text.")
def option_text_empty(option: Option, _: Subject) -> Iterator[Problem]:
    """An option has no English label; remote debugging refuses the provider."""
    if not option.label.en_US:
        yield Problem(f"the option {option.value!r} has no English label", at="label")


@rule("XI311", Severity.BROKEN, Stage.RUN_TIME, fix="Give each option a value of its own.")
def duplicate_option(field: FormField, _: Subject) -> Iterator[Problem]:
    """Two options have the same value: the code cannot tell which was chosen."""
    counts = Counter(option.value for option in field.options)
    for value, count in counts.items():
        if count > 1:
            yield Problem(f"{count} options have the value {value!r}", at="options")


@rule("XI312", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Split the form, or leave fields out.")
def too_many_fields(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A form has more than 32 fields; remote debugging refuses the provider."""
    for at, form in _forms(provider):
        if len(form) > _MOST_FIELDS:
            yield Problem(f"{len(form)} fields", at=at)


@rule("XI313", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Leave some out.")
def too_many_options(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field has more than 128 options or 16 conditions; remote debugging refuses it."""
    for name, most in (("options", _MOST_OPTIONS), ("show_on", _MOST_CONDITIONS)):
        if len(getattr(field, name)) > most:
            yield Problem(f"{field.variable} has {len(getattr(field, name))}", at=name)


@rule(
    "XI314",
    Severity.REFUSED,
    Stage.REMOTE_DEBUGGING,
    fix="Name a variable and a value of at most 255 characters.",
)
def condition_length(condition: ShowOn, _: Subject) -> Iterator[Problem]:
    """A condition has no variable or no value, or too long a one; remote debugging refuses it."""
    for name in ("variable", "value"):
        if not 0 < len(getattr(condition, name)) <= _LONGEST:
            yield Problem(f"a {name} of {len(getattr(condition, name))} characters", at=name)


@rule(
    "XI315", Severity.BROKEN, Stage.RUN_TIME, fix="Name a field of the same form, or __model_type."
)
def unknown_condition(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A field is shown by another one that is not in the form, so it is never shown."""
    for at, form in _forms(provider):
        known = {field.variable for field in form} | {_MODEL_TYPE}
        for place, owner, condition in _conditions(at, form):
            if condition.variable not in known:
                message = f"{owner.variable} waits for {condition.variable!r}, which is no field"
                yield Problem(message, at=place, of=owner)


@rule("XI316", Severity.BROKEN, Stage.RUN_TIME, fix="Name a value that the other field can have.")
def impossible_condition(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A field is shown by a value that the other one cannot have, so it is never shown."""
    types = {kind.value for kind in provider.supported_model_types}
    for at, form in _forms(provider):
        values = {
            field.variable: {option.value for option in field.options}
            for field in form
            if field.type in _CHOICES and field.options
        } | {_MODEL_TYPE: types}
        for place, owner, condition in _conditions(at, form):
            possible = values.get(condition.variable)
            if possible is not None and condition.value not in possible:
                message = (
                    f"{owner.variable} waits for {condition.variable} to be {condition.value!r}, "
                    f"which is none of {', '.join(sorted(possible))}"
                )
                yield Problem(message, at=place, of=owner)


@rule(
    "XI317",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Use one condition, or required=False and a default.",
)
def required_when_hidden(field: FormField, _: Subject) -> Iterator[Problem]:
    """A required field has several conditions, and is asked for while it is hidden.

    Dify's form shows a field when all of its conditions hold; its server asks for it when any
    does.
    """
    if field.required and len({(c.variable, c.value) for c in field.show_on}) > 1:
        yield Problem(f"{field.variable} has {len(field.show_on)} conditions", at="show_on")


@rule("XI318", Severity.BROKEN, Stage.RUN_TIME, fix="Use one condition for each variable.")
def contradicting_conditions(field: FormField, _: Subject) -> Iterator[Problem]:
    """Two conditions want one field to have two values; the form never shows it."""
    values: dict[str, set[str]] = {}
    for condition in field.show_on:
        values.setdefault(condition.variable, set()).add(condition.value)
    for variable, wanted in values.items():
        if len(wanted) > 1:
            listed = " and ".join(sorted(wanted))
            message = f"{field.variable} waits for {variable} to be {listed} at once"
            yield Problem(message, at="show_on")


@rule("XI319", Severity.BROKEN, Stage.RUN_TIME, fix="Show it by another field, or always.")
def model_type_in_provider_form(provider: Provider, _: Subject) -> Iterator[Problem]:
    """A field of the provider's form is shown by the model type, which nobody chooses there."""
    if ConfigurateMethod.PREDEFINED_MODEL not in provider.configurate_methods:
        return  # then Dify shows the models' form alone
    if provider.provider_credential_schema:
        form = provider.provider_credential_schema.credential_form_schemas
        for place, owner, condition in _conditions("provider_credential_schema", form):
            if condition.variable == _MODEL_TYPE:
                yield Problem(f"{owner.variable} waits for the model type", at=place, of=owner)


@rule("XI320", Severity.ADVICE, Stage.RUN_TIME, fix="Say required=True or required=False.")
def required_left_out(field: FormField, _: Subject) -> Iterator[Problem]:
    """It is not said whether a field is required: false to the daemon, true to the SDK."""
    if field.required is None:
        yield Problem(f"{field.variable} does not say whether it is required", at="required")


@rule("XI321", Severity.ADVICE, Stage.RUN_TIME, fix="Make it a secret-input.")
def secret_as_text(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field that sounds secret is a plain text: Dify stores and shows it openly."""
    if field.type is FormType.TEXT_INPUT and _SECRET.search(field.variable):
        yield Problem(f"{field.variable} is a text-input", at="type")


@rule("XI322", Severity.ADVICE, Stage.RUN_TIME, fix="Leave the default out.")
def secret_default(field: FormField, _: Subject) -> Iterator[Problem]:
    """A secret has a default, which everyone who has the plugin can read."""
    if field.type is FormType.SECRET_INPUT and field.default:
        yield Problem(f"{field.variable} has a default", at="default")


@rule("XI323", Severity.REFUSED, Stage.REMOTE_DEBUGGING, fix="Write the English text.")
def model_name_empty(name: ModelName, _: Subject) -> Iterator[Problem]:
    """The question for a model's name has no English; remote debugging refuses the provider."""
    if not name.label.en_US:
        yield Problem("the label has no English text", at="label")


def _conditions(at: str, form: tuple[FormField, ...]) -> Iterator[tuple[str, FormField, ShowOn]]:
    """Yield each condition of a form, on a field or on an option, with its place and field."""
    for index, field in enumerate(form):
        for number, condition in enumerate(field.show_on):
            yield f"{at}[{index}].show_on[{number}]", field, condition
        for choice, option in enumerate(field.options):
            for number, condition in enumerate(option.show_on):
                yield f"{at}[{index}].options[{choice}].show_on[{number}]", field, condition


@rule(
    "XI324",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    fix="Say it in the placeholder, or in the provider's help.",
)
def help_lost(field: FormField, _: Subject) -> Iterator[Problem]:
    """A field has a help or a link of its own, which remote debugging does not show.

    The SDK drops both when it declares the plugin; installed, the plugin shows them.
    """
    if field.help is not None or field.url is not None:
        yield Problem(f"the help of {field.variable} is lost in remote debugging", at="help")


@rule(
    "XI325",
    Severity.BROKEN,
    Stage.RUN_TIME,
    fix="Declare a credentials field with sets=base_url, or give the runtime a base_url.",
)
def base_url_missing(project: Project, _: Subject) -> Iterator[Problem]:
    """Neither the runtime nor a credentials field says where the server is.

    Every call of a model fails.
    """
    if project.runtime is None or project.runtime.base_url:
        return
    if base_url not in _targets(project):
        yield Problem("nothing sets the base URL of the server", at="runtime", of=project.runtime)


def _targets(project: Project) -> set[Target]:
    declared = fields(project.credentials) if project.credentials else ()
    return {
        sets if isinstance(sets, Target) else sets.target
        for field in declared
        for sets in field.sets
    }


RULES = (
    variable_length,
    duplicate_variable,
    field_text_empty,
    choice_without_options,
    idle_options,
    default_not_an_option,
    default_length,
    default_above_length,
    option_value,
    option_text_empty,
    duplicate_option,
    too_many_fields,
    too_many_options,
    condition_length,
    unknown_condition,
    impossible_condition,
    required_when_hidden,
    contradicting_conditions,
    model_type_in_provider_form,
    required_left_out,
    secret_as_text,
    secret_default,
    model_name_empty,
    help_lost,
    base_url_missing,
)
