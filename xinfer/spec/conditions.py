"""What depends on the model a server runs, as data; ``str`` of each is how it is declared.

A customizable model is known only at run time: its abilities and limits come from the server,
its settings from the user. Conditions (``ability("tools")``) and terms
(``limit("context_length")``) say in the declaration what follows from them; the runtime
evaluates both against :class:`ModelInfo`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, overload

from attrs import field, fields, frozen

LIMITS = ("context_length", "max_tokens", "dimensions")
"""The numbers that a Xinference server reports of a model, each of those that have it."""


@frozen(kw_only=True)
class ModelInfo:
    """What is known of one model.

    :param abilities: the server's own words, e.g. ``chat``, ``tools``, ``hybrid``.
    :param lacks: abilities that the server says the model does not have; one that is in neither
        is unknown.
    :param engine: what runs the model, in the server's own word; empty where it does not tell.
    :param limits: numbers the server reports, e.g. ``context_length`` in tokens.
    :param settings: what the user entered, by credentials attribute; ``None`` for nothing.
    """

    abilities: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()
    engine: str = ""
    limits: Mapping[str, int] = field(factory=dict)
    settings: Mapping[str, Any] = field(factory=dict)


class Condition:
    """Holds of a model or not; combines with ``&``, ``|`` and ``~``."""

    __slots__ = ()

    def holds(self, info: ModelInfo) -> bool:
        """Evaluate against what is known of a model."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return AllOf((self, other))

    def __or__(self, other: Condition) -> Condition:
        return AnyOf((self, other))

    def __invert__(self) -> Condition:
        return Not(self)


@frozen
class Always(Condition):
    """Holds of every model."""

    def holds(self, info: ModelInfo) -> bool:  # noqa: ARG002 (every condition is asked alike)
        """Hold."""
        return True

    def __str__(self) -> str:
        return "always"


@frozen
class Ability(Condition):
    """The server lists this ability for the model.

    :param unknown: what to assume where the server does not tell.
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

    As a truth value it is false: what is declared is not equal to what users may enter.
    """

    setting: Setting
    value: str | int | float | bool

    def holds(self, info: ModelInfo) -> bool:
        """Compare."""
        entered = self.setting.evaluate(info)
        # Not as Python does: 1 == True.
        return type(entered) is type(self.value) and bool(entered == self.value)

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return f"({self.setting} == {self.value!r})"


@frozen
class AllOf(Condition):
    """Every one of the conditions holds."""

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
        """Turn the answer round."""
        return not self.condition.holds(info)

    def __str__(self) -> str:
        return f"~{_grouped(self.condition)}"


def _grouped(condition: Condition) -> str:
    return f"({condition})" if isinstance(condition, AllOf | AnyOf) else str(condition)


always = Always()


def ability(name: str, *, unknown: bool = False) -> Condition:
    """Hold when the server lists the ability ``name`` for the model.

    :param unknown: what to assume where the server does not tell.
    """
    return Ability(name, unknown=unknown)


def engine(name: str) -> Condition:
    """Hold when the server says that the model runs on the engine ``name``."""
    return Engine(name)


class Expression(Protocol):
    """A value that is known once the model is."""

    def evaluate(self, info: ModelInfo) -> Any:
        """Evaluate; ``None`` when it is not known."""


@frozen
class Limit:
    """A number that the server reports of the model."""

    name: str

    def evaluate(self, info: ModelInfo) -> int | None:
        """Look the limit up."""
        return info.limits.get(self.name)

    def __str__(self) -> str:
        return f'limit("{self.name}")'


@frozen(eq=False)
class Setting(Condition):
    """What the user entered in a credentials field.

    Compared with a value it is a condition, and by itself one that holds when it is true.
    """

    name: str

    def evaluate(self, info: ModelInfo) -> Any:
        """Look the setting up."""
        return info.settings.get(self.name)

    def holds(self, info: ModelInfo) -> bool:
        """Hold when the user switched it on."""
        return self.evaluate(info) is True

    @overload  # a condition from a value that users can enter; else as everywhere
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
    """The first of several terms that is known."""

    terms: tuple[Expression | Any, ...]

    def evaluate(self, info: ModelInfo) -> Any:
        """Evaluate until one is not ``None``."""
        values = (value_of(term, info) for term in self.terms)
        return next((value for value in values if value is not None), None)

    def __str__(self) -> str:
        return f"first_of({', '.join(map(str, self.terms))})"


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
    """How many things of one size fit into a whole: at least one, and at most so many."""

    whole: int
    size: Expression
    at_most: Expression | int

    def evaluate(self, info: ModelInfo) -> int | None:
        """Divide, once the size is known."""
        size, most = value_of(self.size, info), value_of(self.at_most, info)
        return max(1, min(most, self.whole // size)) if size else None

    def __str__(self) -> str:
        return f"share(of={self.whole}, size={self.size}, at_most={self.at_most})"


@frozen
class Listed:
    """The items of a list that the user entered in one field."""

    text: Expression

    def evaluate(self, info: ModelInfo) -> tuple[str, ...] | None:
        """Split at commas, semicolons and line breaks; ``None`` when nothing is left."""
        items = (item.strip() for item in _SEPARATORS.split(value_of(self.text, info) or ""))
        return tuple(item for item in items if item) or None

    def __str__(self) -> str:
        return f"listed({self.text})"


_SEPARATORS = re.compile(r"[,;，；、\n]")


def limit(name: str) -> Limit:
    """Stand for a number that the server reports, e.g. ``limit("context_length")``."""
    return Limit(name)


def setting(name: str) -> Setting:
    """Stand for what the user entered in the credentials field ``name``.

    ``setting("vision") == "yes"`` is a condition; so is ``setting("send_user")``, of a ``bool``.
    """
    return Setting(name)


def first_of(*terms: Expression | Any) -> FirstOf:
    """Stand for the first term that is known; end with a plain value to be sure of one."""
    return FirstOf(terms)


def choose(when: Condition, then: Any, *, otherwise: Any) -> Choice:
    """Stand for ``then`` where the condition holds, else for ``otherwise``."""
    return Choice(when, then, otherwise)


def share(*, of: int, size: Expression, at_most: Expression | int) -> Share:
    """Stand for the number of things of ``size`` that fit into ``of``, at least 1."""
    return Share(of, size, at_most)


def listed(text: Expression) -> Listed:
    """Stand for the items of a list, e.g. of voices: ``listed(setting("voices"))``."""
    return Listed(text)


_TERMS = (Limit, Setting, FirstOf, Choice, Share, Listed)


def is_expression(value: object) -> bool:
    """Say whether a declared value still waits for a model."""
    return isinstance(value, _TERMS)


def expressions_in(value: object) -> Iterator[Expression]:
    """Yield an expression and those that it, or a condition, is made of."""
    parts: Iterable[object] = value if isinstance(value, tuple) else ()
    if isinstance(value, _TERMS):
        yield value
    if isinstance(value, (*_TERMS, Condition)):
        kind: Any = type(value)
        parts = (getattr(value, part.name) for part in fields(kind))
    for part in parts:
        yield from expressions_in(part)


def value_of(value: Expression | Any, info: ModelInfo) -> Any:
    """Evaluate a term; any other value stands for itself."""
    return value.evaluate(info) if isinstance(value, _TERMS) else value
