"""The one walk over declared objects, and over the expressions that they hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xinfer.schema.fields import fields_of, per_class
from xinfer.schema.types import InPython, ListOf, Object, OneOf, Type
from xinfer.spec import Expression
from xinfer.spec.conditions import expressions_in
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Steps


def walk(value: object, path: Steps = ()) -> Iterator[tuple[Steps, Declaration]]:
    """Yield every declared object in a value with its path, the outer ones first.

    :param path: the path of ``value`` itself.
    """
    if isinstance(value, Declaration):
        yield path, value
        for name in _holding_objects(type(value)):
            inner = getattr(value, name)
            if isinstance(inner, Declaration | tuple | list):
                yield from walk(inner, (*path, name))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


def expressions(value: object) -> Iterator[tuple[Steps, Declaration, Expression]]:
    """Yield every expression in a value, with the object that holds it and its own path."""
    for path, declared in walk(value):
        for name in _holding_expressions(type(declared)):
            inner = getattr(declared, name)
            if isinstance(inner, Mapping):
                for key, item in inner.items():
                    for expression in expressions_in(item):
                        yield (*path, name, key), declared, expression
            else:
                for expression in expressions_in(inner):
                    yield (*path, name), declared, expression


@per_class
def _holding_objects(kind: type[Declaration]) -> tuple[str, ...]:
    return _holding(kind, Object)


@per_class
def _holding_expressions(kind: type[Declaration]) -> tuple[str, ...]:
    return _holding(kind, InPython)


def _holding(kind: type[Declaration], of: type) -> tuple[str, ...]:
    fields = fields_of(kind).values()
    return tuple(f.name for f in fields if any(isinstance(t, of) for t in _parts(f.type)))


def _parts(of: Type) -> Iterator[Type]:
    yield of
    inner = of.types if isinstance(of, OneOf) else [of.item] if isinstance(of, ListOf) else ()
    for part in inner:
        yield from _parts(part)
