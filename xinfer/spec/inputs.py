"""The inputs of a credential form, as the fields of a credentials class declare them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import product
from typing import Any, TypedDict, Unpack

import attrs
from attrs import NOTHING, frozen

from xinfer.spec.converters import Converter, Validator
from xinfer.spec.form import FormField, FormType, Option, ShowOn
from xinfer.spec.i18n import I18n
from xinfer.spec.targets import Sets


class InputOptions(TypedDict, total=False):
    """What every input takes beside its label; nothing is required.

    ``default``
        The value if nothing is entered. Without a default the field is required.
    ``placeholder``, ``help``, ``url``
        A text in the empty field, one below it, and a link beside that.
    ``options``
        The choices of a :func:`select` or a :func:`radio`.
    ``show_on``
        Other variables and the value that each must have for this field to be shown, or
        :class:`ShowOn` objects. Of several values any will do; Dify's conditions have no "or", so
        the form has the field once for each.
    ``converter``, ``validator``
        Functions that change a value and that refuse one, see :mod:`xinfer.spec.converters`. They
        raise :class:`Invalid`, which has a Chinese text as well. A converter must return what it
        returned unchanged.
    ``max_length``
        Characters that the form accepts.
    ``variable``
        The key that Dify stores, if it cannot be the attribute's name.
    ``required``
        What the form demands, if it differs from what the code needs; ``None`` omits the key.
    ``sets``
        The part of the requests that the field sets, e.g. ``base_url``, or several of them, see
        :mod:`xinfer.spec.targets`.
    ``was``
        Former variables of the field, under which users may have stored it.
    ``asked_by_dify``
        Dify's dialog asks for this itself when a customizable model is added (its type, its name):
        only the provider's form has the field.
    ``extra_keys``
        Keys that the format does not have.
    """

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


class FieldOptions(InputOptions):
    """What every input takes: :class:`InputOptions` and a label.

    ``label``
        What the form shows.
    """

    label: I18n


def text_input(**options: Unpack[FieldOptions]) -> Any:
    """Declare a line of text, or a number: Dify's form has no input for numbers."""
    return _specify(FormType.TEXT_INPUT, **options)


def secret_input(**options: Unpack[FieldOptions]) -> Any:
    """Declare a text that Dify encrypts and hides; annotate it :class:`Secret`."""
    return _specify(FormType.SECRET_INPUT, **options)


def select(**options: Unpack[FieldOptions]) -> Any:
    """Declare a choice from ``options`` in a drop-down list."""
    return _specify(FormType.SELECT, **options)


def radio(**options: Unpack[FieldOptions]) -> Any:
    """Declare a choice from ``options``, all of which the form shows."""
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
class Specification:
    """The options of an input, kept in the attrs metadata until the field has a name and a type."""

    form: FormField
    variable: str | None
    conditions: tuple[tuple[ShowOn, ...], ...]
    convert: tuple[Converter, ...]
    validate: tuple[Validator, ...]
    required: Any
    sets: tuple[Sets, ...]
    was: tuple[str, ...]
    asked_by_dify: bool


SPECIFICATION = "xinfer specification"
"""The key of the specification in the attrs metadata."""


def _specify(form_type: FormType, **options: Unpack[FieldOptions]) -> Any:
    _check_options(form_type, options)
    # Only arguments that were given are passed on: each is written, even if it is the default.
    arguments: dict[str, Any] = {
        name: value
        for name, value in options.items()
        if name in ("placeholder", "max_length", "help", "url", "extra_keys")
    }
    if "options" in options:
        arguments["options"] = tuple(options["options"])
    conditions = tuple(_conditions(options["show_on"])) if "show_on" in options else ()
    if conditions:
        arguments["show_on"] = conditions[0]
    specification = Specification(
        form=FormField(
            variable=options.get("variable", ""),
            label=options["label"],
            type=form_type,
            required=True,
            **arguments,
        ),
        variable=options.get("variable"),
        conditions=conditions,
        convert=(options["converter"],) if "converter" in options else (),
        validate=_several(options.get("validator", ())),
        required=options.get("required", NOTHING),
        sets=_several(options.get("sets", ())),
        was=_several(options.get("was", ())),
        asked_by_dify=options.get("asked_by_dify", False),
    )
    metadata = {SPECIFICATION: specification}
    return attrs.field(default=options.get("default", NOTHING), metadata=metadata)


def _several[T](value: T | tuple[T, ...]) -> tuple[T, ...]:
    return value if isinstance(value, tuple) else (value,)


def _check_options(form_type: FormType, options: Mapping[str, Any]) -> None:
    """Refuse unknown options, as Python refuses unexpected arguments of a function."""
    function = f"{form_type.replace('-', '_')}()"
    names = ("label", *InputOptions.__annotations__)
    for name in options:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f": did you mean {near[0]}?" if near else f": it takes {', '.join(names)}"
            raise TypeError(f"{function} got an unexpected argument {name!r}{hint}")
    if "label" not in options:
        raise TypeError(f'{function} needs a label, e.g. label=I18n("API key")')
    for option in options.get("options", ()):
        if not isinstance(option, Option):
            raise TypeError(f'{function} needs options such as Option("a", I18n("A")): {option!r}')


def _conditions(
    show_on: Mapping[str, str | tuple[str, ...]] | Iterable[ShowOn],
) -> Iterator[tuple[ShowOn, ...]]:
    """Yield the conditions of each occurrence of the field in the form."""
    if not isinstance(show_on, Mapping):
        yield tuple(show_on)
        return
    values = [(value,) if isinstance(value, str) else value for value in show_on.values()]
    for choice in product(*values):
        yield tuple(map(ShowOn, show_on, choice))
