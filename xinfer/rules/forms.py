"""Rules of the fields and options of credential forms: what Dify's dialog and server make of them.

What is only a limit of remote debugging comes last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.rule import Fix, Problem, rule
from xinfer.spec import FormField, FormType, ModelName, Option, Provider

_CHOICES = (FormType.SELECT, FormType.RADIO)
_SECRET = re.compile(
    r"(^|_)(api_?key|access_?key|secret(_?key)?|private_?key|password|token)$", re.IGNORECASE
)
_LONGEST = 255
_MOST_FIELDS, _MOST_OPTIONS, _MOST_CONDITIONS = 32, 128, 16
_DAEMON = "daemon pkg/entities/plugin_entities/model_declaration.go: "
_SERVER = "graphon model_runtime/schema_validators/common_validator.py"
_DIALOG = "dify web/app/components/base/form/components/base/base-field.tsx"


def _form(fields: str) -> str:
    """Write a form of an API key and these fields, each with the rest of what a field needs."""
    listed = "".join(
        f"    - {field}\n      label: {{en_US: L, zh_Hans: L}}\n" for field in fields.split(" | ")
    )
    return (
        "provider_credential_schema:\n  credential_form_schemas:\n"
        "    - variable: api_key\n      type: secret-input\n      required: true\n"
        f"      label: {{en_US: API key, zh_Hans: API Key}}\n{listed}"
    )


def _field(type_: str = "text-input", more: str = "", variable: str = "v") -> str:
    more = f"\n      {more}" if more else ""
    return f"variable: {variable}\n      type: {type_}\n      required: false{more}"


def _option(value: str, label: str = "O") -> str:
    return f"{{value: {value}, label: {{en_US: {label}}}}}"


def forms(provider: Provider) -> Iterator[tuple[str, tuple[FormField, ...]]]:
    """Yield the fields of the provider's form and of its models', with their path."""
    for name in ("provider_credential_schema", "model_credential_schema"):
        if schema := getattr(provider, name):
            yield f"{name}.credential_form_schemas", schema.credential_form_schemas


@rule(
    "XI302",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_SERVER}: _validate_and_filter_credential_form_schemas",
    bad=(_form(f"{_field()} | {_field(variable='«v»')}"),),
    good=(_form(f"{_field()} | {_field(variable='w')}"),),
    fix="Give each field a variable of its own.",
)
def duplicate_variable(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """Two fields of a form have the same variable: one overwrites what is entered in the other."""
    for at, form in forms(provider):
        for index, field, others in _shared(form):
            if any(_may_be_shown_together(field, other) for other in others):
                message = f"the variable {field.variable!r} is that of another field, too"
                related = tuple(other.span for other in others[:1] if other.span)
                where = f"{at}[{index}].variable"
                yield Problem(message, at=where, of=field, related=related)


def _when(value: str) -> str:
    return f"show_on: [{{variable: g, value: '{value}'}}]"


_CHOICE = _field("select", f"options: [{_option('x')}, {_option('y')}]", "g")


@rule(
    "XI328",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify web/app/components/base/form/components/base/base-form.tsx",
    bad=(
        _form(f"{_CHOICE} | {_field(more=_when('x'))} | {_field(more=_when('y'), variable='«v»')}"),
    ),
    good=(
        _form(f"{_CHOICE} | {_field(more=_when('x'))} | {_field(more=_when('y'), variable='w')}"),
    ),
    fix="Give each field a variable of its own, and let the code read both.",
)
def shared_variable(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """Two fields of a form that are never shown together share a variable.

    The dialog takes label, placeholder and type of the first, and the default of the last.
    """
    for at, form in forms(provider):
        for index, field, others in _shared(form):
            if not any(_may_be_shown_together(field, other) for other in others):
                message = f"the variable {field.variable!r} has the label of the first such field"
                related = tuple(other.span for other in others[:1] if other.span)
                where = f"{at}[{index}].variable"
                yield Problem(message, at=where, of=field, related=related)


def _shared(form: tuple[FormField, ...]) -> Iterator[tuple[int, FormField, list[FormField]]]:
    """Yield each field whose variable earlier fields have, with these."""
    first: dict[str, list[FormField]] = {}
    for index, field in enumerate(form):
        others = first.setdefault(field.variable, [])
        if others:
            yield index, field, list(others)
        others.append(field)


def _may_be_shown_together(field: FormField, other: FormField) -> bool:
    required = {condition.variable: condition.value for condition in field.show_on}
    return all(required.get(c.variable, c.value) == c.value for c in other.show_on)


@rule(
    "XI329",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_DIALOG}; {_SERVER}: switch",
    bad=(_form(_field("«switch»")),),
    good=(_form(_field("radio", f"options: [{_option("'true'")}, {_option("'false'")}]")),),
    fix=Fix(
        spec="Use switch(), which makes a radio with true and false.",
        yaml="Make it a radio with the options 'true' and 'false'.",
    ),
)
def switch_not_drawn(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field is a switch, for which Dify's dialog draws no control.

    The server keeps a true value only, so what is switched off is lost, and a
    default of true switches it on again.
    """
    if field.type is FormType.SWITCH:
        yield Problem(f"Dify draws no control for the switch {field.variable}", at="type")


