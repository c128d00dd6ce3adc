"""Conditions and expressions: declarations about models that are known at run time only.

The abilities and limits of a customizable model come from the server, its settings from the user.
Conditions (``ability("tools")``) and expressions (``limit("context_length")``) are data that the
runtime evaluates against :class:`ModelInfo`; ``str`` of each is its Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, overload

from attrs import field, fields, frozen

LIMITS = ("context_length", "max_tokens", "dimensions")
"""The limits that servers report, of the models that have them."""


@frozen(kw_only=True)
class ModelInfo:
    """One model, as its server and its user describe it.

    :param abilities: the server's own words, e.g. ``chat``, ``tools``, ``hybrid``.
    :param lacks: abilities that the server says the model does not have; one in neither set is
        unknown.
    :param engine: the server's own word for what runs the model; empty if it does not report it.
    :param limits: numbers that the server reports, e.g. ``context_length`` in tokens.
    :param settings: the user's settings by credentials attribute; ``None`` if left empty.
    """

    abilities: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    engine: str = ""
    limits: Mapping[str, int] = field(factory=dict)
    settings: Mapping[str, Any] = field(factory=dict)


class Condition:
    """A property of models; combines with others by ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def holds(self, info: ModelInfo) -> bool:
        """Return whether the condition holds for a model."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return AllOf((self, other))

    def __or__(self, other: Condition) -> Condition:
        return AnyOf((self, other))

    def __invert__(self) -> Condition:
        return Not(self)


@frozen
class Always(Condition):
    """Holds for every model."""

    def holds(self, info: ModelInfo) -> bool:  # noqa: ARG002 (the interface)
        """Return true."""
        return True

    def __str__(self) -> str:
        return "always"


@frozen
class Ability(Condition):
    """The server lists this ability for the model.

    :param unknown: the answer if the server does not report it.
    """

    name: str
    unknown: bool = field(default=False, kw_only=True)

    def holds(self, info: ModelInfo) -> bool:
        """Look the ability up."""
        return self.name in info.abilities or (self.unknown and self.name not in info.lacks)

    def __str__(self) -> str:
        return f'ability("{self.name}"{", unknown=True" if self.unknown else ""})'


@frozen
class Engine(Condition):
    """The server names this engine; case does not count."""

    name: str

    def holds(self, info: ModelInfo) -> bool:
        """Compare."""
        return self.name.lower() == info.engine.lower()

    def __str__(self) -> str:
        return f'engine("{self.name}")'


@frozen
class Equals(Condition):
    """The user entered this value in a credentials field.

    Its truth value is false, for a declared setting does not equal a value that users may enter.
    """

    setting: Setting
    value: str | int | float | bool

    def holds(self, info: ModelInfo) -> bool:
        """Compare."""
        value = self.setting.evaluate(info)
        # To Python, 1 == True.
        return type(value) is type(self.value) and bool(value == self.value)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"({self.setting} == {self.value!r})"


@frozen
class AllOf(Condition):
    """All of the conditions hold."""

    conditions: tuple[Condition, ...]

    def holds(self, info: ModelInfo) -> bool:
        """Evaluate until one does not hold."""
        return all(condition.holds(info) for condition in self.conditions)

    def __str__(self) -> str:
        return " & ".join(map(_grouped, self.conditions))


@frozen
class AnyOf(Condition):
    """At least one of the conditions holds."""

    conditions: tuple[Condition, ...]

    def holds(self, info: ModelInfo) -> bool:
        """Evaluate until one holds."""
        return any(condition.holds(info) for condition in self.conditions)

    def __str__(self) -> str:
        return " | ".join(map(_grouped, self.conditions))


@frozen
class Not(Condition):
    """The condition does not hold."""

    condition: Condition

    def holds(self, info: ModelInfo) -> bool:
        """Negate the condition."""
        return not self.condition.holds(info)

    def __str__(self) -> str:
        return f"~{_grouped(self.condition)}"


def _grouped(condition: Condition) -> str:
    return f"({condition})" if isinstance(condition, AllOf | AnyOf) else str(condition)


always = Always()


def ability(name: str, *, unknown: bool = False) -> Condition:
    """Return the condition that the server lists the ability ``name`` for the model.

    :param unknown: the answer if the server does not tell.
    """
    return Ability(name, unknown=unknown)


def engine(name: str) -> Condition:
    """Return the condition that the server names the engine ``name`` for the model."""
    return Engine(name)


class Expression(Protocol):
    """A value that depends on the model."""

    def evaluate(self, info: ModelInfo) -> Any:
        """Return the value for a model, or ``None`` if it is not known."""


@frozen
class Limit:
    """A number that the server reports for the model."""

    name: str

    def evaluate(self, info: ModelInfo) -> int | None:
        """Look the limit up."""
        return info.limits.get(self.name)

    def __str__(self) -> str:
        return f'limit("{self.name}")'


@frozen(eq=False)
class Setting(Condition):
    """The user's entry in a credentials field.

    Compared with a value it is a condition; by itself it is one that holds if the user has
    switched the field on.
    """

    name: str

    def evaluate(self, info: ModelInfo) -> Any:
        """Look the setting up."""
        return info.settings.get(self.name)

    def holds(self, info: ModelInfo) -> bool:
        """Return whether the user has switched the field on."""
        return self.evaluate(info) is True

    @overload  # a condition for values that users can enter; equality for all others
    def __eq__(self, other: str | float) -> Condition: ...  # type: ignore[overload-overlap]
    @overload
    def __eq__(self, other: object) -> bool: ...

    def __eq__(self, other: object) -> Condition | bool:
        if isinstance(other, str | int | float):
            return Equals(self, other)
        return self.name == other.name if isinstance(other, Setting) else NotImplemented

    def __hash__(self) -> int:
        return hash((Setting, self.name))

    def __str__(self) -> str:
        return f'setting("{self.name}")'


@frozen
class FirstOf:
    """The first of several expressions whose value is known."""

    expressions: tuple[Expression | Any, ...]

    def evaluate(self, info: ModelInfo) -> Any:
        """Evaluate until a value is not ``None``."""
        values = (value_of(expression, info) for expression in self.expressions)
        return next((value for value in values if value is not None), None)

    def __str__(self) -> str:
        return f"first_of({', '.join(map(str, self.expressions))})"


@frozen
class Choice:
    """One of two values, by a condition."""

    when: Condition
    then: Any
    otherwise: Any

    def evaluate(self, info: ModelInfo) -> Any:
        """Evaluate the side that the condition chooses."""
        return value_of(self.then if self.when.holds(info) else self.otherwise, info)

    def __str__(self) -> str:
        return f"choose({self.when}, {self.then!r}, otherwise={self.otherwise!r})"


@frozen
class Share:
    """How many things of one size fit into a whole: at least one, and at most ``at_most``."""

    whole: int
    size: Expression
    at_most: Expression | int

    def evaluate(self, info: ModelInfo) -> int | None:
        """Divide, if the size is known."""
        size, most = value_of(self.size, info), value_of(self.at_most, info)
        return max(1, min(most, self.whole // size)) if size else None

    def __str__(self) -> str:
        return f"share(of={self.whole}, size={self.size}, at_most={self.at_most})"


@frozen
class Listed:
    """The items of a list that the user enters in one field."""

    text: Expression

    def evaluate(self, info: ModelInfo) -> tuple[str, ...] | None:
        """Split at commas, semicolons and line breaks; ``None`` if no item is left."""
        items = (item.strip() for item in _SEPARATORS.split(value_of(self.text, info) or ""))
        return tuple(item for item in dict.fromkeys(items) if item) or None

    def __str__(self) -> str:
        return f"listed({self.text})"


_SEPARATORS = re.compile(r"[,;，；、\n]")


def limit(name: str) -> Limit:
    """Return a number that the server reports for the model, e.g. ``limit("context_length")``."""
    return Limit(name)


def setting(name: str) -> Setting:
    """Return the user's entry in the credentials field ``name``.

    ``setting("vision") == "yes"`` is a condition, and so is ``setting("send_user")`` of a switch.
    """
    return Setting(name)


def first_of(*expressions: Expression | Any) -> FirstOf:
    """Return the first value that is known; end with a plain value as the default."""
    return FirstOf(expressions)


def choose(when: Condition, then: Any, *, otherwise: Any) -> Choice:
    """Return ``then`` for models that the condition holds for, else ``otherwise``."""
    return Choice(when, then, otherwise)


def share(*, of: int, size: Expression, at_most: Expression | int) -> Share:
    """Return how many things of ``size`` fit into ``of``: at least 1, at most ``at_most``."""
    return Share(of, size, at_most)


def listed(text: Expression) -> Listed:
    """Return the items of a list, e.g. of voices: ``listed(setting("voices"))``."""
    return Listed(text)


_EXPRESSIONS = (Limit, Setting, FirstOf, Choice, Share, Listed)


def is_expression(value: object) -> bool:
    """Return whether a declared value is an expression."""
    return isinstance(value, _EXPRESSIONS)


def expressions_in(value: object) -> Iterator[Expression]:
    """Yield an expression, and those that an expression or a condition is made of."""
    parts: Iterable[object] = value if isinstance(value, tuple) else ()
    if isinstance(value, _EXPRESSIONS):
        yield value
    if isinstance(value, (*_EXPRESSIONS, Condition)):
        kind: Any = type(value)
        parts = (getattr(value, part.name) for part in fields(kind))
    for part in parts:
        yield from expressions_in(part)


def value_of(value: Expression | Any, info: ModelInfo) -> Any:
    """Evaluate an expression; return any other value as it is."""
    return value.evaluate(info) if isinstance(value, _EXPRESSIONS) else value
