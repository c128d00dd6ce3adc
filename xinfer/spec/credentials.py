"""Credentials as classes: one declaration gives the form Dify shows and the value code uses.

.. code-block:: python

    class ServerCredentials(Credentials):
        server_url: str = text_input(label=I18n("Server URL"), converter=http_url())
        api_key: Secret | None = secret_input(label=I18n("API key"), default=None)
        timeout: float = text_input(label=I18n("Timeout"), default=60.0, validator=gt(0))

A field without a default is required. Its annotation says what it holds at run time: ``str``,
``int``, ``float``, ``bool``, :class:`Secret`, an Enum, or one of these ``| None``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from difflib import get_close_matches
from itertools import product
from typing import (
    Any,
    ClassVar,
    Required,
    Self,
    TypedDict,
    Unpack,
    dataclass_transform,
    get_type_hints,
)

import attrs
from attrs import frozen

from xinfer.spec.converters import Converter, Validator
from xinfer.spec.declaration import evolve
from xinfer.spec.form import (
    CredentialSchema,
    FormField,
    FormType,
    ModelCredentialSchema,
    ModelName,
    Option,
    ShowOn,
)
from xinfer.spec.i18n import I18n
from xinfer.spec.secret import Secret
from xinfer.spec.targets import Sets, Target, check_field, check_fields
from xinfer.spec.values import Codec, Invalid, codec_of, quoted, text_of

_CIPHERTEXT = "SFlCUklE"
"""Base64 of ``HYBRID``: how Dify's ciphertext begins. A text field holds one when an earlier
version of the plugin stored the same variable as a secret."""

_PLACEHOLDER = "[__HIDDEN__]"
"""What Dify's form shows instead of a stored secret, and sends back if nothing was entered."""


@frozen
class Problem:
    """What is wrong with one field, or with several together.

    :param fields: variable and label of each; none if a check names no field.
    """

    fields: tuple[tuple[str, I18n], ...]
    message: I18n

    @property
    def variable(self) -> str:
        """The variable of the first field; empty if there is none."""
        return self.fields[0][0] if self.fields else ""

    def lines(self) -> tuple[str, str]:
        """Write the problem in English and in Chinese, each on one line."""
        english = ", ".join(f"{label} ({variable})" for variable, label in self.fields)
        chinese = "".join(f"「{label.chinese}」" for _, label in self.fields)
        return (
            f"{english}: {self.message}" if english else f"{self.message}",
            f"{chinese}：{self.message.chinese}" if chinese else self.message.chinese,
        )


class FormError(ValueError):
    """Credentials were refused: names every wrong field at once, in English and in Chinese.

    No value of a secret field ever appears in it.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        count = len({variable for one in self.problems for variable, _ in one.fields}) or 1
        english, chinese = zip(*(problem.lines() for problem in self.problems), strict=True)
        lines = [
            f"{count} credential field{'s' if count > 1 else ''} must be corrected:",
            *(f"- {line}" for line in english),
            f"有 {count} 个凭据字段需要更正：",
            *(f"- {line}" for line in chinese),
        ]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.problems,)


class FieldOptions(TypedDict, total=False):
    """What every field specifier takes.

    ``label``: what the form shows. ``default``: the value when nothing is entered; its absence
    makes the field required. ``show_on``: other variables and the value that each must have for
    this one to be shown, or :class:`ShowOn` objects; of several values any will do, and the form
    then has the field once for each, as Dify's conditions know no "or". ``converter`` and
    ``validator``: functions that change and refuse a value. ``variable``: the key Dify stores, when
    it cannot be the attribute's name. ``required``: what the form demands, when it differs from
    what the code needs; ``None`` leaves the key out. ``sets``: the part of the requests that the
    field sets, e.g. ``base_url`` (:mod:`xinfer.spec.targets`), or several. ``was``: the field's
    former variables, under which users may have stored it. ``asked_by_dify``: Dify's dialog asks
    this itself for a customizable model (its type, its name); such a field stands in the provider's
    form only. ``extra_keys``: keys that the format does not know.
    """

    label: Required[I18n]
    default: Any
    placeholder: I18n
    options: Iterable[Option]
    show_on: Mapping[str, str | tuple[str, ...]] | Iterable[ShowOn]
    converter: Converter
    validator: Validator | tuple[Validator, ...]
    max_length: int
    required: bool | None
    variable: str
    help: I18n
    url: str
    sets: Sets | tuple[Sets, ...]
    was: str | tuple[str, ...]
    asked_by_dify: bool
    extra_keys: Mapping[str, Any]


def text_input(**options: Unpack[FieldOptions]) -> Any:
    """Declare a line of text; also for numbers, which Dify's form has no input for."""
    return _specify(FormType.TEXT_INPUT, **options)


