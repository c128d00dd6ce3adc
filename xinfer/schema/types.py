"""The type of a declared field, read from its annotation."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from attrs import frozen

from xinfer.spec import Condition, Expression
from xinfer.spec.conditions import is_expression
from xinfer.spec.declaration import Declaration


@frozen
class Scalar:
    """A text, a number, a date or a switch. Integers are numbers, switches are not."""

    kind: type

    def fits(self, value: object) -> bool:
        """Return whether a declared value is of this type."""
        if self.kind in (int, float) and isinstance(value, bool):
            return False
        return isinstance(value, int | float if self.kind is float else self.kind)

    def __str__(self) -> str:
        return self.kind.__name__


@frozen
class Choice:
    """One of a few words: the members of an enumeration, or literal texts."""

    words: tuple[str, ...]
    enumeration: type[StrEnum] | None = None

    def fits(self, value: object) -> bool:
        """Return whether a declared value is one of them."""
        if self.enumeration:
            return isinstance(value, self.enumeration)
        return value in self.words

    def __str__(self) -> str:
        return self.enumeration.__name__ if self.enumeration else " or ".join(map(repr, self.words))


@frozen
class Object:
    """An object of a declared class."""

    kind: type[Declaration]

    def fits(self, value: object) -> bool:
        """Return whether a declared value is such an object."""
        return isinstance(value, self.kind)

    def __str__(self) -> str:
        return self.kind.__name__


@frozen
class ListOf:
    """Any number of items of one type; a tuple in Python."""

    item: Type

    def fits(self, value: object) -> bool:
        """Return whether a declared value is a tuple of such items."""
        return isinstance(value, tuple) and all(map(self.item.fits, value))

    def __str__(self) -> str:
        return f"a tuple of {self.item}"


@frozen
class InPython:
    """A value that only a spec in Python can hold: an expression, a condition, a class, a mapping.

    :param kind: the class of the value, or of which the value is a subclass.
    """

    kind: Any
    name: str
    is_class: bool = False

    def fits(self, value: object) -> bool:
        """Return whether a declared value is one."""
        if self.kind is Expression:
            return is_expression(value)
        if self.is_class:
            return isinstance(value, type) and issubclass(value, self.kind)
        return isinstance(value, self.kind)

    def __str__(self) -> str:
        return self.name


@frozen
class OneOf:
    """A value of any of several types, ``None`` among them if it may be absent."""

    types: tuple[Type, ...]

    @cached_property
    def optional(self) -> bool:
        """Whether ``None`` is such a value."""
        return ABSENT in self.types

    @cached_property
    def in_yaml(self) -> tuple[Type, ...]:
        """The alternatives that YAML has values for, without ``ABSENT``."""
        return tuple(t for t in self.types if t != ABSENT and not isinstance(t, InPython))

    def fits(self, value: object) -> bool:
        """Return whether a declared value is of one of them."""
        return any(alternative.fits(value) for alternative in self.types)

    def __str__(self) -> str:
        return " or ".join(str(alternative) for alternative in self.types if alternative != ABSENT)


type Type = Scalar | Choice | Object | ListOf | InPython | OneOf

ABSENT = Scalar(NoneType)


def in_yaml(of: Type) -> tuple[Type, ...]:
    """List the types of which a value in YAML can be, without ``ABSENT``."""
    return of.in_yaml if isinstance(of, OneOf) else (of,)


@cache
def type_of(annotation: Any) -> Type:
    """Read an annotation of a declared class."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        return OneOf(tuple(map(type_of, arguments)))
    if origin is Literal:
        return Choice(arguments)
    if origin is tuple:
        return ListOf(type_of(arguments[0]))
    if origin is type:
        base = arguments[0]
        name = f"the class {base.__name__}, or a class derived from it"
        return InPython(base, name, is_class=True)
    if annotation in (str, bool, int, float, Decimal, date, NoneType):
        return Scalar(annotation)
    if annotation is Expression:
        return InPython(Expression, 'an expression such as limit("context_length")')
    if annotation is Condition:
        return InPython(Condition, 'a condition such as ability("tools")')
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return Choice(tuple(word.value for word in annotation), annotation)
    if isinstance(annotation, type) and issubclass(annotation, Declaration):
        return Object(annotation)
    if annotation is Any:
        return InPython(object, "any value")
    return InPython(origin or annotation, getattr(annotation, "__name__", str(annotation)))