@rule(
    "XI304",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_DIALOG,
    bad=(_form(_field("«select»")),),
    good=(_form(_field("select", f"options: [{_option('a')}]")),),
    fix=Fix(
        spec="Give it options, or declare it with text_input(…).",
        yaml="Add options, or make it a text-input.",
    ),
)
def choice_without_options(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A select or radio has no options, so nobody can choose one."""
    if field.type in _CHOICES and not field.options and "options" not in field.extra_keys:
        yield Problem(f"{field.variable} is a {field.type} without options", at="type")


@rule(
    "XI305",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_DIALOG,
    bad=(_form(_field(more=f"options: «[{_option('a')}]»")),),
    good=(_form(_field("radio", f"options: [{_option('a')}]")),),
    fix=Fix(
        spec="Declare it with select(…), or leave the options out.",
        yaml="Make it a select, or leave the options out.",
    ),
)
def idle_options(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field that is no choice has options, which Dify does not show."""
    if field.options and field.type not in _CHOICES:
        yield Problem(f"{field.variable} is a {field.type} and has options", at="options")


@rule(
    "XI306",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_SERVER}: value is not in options",
    bad=(_form(_field("select", f"options: [{_option('chat')}]\n      default: «Chat»")),),
    good=(_form(_field("select", f"options: [{_option('chat')}]\n      default: chat")),),
    fix="Use the value of one of the options.",
)
def default_not_an_option(field: FormField, _: Plugin) -> Iterator[Problem]:
    """The default is not one of the options: the dialog shows no choice, the server refuses it."""
    values = [option.value for option in field.options]
    if field.type in _CHOICES and values and field.default not in (None, "", *values):
        listed = ", ".join(values)
        yield Problem(f"the default {field.default!r} is not one of {listed}", at="default")


@rule(
    "XI308",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=f"{_SERVER}: max_length",
    bad=(_form(_field(more="max_length: 2\n      default: «abc»")),),
    good=(_form(_field(more="max_length: 3\n      default: abc")),),
    fix="Shorten the default, or raise max_length.",
)
def default_above_length(field: FormField, _: Plugin) -> Iterator[Problem]:
    """The default is longer than the server accepts when users save it as it is."""
    if field.default and 0 < field.max_length < len(field.default):
        count = len(field.default)
        message = f"the default has {count} characters; at most {field.max_length} are allowed"
        yield Problem(message, at="default")


@rule(
    "XI311",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_DIALOG,
    bad=(_form(_field("select", f"options: [{_option('a')}, {_option('«a»')}]")),),
    good=(_form(_field("select", f"options: [{_option('a')}, {_option('b')}]")),),
    fix="Give each option a value of its own.",
)
def duplicate_option(field: FormField, _: Plugin) -> Iterator[Problem]:
    """Two options have the same value, so the code cannot tell which was chosen."""
    counts: Counter[str] = Counter()
    for index, option in enumerate(field.options):
        if counts[option.value] == 1 and not option.show_on:
            message = f"another option has the value {option.value!r}, too"
            yield Problem(message, at=f"options[{index}].value")
        counts[option.value] += 1