def secret_input(**options: Unpack[FieldOptions]) -> Any:
    """Declare a text that Dify encrypts and hides; annotate it :class:`Secret`."""
    return _specify(FormType.SECRET_INPUT, **options)


def select(**options: Unpack[FieldOptions]) -> Any:
    """Declare a choice from ``options`` in a drop-down list."""
    return _specify(FormType.SELECT, **options)


def radio(**options: Unpack[FieldOptions]) -> Any:
    """Declare a choice from ``options``, all of them in sight."""
    return _specify(FormType.RADIO, **options)


def switch(**options: Unpack[FieldOptions]) -> Any:
    """Declare an on/off choice; annotate it ``bool``.

    It becomes a radio with the values ``true`` and ``false``: Dify's dialog draws no control for
    Dify's own switch, and its server drops a value that is off.
    """
    choices = (
        Option("true", I18n("On", zh_Hans="开启")),
        Option("false", I18n("Off", zh_Hans="关闭")),
    )
    options.setdefault("options", choices)
    return _specify(FormType.RADIO, **options)


def native_switch(**options: Unpack[FieldOptions]) -> Any:
    """Declare Dify's own switch, which its dialog does not draw; annotate it ``bool``."""
    return _specify(FormType.SWITCH, **options)


@frozen(kw_only=True)
class _Specification:
    """What a specifier was told; it waits in the attrs metadata for its name and type."""

    form: FormField
    variable: str | None
    conditions: tuple[tuple[ShowOn, ...], ...]
    convert: tuple[Converter, ...]
    validate: tuple[Validator, ...]
    required: Any
    sets: tuple[Sets, ...]
    was: tuple[str, ...]
    asked_by_dify: bool


def _specify(form_type: FormType, **given: Unpack[FieldOptions]) -> Any:
    _expect(form_type, given)
    validator = given.get("validator", ())
    sets, was = given.get("sets", ()), given.get("was", ())
    # What was not given must not look as if it had been: it would be written.
    said: dict[str, Any] = {
        name: given[name]
        for name in ("placeholder", "max_length", "help", "url", "extra_keys")
        if name in given
    }
    if "options" in given:
        said["options"] = tuple(given["options"])
    conditions = tuple(_conditions(given["show_on"])) if "show_on" in given else ()
    if conditions:
        said["show_on"] = conditions[0]
    specification = _Specification(
        form=FormField(
            variable=given.get("variable", ""),
            label=given["label"],
            type=form_type,
            required=True,
            **said,
        ),
        variable=given.get("variable"),
        conditions=conditions,
        convert=(given["converter"],) if "converter" in given else (),
        validate=validator if isinstance(validator, tuple) else (validator,),
        required=given.get("required", attrs.NOTHING),
        sets=sets if isinstance(sets, tuple) else (sets,),
        was=was if isinstance(was, tuple) else (was,),
        asked_by_dify=given.get("asked_by_dify", False),
    )
    return attrs.field(
        default=given.get("default", attrs.NOTHING), metadata={_SPECIFICATION: specification}
    )


def _expect(form_type: FormType, given: Mapping[str, Any]) -> None:
    """Refuse what no specifier takes, as Python does with a function's arguments."""
    specifier, known = f"{form_type.replace('-', '_')}()", FieldOptions.__annotations__
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f": did you mean {near[0]}?" if near else f": it takes {', '.join(known)}"
            raise TypeError(f"{specifier} got an unexpected argument {name!r}{meant}")
    if "label" not in given:
        raise TypeError(f'{specifier} needs a label, e.g. label=I18n("API key")')
    for option in given.get("options", ()):
        if not isinstance(option, Option):
            raise TypeError(f'{specifier} needs options such as Option("a", I18n("A")): {option!r}')


def _conditions(
    given: Mapping[str, str | tuple[str, ...]] | Iterable[ShowOn],
) -> Iterator[tuple[ShowOn, ...]]:
    """Yield the conditions of each time that the form has the field."""
    if not isinstance(given, Mapping):
        yield tuple(given)
        return
    values = [(value,) if isinstance(value, str) else value for value in given.values()]
    for choice in product(*values):
        yield tuple(map(ShowOn, given, choice))


_SPECIFICATION = "xinfer specification"


