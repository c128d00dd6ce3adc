"""Credentials as classes: one declaration makes the form that Dify shows and the value in code.

.. code-block:: python

    class ServerCredentials(Credentials):
        server_url: str = text_input(label=I18n("Server URL"), converter=http_url())
        api_key: Secret | None = secret_input(label=I18n("API key"), default=None)
        timeout: float = text_input(label=I18n("Timeout"), default=60.0, validator=gt(0))

A field without a default is required. Its annotation is its type at run time: ``str``, ``int``,
``float``, ``bool``, :class:`Secret`, an Enum, a Literal of strings, or one of these ``| None``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, dataclass_transform, get_type_hints

import attrs

from xinfer.spec.credential_field import Accepted, CredentialField, steps_of
from xinfer.spec.declaration import evolve
from xinfer.spec.errors import NOT_ACCEPTED, FormError, Invalid, Problem, message_of, repeats
from xinfer.spec.form import (
    CredentialSchema,
    FormField,
    FormType,
    ModelCredentialSchema,
    ModelName,
)
from xinfer.spec.i18n import I18n
from xinfer.spec.inputs import (
    SPECIFICATION,
    native_switch,
    radio,
    secret_input,
    select,
    switch,
    text_input,
)
from xinfer.spec.secret import Secret
from xinfer.spec.targets import check_field, check_fields
from xinfer.spec.values import codec_of


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
    __credential_defaults__: ClassVar[Mapping[str, Accepted]] = {}

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
        """Read what Dify sends: strings by variable. Missing keys and unknown ones are no error.

        A blank value counts as absent, and the default applies. A field that the form hides is
        not required, and a value left in it by an earlier choice is not used.

        :raises FormError: names every field that is wrong or missing.
        """
        values: dict[str, Any] = dict(cls.__credential_defaults__)
        problems: list[Problem] = []
        for field in cls.__credential_fields__:
            stored = field.stored(raw)
            if stored is None and field.name in values:
                continue
            is_shown = field.is_shown(raw)
            try:
                value = field.read(stored) if is_shown is not False else attrs.NOTHING
            except ValueError as error:
                problems.append(field.problem(error, stored))
                continue
            if value is not attrs.NOTHING:
                values[field.name] = Accepted(value)
            elif field.name not in values:
                values[field.name] = Accepted(None)
                if is_shown is True:
                    problems.append(Problem((field.title,), _MISSING))
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
        """Describe why ``__attrs_post_init__`` refuses values that are right by themselves."""
        message = message_of(error)
        titles = {field.name: field.title for field in cls.__credential_fields__}
        names = error.fields if isinstance(error, Invalid) else ()
        secrets = (f for f in cls.__credential_fields__ if f.form.type is FormType.SECRET_INPUT)
        if any(repeats(message, str(field.stored(raw))) for field in secrets):
            message = NOT_ACCEPTED
        return Problem(tuple(titles.get(name, (name, I18n(name))) for name in names), message)

    def to_form(self) -> dict[str, str]:
        """Write the values as Dify stores them: strings by variable, secrets in plain text.

        Fields that are ``None`` are left out.
        """
        return {
            field.form.variable: field.codec.write(value)
            for field in self.__credential_fields__
            if (value := getattr(self, field.name)) is not None
        }


_MISSING = I18n("is required, but empty", zh_Hans="必填，但未填写")


def _collect(cls: type, attributes: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Complete the fields of a class that attrs is making, and convert their values."""
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
    cls.__credential_defaults__ = {  # type: ignore[attr-defined]
        field.name: Accepted(field.default)
        for field in fields
        if field.default is not attrs.NOTHING
    }
    return [
        attribute.evolve(converter=field.accept)
        for attribute, field in zip(attributes, fields, strict=True)
    ]


def _field(cls: type, attribute: attrs.Attribute[Any], annotation: Any) -> CredentialField:
    where = f"{cls.__name__}.{attribute.name}"
    specification = attribute.metadata.get(SPECIFICATION)
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
        steps=tuple(steps_of(specification, codec)),
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
            return field  # only the form refuses it, which a rule reports with the place
        raise TypeError(f"{where}: its default is refused: {error}") from None


def fields(credentials: type[Credentials] | None) -> tuple[CredentialField, ...]:
    """List the fields of a credentials class in the order of its declaration; none without one."""
    return credentials.__credential_fields__ if credentials else ()


def provider_form(
    credentials: type[Credentials], *, extra_keys: Mapping[str, Any] | None = None
) -> CredentialSchema:
    """Make the form of a provider, which has every field."""
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
    """Make the form of a customizable model, without the fields that Dify asks for itself.

    :param model: how Dify asks for the model's name.
    """
    return ModelCredentialSchema(
        model=model or ModelName(label=I18n("Model name", zh_Hans="模型名称")),
        credential_form_schemas=tuple(
            form for field in fields(credentials) for form in field.forms if not field.asked_by_dify
        ),
        extra_keys=extra_keys or {},
    )