@rule(
    "XI320",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_DAEMON}ModelProviderCredentialFormSchema; sdk CredentialFormSchema",
    bad=(_form("«variable: v\n      type: text-input").rstrip() + "»\n",),
    good=(_form(_field()),),
    fix=Fix(
        spec="Write required=True or required=False.",
        yaml="Write required: true or required: false.",
    ),
)
def required_left_out(field: FormField, _: Plugin) -> Iterator[Problem]:
    """The field does not say whether it is required: the daemon takes no, the SDK takes yes."""
    if field.required is None:
        yield Problem(f"{field.variable} does not say whether it is required", at="required")


@rule(
    "XI330",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=f"{_SERVER}: the default is for fields that are not required",
    bad=(_form("variable: v\n      type: text-input\n      required: true\n      default: «d»"),),
    good=(_form(_field(more="default: d")),),
    fix=Fix(
        spec="Write required=False: the server then fills the default in.",
        yaml="Write required: false: the server then fills the default in.",
    ),
)
def required_with_default(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A required field has a default, which the dialog shows and the server does not fill in."""
    if field.required and field.default:
        yield Problem(f"{field.variable} is required and has a default", at="default")


@rule(
    "XI321",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/entities/provider_configuration.py: extract_secret_variables",
    bad=(_form(_field("«text-input»", variable="access_key")),),
    good=(
        _form(_field("secret-input", variable="access_key")),
        _form(_field(variable="max_token_s")),
    ),
    fix=Fix(spec="Declare it with secret_input(…).", yaml="Make it a secret-input."),
)
def secret_as_text(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field whose name is that of a secret is a text-input: Dify stores and shows it in clear."""
    if field.type is FormType.TEXT_INPUT and _SECRET.search(field.variable):
        yield Problem(f"{field.variable} is a text-input", at="type")


@rule(
    "XI322",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="dify web/app/components/base/form/utils/secret-input; "
    "api/core/entities/provider_configuration.py",
    bad=(_form(_field("secret-input", "default: «s3cret»")),),
    good=(_form(_field("secret-input")),),
    fix="Leave the default out; if the value is not secret, use it in the code.",
)
def secret_default(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A secret has a default: the plugin gets `[__HIDDEN__]` in its place.

    The dialog sends that word for a secret that users leave as it is, and on a first save nothing
    is stored that could replace it. Everyone who has the plugin can read the default besides.
    """
    if field.type is FormType.SECRET_INPUT and field.default:
        yield Problem(f"the secret {field.variable} has a default", at="default")


@rule(
    "XI324",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="graphon model_runtime/entities/provider_entities.py: CredentialFormSchema",
    bad=(
        _form(_field(more="help: «{en_US: Look there.}»")),
        _form(_field(more="url: «https://x.y»")),
    ),
    good=(_form(_field(more="placeholder: {en_US: Look there.}")),),
    fix="Say it in the placeholder, or in the provider's help.",
)
def help_not_shown(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field has a help or a link of its own, which Dify drops."""
    for name in ("help", "url"):
        if getattr(field, name) is not None:
            yield Problem(f"Dify never shows the {name} of {field.variable}", at=name)
            return


# What remote debugging alone refuses ---------------------------------------------------------


@rule(
    "XI301",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderCredentialFormSchema",
    bad=(_form(_field(variable=f"«{'v' * 256}»")), _form(_field(variable="«''»"))),
    good=(_form(_field(variable="v" * 255)),),
    fix="Use 1 to 255 characters.",
)
def variable_length(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field's variable is empty or has more than 255 characters."""
    if not 0 < len(field.variable) <= _LONGEST:
        count = len(field.variable)
        yield Problem(f"the variable has {count} characters, not 1 to {_LONGEST}", at="variable")


@rule(
    "XI303",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderCredentialFormSchema; basic_type.go: I18nObject",
    bad=(_form(_field(more="placeholder: {en_US: «''»}")),),
    good=(_form(_field(more="placeholder: {en_US: Text}")),),
    fix="Write the English text.",
)
def field_text_empty(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field's label, placeholder or help has no English."""
    for name in ("label", "placeholder", "help"):
        text = getattr(field, name)
        if text is not None and not text.en_US:
            message = f"the English {name} of {field.variable} is empty"
            yield Problem(message, at=f"{name}.en_US", of=text)


@rule(
    "XI307",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderCredentialFormSchema",
    bad=(_form(_field(more=f"default: «{'d' * 256}»")),),
    good=(_form(_field(more=f"default: {'d' * 255}")),),
    fix="Use at most 255 characters.",
)
def default_length(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A default has more than 255 characters."""
    if field.default is not None and len(field.default) > _LONGEST:
        count = len(field.default)
        message = f"the default has {count} characters; at most {_LONGEST} are allowed"
        yield Problem(message, at="default")


@rule(
    "XI309",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderFormOption",
    bad=(
        _form(_field("select", f"options: [{_option("«''»")}]")),
        _form(_field("select", f"options: [{_option('«' + 'o' * 256 + '»')}]")),
    ),
    good=(_form(_field("select", f"options: [{_option('o' * 255)}]")),),
    fix="Use 1 to 255 characters.",
)
def option_value(option: Option, _: Plugin) -> Iterator[Problem]:
    """An option's value is empty or has more than 255 characters."""
    if not 0 < len(option.value) <= _LONGEST:
        count = len(option.value)
        yield Problem(f"the value has {count} characters, not 1 to {_LONGEST}", at="value")


@rule(
    "XI310",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderFormOption",
    bad=(_form(_field("select", f"options: [{_option('o', "«''»")}]")),),
    good=(_form(_field("select", f"options: [{_option('o')}]")),),
    fix="Write the English text.",
)
def option_text_empty(option: Option, _: Plugin) -> Iterator[Problem]:
    """An option has no English label."""
    if not option.label.en_US:
        message = f"the English label of the option {option.value!r} is empty"
        yield Problem(message, at="label.en_US", of=option.label)


def _many(count: int) -> str:
    return _form(" | ".join(_field(variable=f"v{number}") for number in range(count)))


@rule(
    "XI312",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderDeclaration",
    bad=(_many(32).replace("- variable: api_key", "«- variable: api_key").rstrip() + "»\n",),
    good=(_many(31),),
    fix="Leave fields out.",
)
def too_many_fields(provider: Provider, _: Plugin) -> Iterator[Problem]:
    """A form has more than 32 fields."""
    for at, form in forms(provider):
        if len(form) > _MOST_FIELDS:
            yield Problem(
                f"the form has {len(form)} fields; at most {_MOST_FIELDS} are allowed", at=at
            )


def _options(count: int) -> str:
    return ", ".join(_option(f"o{number}") for number in range(count))


@rule(
    "XI313",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelProviderCredentialFormSchema",
    bad=(_form(_field("select", f"options: «[{_options(129)}]»")),),
    good=(_form(_field("select", f"options: [{_options(128)}]")),),
    fix="Leave some out.",
)
def too_many_options(field: FormField, _: Plugin) -> Iterator[Problem]:
    """A field has more than 128 options, or more than 16 conditions."""
    for name, most in (("options", _MOST_OPTIONS), ("show_on", _MOST_CONDITIONS)):
        count = len(getattr(field, name))
        if count > most:
            yield Problem(
                f"{field.variable} has {count} {name}; at most {most} are allowed", at=name
            )


@rule(
    "XI323",
    Severity.ADVICE,
    Stage.REMOTE_DEBUGGING,
    source=f"{_DAEMON}ModelCredentialSchema",
    bad=(
        "model_credential_schema:\n  credential_form_schemas: []\n"
        "  model:\n    label: {en_US: «''»}\n",
    ),
    good=(
        "model_credential_schema:\n  credential_form_schemas: []\n"
        "  model:\n    label: {en_US: Model name}\n",
    ),
    fix="Write the English text.",
)
def model_name_empty(name: ModelName, _: Plugin) -> Iterator[Problem]:
    """The question for a model's name has no English label."""
    if not name.label.en_US:
        yield Problem("the English label is empty", at="label.en_US", of=name.label)


RULES = (
    duplicate_variable,
    shared_variable,
    switch_not_drawn,
    choice_without_options,
    idle_options,
    default_not_an_option,
    default_above_length,
    duplicate_option,
    required_left_out,
    required_with_default,
    secret_as_text,
    secret_default,
    help_not_shown,
    variable_length,
    field_text_empty,
    default_length,
    option_value,
    option_text_empty,
    too_many_fields,
    too_many_options,
    model_name_empty,
)