class _Accepted:
    """A value that a field has accepted already, on its way through ``__init__``."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


@frozen(kw_only=True)
class CredentialField:
    """One field of a credentials class, both sides of it.

    :param name: the Python attribute.
    :param form: the input as Dify shows it.
    :param conditions: the ways in which it is shown; the form has it once for each.
    :param codec: how its type is read and written.
    :param optional: whether the annotation admits ``None``.
    :param default: the value when nothing was entered, or ``attrs.NOTHING``.
    :param steps: mend and validate a value, one after the other; each raises ``ValueError``.
    :param sets: the parts of the requests that it sets.
    :param was: its former variables.
    """

    name: str
    form: FormField
    conditions: tuple[tuple[ShowOn, ...], ...] = ()
    codec: Codec
    optional: bool
    default: Any
    steps: tuple[Converter, ...] = attrs.field(repr=False)
    sets: tuple[Sets, ...] = ()
    was: tuple[str, ...] = ()
    asked_by_dify: bool

    def accept(self, value: Any) -> Any:
        """Convert and validate a value of the field's own type.

        :raises ValueError: the value is refused.
        """
        if type(value) is _Accepted:
            return value.value
        if value is None and (self.optional or self.default is None):
            return None
        for step in self.steps:
            value = step(value)
        return value

    def read(self, raw: object) -> Any:
        """Turn what Dify stored into a value; ``attrs.NOTHING`` when nothing was entered.

        :raises ValueError: it is not accepted.
        """
        text = text_of(raw)
        if text is None:
            return attrs.NOTHING
        if text.startswith(_CIPHERTEXT):
            raise Invalid(
                "holds a value that another version of this plugin encrypted: "
                "enter this field again",
                "保存的是其他版本插件加密的值：请重新输入此字段",
            )
        if text == _PLACEHOLDER and self.form.type is FormType.SECRET_INPUT:
            raise Invalid(
                f"is {_PLACEHOLDER}, which Dify shows instead of a stored value: "
                "enter this field again",
                f"值为 {_PLACEHOLDER}，这是 Dify 用来代替已保存值的占位符：请重新填写此字段",
            )
        try:
            value = self.codec.parse(text)
        except ValueError:
            expected, shown = self.codec.expected, quoted(text)
            raise Invalid(
                f"'{shown}' is not {expected}", f"“{shown}”无效：{expected.chinese}"
            ) from None
        return self.accept(value)

    @property
    def forms(self) -> tuple[FormField, ...]:
        """The field as often as the form has it: once for each way to be shown."""
        others = (evolve(self.form, show_on=conditions) for conditions in self.conditions[1:])
        return (self.form, *others)

    @property
    def model_types(self) -> frozenset[str]:
        """The model types that the field is shown for; none if it is shown for all."""
        every = (condition for conditions in self.conditions for condition in conditions)
        return frozenset(c.value for c in every if c.variable == "__model_type")

    def shown(self, raw: Mapping[str, object]) -> bool | None:
        """Say whether Dify's form shows this field; ``None`` when ``raw`` does not tell."""
        ways = [_hold(conditions, raw) for conditions in self.conditions]
        return True if not ways or True in ways else None if None in ways else False

    def stored(self, raw: Mapping[str, object]) -> object:
        """Return what Dify stored of this field, under its variable or a former one."""
        variables = (self.form.variable, *self.was)
        return next((raw[name] for name in variables if raw.get(name) not in (None, "")), None)

    def may_be_shown_with(self, other: CredentialField) -> bool:
        """Say whether the form can show both fields at once."""
        return any(
            _agree(ours, theirs)
            for ours in self.conditions or ((),)
            for theirs in other.conditions or ((),)
        )

    def problem(self, error: ValueError, raw: object) -> Problem:
        """Describe a refusal; a message that quotes a secret is replaced."""
        message = _message_of(error)
        secret = str(raw).strip() if self.form.type is FormType.SECRET_INPUT else ""
        if secret != _PLACEHOLDER and _quotes(message, secret):
            message = _NOT_ACCEPTED
        return Problem((self.title,), message)

    @property
    def title(self) -> tuple[str, I18n]:
        """The variable and the label, as a problem names the field."""
        return self.form.variable, self.form.label


def _hold(conditions: Iterable[ShowOn], raw: Mapping[str, object]) -> bool | None:
    known: list[bool | None] = []
    for condition in conditions:
        # What is unreadable tells nothing here, and is refused as a field of its own.
        with suppress(Invalid):
            if condition.variable in raw:
                known.append(text_of(raw[condition.variable]) == condition.value)
                continue
        known.append(None)
    return False if False in known else None if None in known else True


