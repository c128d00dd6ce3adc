"""Rules of any object: fields of their type, texts that can be written, keys that are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs

from xinfer.rules.finding import Finding, Form, Severity, Stage
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import (
    MODEL_FOLDERS,
    Declaration,
    FormField,
    Model,
    ModelProperties,
    Provider,
    ProviderModels,
    is_expression,
)
from xinfer.spec.conditions import Condition, Expression

type _Fits = Callable[[object], bool]


@rule("XI001", Severity.REFUSED, Stage.START, fix="Give it a value of that type.")
def wrong_type(declared: Declaration, _: Subject) -> Iterator[Problem]:
    """A field holds a value of another type than it is declared with.

    The YAML would hold something else than the daemon and the SDK read there.
    """
    for name, exact, fits, expected in _checkers(_kind(declared)):
        value = getattr(declared, name)
        if type(value) not in exact and not fits(value):
            yield Problem(f"{name} is {_shown(value)}, expected {expected}", at=name)


@rule(
    "XI002",
    Severity.REFUSED,
    Stage.PACKING,
    fix="Remove the character; most often an emoji was cut.",
)
def unencodable_text(declared: Declaration, _: Subject) -> Iterator[Problem]:
    """A text holds half of a character, which no file can hold."""
    for name in _holding(_kind(declared), (str,)):
        value = getattr(declared, name)
        if isinstance(value, str) and not value.isascii() and not _encodable(value):
            yield Problem(f"{name} holds a lone surrogate and cannot be written", at=name)


@rule("XI003", Severity.ADVICE, Stage.RUN_TIME, fix="Correct its spelling, or leave it out.")
def unknown_key(declared: Declaration, _: Subject) -> Iterator[Problem]:
    """A key is none of the format's; the daemon and the SDK pass over it."""
    known = [name for name, *_ in _checkers(_kind(declared))]
    if isinstance(declared, ModelProperties):
        return  # where an unknown key is refused, by a rule of its own
    for key, value in declared.extra_keys.items():
        if value is not None:
            said = (
                "has a value that nothing reads" if key in known else "is not a key of the format"
            )
            yield Problem(f"{key} {said}{alike(key, known)}", at=key)


@rule("XI004", Severity.REFUSED, Stage.START, fix="Leave the key out, or give it a value.")
def null_value(declared: Declaration, _: Subject) -> Iterator[Problem]:
    """A key that needs a value is there and empty; the SDK refuses to start.

    YAML reads ``parameter_rules:`` with nothing behind it as null, which is no list.
    """
    fields = {field.name: field for field in attrs.fields(type(declared))}
    for key, value in declared.extra_keys.items():
        if value is None and key in fields and not _may_be_null(type(declared), fields[key]):
            yield Problem(f"{key} is null, and must have a value", at=key)


def _may_be_null(kind: type[Declaration], field: attrs.Attribute[Any]) -> bool:
    if (kind, field.name) in _NULL_OTHERWISE:
        return _NULL_OTHERWISE[kind, field.name]
    return field.default is None


_NULL_OTHERWISE: Mapping[tuple[type[Declaration], str], bool] = {
    (Model, "features"): True,
    (FormField, "required"): False,
    (Provider, "models"): False,
    **{(ProviderModels, folder): False for folder in MODEL_FOLDERS.values()},
}
"""Keys of which the SDK takes null where the default is another value, or refuses it though the
default is none."""


@rule("XI005", Severity.BROKEN, Stage.RUN_TIME, fix="Write a finite number.")
def not_finite(declared: Declaration, _: Subject) -> Iterator[Problem]:
    """A number is infinite, or none at all; the JSON in which Dify passes it on has no such."""
    for name in _holding(_kind(declared), (float, Decimal)):
        value = getattr(declared, name)
        if isinstance(value, (float, Decimal)) and not math.isfinite(value):
            yield Problem(f"{name} is {value}", at=name)


def mistyped(objects: Iterable[tuple[str, Declaration]], form: Form) -> Iterator[Finding]:
    """Check what holds of any object, of each of these with their paths."""
    for path, declared in objects:
        for rule_ in RULES:
            yield from rule_.findings(declared, path, None, form)


def alike(word: str, known: Iterable[str]) -> str:
    """Guess which of the known words was meant; the end of a message, or nothing."""
    near = get_close_matches(word, list(known), n=1)
    return f"; did you mean {near[0]}?" if near and near[0] != word else ""


def _kind(declared: Declaration) -> Any:
    return type(declared)


@cache
def _checkers(kind: Any) -> tuple[tuple[str, frozenset[type], _Fits, str], ...]:
    """Compile the test of each field of a class, and the name of what it expects.

    Before the test stand the types of which no value needs it.
    """
    return tuple(
        (field.name, frozenset(_exact(field.type)), _fits(field.type), _name(field.type))
        for field in attrs.fields(attrs.resolve_types(kind))
        if field.init and field.name not in ("extra_keys", "explicit")
    )


@cache
def _holding(kind: Any, types: tuple[type, ...]) -> tuple[str, ...]:
    """Name the fields of a class that may hold a value of these types."""
    fields = {field.name: field.type for field in attrs.fields(attrs.resolve_types(kind))}
    return tuple(
        name
        for name, *_ in _checkers(kind)
        if {Any, *types} & {fields[name], *get_args(fields[name])}
    )


def _exact(annotation: Any) -> Iterator[type]:
    """Yield the types all of whose values fit."""
    if get_origin(annotation) in (Union, UnionType):
        for argument in get_args(annotation):
            yield from _exact(argument)
    elif annotation is float:
        yield from (int, float)
    elif (
        isinstance(annotation, type)
        and annotation is not Expression
        and get_origin(annotation) is None
    ):
        yield annotation


def _fits(annotation: Any) -> _Fits:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is Any:
        return lambda _: True
    if annotation is Expression:
        return lambda value: is_expression(value)
    if origin in (Union, UnionType):
        tests = [_fits(argument) for argument in arguments]
        return lambda value: any(test(value) for test in tests)
    if origin is Literal:
        return lambda value: value in arguments
    if origin is tuple:
        item = _fits(arguments[0])
        return lambda value: isinstance(value, tuple) and all(map(item, value))
    if origin is type:
        return lambda value: isinstance(value, type) and issubclass(value, arguments[0])
    if origin is not None:  # a mapping
        return lambda value: isinstance(value, Mapping)
    if annotation is float:
        return lambda value: isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return lambda value: isinstance(value, int) and not isinstance(value, bool)
    return lambda value: isinstance(value, annotation)


def _name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return " or ".join(_name(argument) for argument in arguments if argument is not NoneType)
    if origin is tuple:
        return f"a tuple of {_name(arguments[0])}"
    if origin is type:
        return f"the class {arguments[0].__name__}, or one made from it"
    if origin is Literal:
        return " or ".join(map(repr, arguments))
    if annotation is Condition:
        return 'a condition such as ability("tools")'
    if annotation is Expression:
        return 'a term such as limit("context_length")'
    return getattr(annotation, "__name__", str(annotation))


def _shown(value: object) -> str:
    text = value.name if isinstance(value, Enum) else repr(value)
    text = text if len(text) <= 40 else text[:37] + "..."
    return f"{text} (of type {type(value).__name__})"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


RULES = (
    wrong_type,
    unencodable_text,
    unknown_key,
    null_value,
    not_finite,
)
