"""Declared objects as the expressions that make them."""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Mapping
from copy import copy
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import attrs
from attrs import define, field

from xinfer.importer.comments import ITSELF, CommentFinder
from xinfer.importer.python import Comments, Printer
from xinfer.spec import ModelProperties, ParameterRule, Pricing, Timestamp
from xinfer.spec.conditions import Equals, FirstOf, Limit, Setting
from xinfer.spec.declaration import Declaration
from xinfer.yaml import to_data

_MADE_ONCE = (ParameterRule, Pricing)
"""What is looked at again and again for whether it has a name; it holds nothing that has one."""

_CONSTANTS = (*_MADE_ONCE, ModelProperties, tuple)
"""What may have a name."""


class UnwritableValue(Exception):
    """A value that Python source cannot hold; ``str`` says which."""


@define
class Expressions:
    """Makes expressions, and remembers the names that these need.

    :param finder: the comments that go with the objects.
    :param constants: the name of each expression that has one, by its source.
    :ivar comments: those of the expressions made so far.
    :ivar names: what must be imported.
    """

    finder: CommentFinder = field(factory=CommentFinder)
    constants: Mapping[str, str] = field(factory=dict)
    comments: Comments = field(factory=dict)
    names: set[str] = field(factory=set)
    _by_id: dict[int, tuple[object, ast.expr]] = field(factory=dict, init=False)

    def of(self, value: object) -> ast.expr:
        """Make the expression of any value that a declaration holds.

        :raises UnwritableValue: it is of a type that no YAML holds.
        """
        expression = self._made_once(value)
        if self.constants and isinstance(value, _CONSTANTS):
            name = self.constants.get(self.source(expression))
            return ast.Name(name) if name else expression
        return expression

    def source(self, expression: ast.expr) -> str:
        """Write an expression on its own, comments in it included."""
        return Printer(self.comments).expression(expression)

    def call(self, name: str, *values: object, **keywords: object) -> ast.Call:
        """Make a call of something that a spec imports; an argument may be an expression."""
        self.names.add(name)
        return ast.Call(
            ast.Name(name),
            [self._argument(value) for value in values],
            [ast.keyword(name, self._argument(value)) for name, value in keywords.items()],
        )

    def arguments(self, declared: Declaration, *, without: Iterable[str] = ()) -> ast.Call:
        """Make the call of an object's class, its arguments in the order of the class."""
        positional: list[ast.expr] = []
        keywords: list[ast.keyword] = []
        for declared_field in _written(declared):
            name = declared_field.name
            if name in without:
                continue
            comments = self.finder(declared, name)
            if not comments and self._follows(declared, name, declared_field.default):
                continue
            expression = self.of(getattr(declared, name))
            if not declared_field.kw_only:
                positional.append(expression)
            else:
                keywords.append(ast.keyword(name, expression))
            if comments:
                commented = keywords[-1] if declared_field.kw_only else expression
                self.comments[commented] = comments
        kind = type(declared).__name__
        self.names.add(kind)
        # Keys of no format stand last, as they are written.
        keywords.sort(key=lambda argument: argument.arg == "extra_keys")
        return ast.Call(ast.Name(kind), positional, keywords)

    def _follows(self, declared: Declaration, name: str, default: object) -> bool:
        """Return whether the YAML is the same without an argument, and no comment is in it."""
        value = getattr(declared, name)
        if value != default or (isinstance(value, Declaration) and self.finder.has_inside(value)):
            return False
        without = copy(declared)
        object.__setattr__(without, name, default)
        object.__setattr__(without, "explicit", declared.explicit - {name})
        return to_data(without) == to_data(declared)

    def _argument(self, value: object) -> ast.expr:
        return value if isinstance(value, ast.expr) else self.of(value)

    def _made_once(self, value: object) -> ast.expr:
        if not isinstance(value, _MADE_ONCE):
            return self._expression(value)
        if id(value) not in self._by_id:
            # The value is held, so that no other one gets its id.
            self._by_id[id(value)] = value, self._expression(value)
        return self._by_id[id(value)][1]

    def _expression(self, value: object) -> ast.expr:
        match value:
            case Declaration():
                return self.arguments(value)
            case Enum():
                self.names.add(type(value).__name__)
                return ast.Attribute(ast.Name(type(value).__name__), value.name)
            case Equals():
                left, right = self.of(value.setting), self.of(value.value)
                return ast.Compare(left, [ast.Eq()], [right])
            case Setting() | Limit():
                return self.call(type(value).__name__.lower(), value.name)
            case FirstOf():
                return self.call("first_of", *value.expressions)
            case Timestamp():
                return self.call("Timestamp", ast.Constant(str(value)))
            case bool() | str() | bytes() | None:
                return ast.Constant(value)
            case int() | float():
                return self._number(value)
            case tuple():
                return ast.Tuple(list(map(self._item, value)))
            case list():
                return ast.List(list(map(self.of, value)))
            case Mapping():
                return ast.Dict(list(map(self.of, value)), list(map(self.of, value.values())))
            case Decimal():
                return self.call("Decimal", str(value))
            case datetime():
                return self._moment(value)
            case date():
                return self.call("date", value.year, value.month, value.day)
            case _:
                raise UnwritableValue(f"a spec cannot hold a {type(value).__name__}")

    def _item(self, value: object) -> ast.expr:
        expression = self.of(value)
        if isinstance(value, Declaration) and (above := self.finder(value, ITSELF)):
            self.comments[expression] = above
        return expression

    def _number(self, number: float) -> ast.expr:
        if isinstance(number, float) and not math.isfinite(number):
            return ast.Call(ast.Name("float"), [ast.Constant(repr(number))], [])
        if math.copysign(1, number) < 0:
            return ast.UnaryOp(ast.USub(), ast.Constant(-number))
        return ast.Constant(number)

    def _moment(self, moment: datetime) -> ast.expr:
        parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
        if moment.microsecond:
            parts.append(moment.microsecond)
        while len(parts) > 3 and not parts[-1]:
            parts.pop()
        offset = moment.utcoffset()
        if offset is None:
            return self.call("datetime", *parts)
        if not offset:
            self.names.add("UTC")
            return self.call("datetime", *parts, tzinfo=ast.Name("UTC"))
        minutes = int(offset.total_seconds() // 60)
        span: dict[str, Any] = (
            {"hours": minutes // 60} if minutes % 60 == 0 else {"minutes": minutes}
        )
        zone = self.call("timezone", self.call("timedelta", **span))
        return self.call("datetime", *parts, tzinfo=zone)


def _written(declared: Declaration) -> Iterable[attrs.Attribute[Any]]:
    """List the fields that were declared, and those that must be."""
    for declared_field in attrs.fields(type(declared)):
        name = declared_field.name
        if name == "extra_keys":
            declares = bool(declared.extra_keys)
        else:
            declares = name in declared.explicit or declared_field.default is attrs.NOTHING
        if declared_field.init and declares:
            yield declared_field