def _agree(some: Iterable[ShowOn], others: Iterable[ShowOn]) -> bool:
    wanted = {condition.variable: condition.value for condition in some}
    return all(wanted.get(c.variable, c.value) == c.value for c in others)


_NOT_ACCEPTED = I18n("is not accepted: check it and enter it again", zh_Hans="值无效，请重新填写")


def _message_of(error: ValueError) -> I18n:
    if isinstance(error, Invalid):
        return error.message
    return I18n(str(error), zh_Hans=f"值无效：{error}")


def _quotes(message: I18n, secret: str) -> bool:
    """Say whether a message holds part of a secret; short parts are in messages by chance."""
    shown = message.en_US + message.chinese
    return any(len(part) > 3 and part in shown for part in secret.split())


def _steps(specification: _Specification, codec: Codec) -> Iterable[Converter]:
    """List what happens to a value, in order: blanks, converter, validators, choices, length."""
    form = specification.form

    def not_blank(value: Any) -> Any:
        text = value.strip() if isinstance(value, str) else value
        if text == "" or (isinstance(value, Secret) and not value.reveal().strip()):
            raise Invalid("must not be blank", "不能为空")
        return text

    yield not_blank
    yield from specification.convert
    for validator in specification.validate:
        yield _passing(validator)
    for sets in specification.sets:
        if isinstance(sets, Target):
            yield _passing(sets.check)
    if form.options:
        choices = [option.value for option in form.options]
        english = ", ".join(str(option.label) for option in form.options)
        chinese = "、".join(option.label.chinese for option in form.options)

        def one_of(value: Any) -> None:
            text = codec.write(value)
            if text not in choices:
                shown = quoted(text)
                raise Invalid(
                    f"'{shown}' is not an option: choose {english}",
                    f"“{shown}”不在选项中：请从以下选项中选择：{chinese}",
                )

        yield _passing(one_of)
    if form.max_length > 0:

        def short_enough(value: Any) -> None:
            if len(codec.write(value)) > form.max_length:
                raise Invalid(
                    f"is longer than {form.max_length} characters",
                    f"超过 {form.max_length} 个字符",
                )

        yield _passing(short_enough)


def _passing(validator: Validator) -> Converter:
    """Make a converter of a validator: it hands on what it was given."""

    def step(value: Any) -> Any:
        validator(value)
        return value

    return step


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    field_specifiers=(text_input, secret_input, select, radio, switch, native_switch),
)
class Credentials:
    """Base of every credentials class; a subclass becomes a frozen attrs class by itself.

    To check fields together, define ``__attrs_post_init__``. It runs once every field is right on
    its own, for ``from_form`` as for a direct call, and raises :class:`Invalid` with the names of
    the fields; the :class:`FormError` then names their labels.

    .. code-block:: python

        def __attrs_post_init__(self) -> None:
            if self.api_key and self.token:
                raise Invalid("use one of them", "只能填写其中一个", fields=("api_key", "token"))

    :raises TypeError: on a subclass with a field that is not declared by a specifier, whose type
        cannot be read from a form, or that refuses its own default.
    """

    __credential_fields__: ClassVar[tuple[CredentialField, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        attrs.define(
            cls,
            frozen=True,
            kw_only=True,
            slots=False,
            field_transformer=_collect,
        )

    @classmethod
    def from_form(cls, raw: Mapping[str, object]) -> Self:
        """Read what Dify sends: strings under the form's variables, with keys missing or extra.

        Blank means not entered: the default applies. A field that the form hides is not
        demanded, and what an earlier choice left in it is not used.

        :raises FormError: names every field that is wrong or missing.
        """
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        for field in cls.__credential_fields__:
            shown = field.shown(raw)
            stored = field.stored(raw) if shown is not False else None
            try:
                value = field.read(stored)
            except ValueError as error:
                problems.append(field.problem(error, stored))
                continue
            if value is attrs.NOTHING:
                value = field.default
                if value is attrs.NOTHING and shown is not True:
                    value = None
                if value is attrs.NOTHING:
                    problems.append(Problem((field.title,), _MISSING))
            values[field.name] = _Accepted(value)
        if not problems:
            try:
                return cls(**values)
            except ValueError as error:
                problems.append(cls._problem(error, raw))
        # A traceback that prints local variables must find no secret in this frame.
        raw, values, stored, value = {}, {}, None, None
        raise FormError(problems)

    @classmethod
    def _problem(cls, error: ValueError, raw: Mapping[str, object]) -> Problem:
        """Describe why ``__attrs_post_init__`` refuses values that are right one by one."""
        message = _message_of(error)
        titles = {field.name: field.title for field in cls.__credential_fields__}
        names = error.fields if isinstance(error, Invalid) else ()
        secrets = (f for f in cls.__credential_fields__ if f.form.type is FormType.SECRET_INPUT)
        if any(_quotes(message, str(field.stored(raw))) for field in secrets):
            message = _NOT_ACCEPTED
        return Problem(tuple(titles.get(name, (name, I18n(name))) for name in names), message)

    def to_form(self) -> dict[str, str]:
        """Write the values as Dify stores them, secrets revealed; fields that are None left out."""
        return {
            field.form.variable: field.codec.write(value)
            for field in self.__credential_fields__
            if (value := getattr(self, field.name)) is not None
        }


_MISSING = I18n("is required, and nothing was entered", zh_Hans="必填，但未填写")


def _collect(cls: type, attributes: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Read the specifications off a class being made and hang the conversions on its fields."""
    hints = get_type_hints(cls)
    for attribute in attributes:
        if attribute.name not in hints:
            where = f"{cls.__name__}.{attribute.name}"
            raise TypeError(f"{where} needs a type: write {attribute.name}: str = …")
    fields = tuple(_field(cls, attribute, hints[attribute.name]) for attribute in attributes)
    try:
        check_fields(fields)
    except TypeError as error:
        raise TypeError(f"{cls.__name__}: {error}") from None
    cls.__credential_fields__ = fields  # type: ignore[attr-defined]
    return [
        attribute.evolve(converter=field.accept)
        for attribute, field in zip(attributes, fields, strict=True)
    ]


def _field(cls: type, attribute: attrs.Attribute[Any], annotation: Any) -> CredentialField:
    where = f"{cls.__name__}.{attribute.name}"
    specification = attribute.metadata.get(_SPECIFICATION)
    if specification is None:
        raise TypeError(f"{where} is not declared: use text_input, secret_input, select, …")
    try:
        codec, optional = codec_of(annotation)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None
    form: FormField = specification.form
    if (form.type is FormType.SECRET_INPUT) != (codec_of(Secret)[0] is codec):
        raise TypeError(f"{where}: secret_input and the type Secret go together")
    default = attribute.default
    required = specification.required
    if required is attrs.NOTHING:
        required = default is attrs.NOTHING
    written = None if default in (None, attrs.NOTHING) else codec.write(default)
    variable = attribute.name if specification.variable is None else specification.variable
    complete = evolve(form, variable=variable, required=required, default=written)
    field = CredentialField(
        name=attribute.name,
        form=complete,
        conditions=specification.conditions,
        codec=codec,
        optional=optional,
        default=default,
        steps=tuple(_steps(specification, codec)),
        sets=specification.sets,
        was=specification.was,
        asked_by_dify=specification.asked_by_dify,
    )
    try:
        check_field(field)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{where}: {error}") from None
    if default in (None, attrs.NOTHING):
        return field
    try:
        return attrs.evolve(field, default=field.accept(default))
    except ValueError as error:
        if not (specification.convert or specification.validate):
            return field  # by the form alone, as checks will say with the place
        raise TypeError(f"{where}: its default is refused: {error}") from None


def fields(credentials: type[Credentials]) -> tuple[CredentialField, ...]:
    """List the fields of a credentials class in the order of its declaration."""
    return credentials.__credential_fields__


def provider_form(
    credentials: type[Credentials], *, extra_keys: Mapping[str, Any] | None = None
) -> CredentialSchema:
    """Make the form of a provider: every field."""
    return CredentialSchema(
        credential_form_schemas=tuple(
            form for field in fields(credentials) for form in field.forms
        ),
        extra_keys=extra_keys or {},
    )


def model_form(
    credentials: type[Credentials],
    *,
    model: ModelName | None = None,
    extra_keys: Mapping[str, Any] | None = None,
) -> ModelCredentialSchema:
    """Make the form of a customizable model: every field that Dify does not ask by itself.

    :param model: how Dify asks for the model's name.
    """
    return ModelCredentialSchema(
        model=model or ModelName(label=I18n("Model name", zh_Hans="模型名称")),
        credential_form_schemas=tuple(
            form for field in fields(credentials) for form in field.forms if not field.asked_by_dify
        ),
        extra_keys=extra_keys or {},
    )
