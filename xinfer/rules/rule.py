"""Rules: small functions that look at one declared object, in a catalogue by code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from attrs import field, frozen

from xinfer.rules.finding import Severity
from xinfer.spec import Declaration, Origin, Project

type Check = Callable[..., Iterator[Problem]]


@frozen(kw_only=True)
class Subject:
    """The plugin that a rule's object belongs to.

    :param project: complete.
    :param files: what the plugin holds: sizes in bytes by path from its root; ``None`` where
        nobody knows.
    :param sources: the text of its code, documents and lists of dependencies, by path; ``None``
        where nobody knows.
    """

    project: Project
    files: Mapping[str, int] | None = None
    sources: Mapping[str, str] | None = None


@frozen
class Problem:
    """What a rule found.

    :param message: one line that names the thing and the cause.
    :param at: the field it is about, below the rule's object.
    :param of: the object whose place is shown, where it is not the rule's own.
    :param place: the place to show, where it is that of no object.
    """

    message: str
    at: str = field(default="", kw_only=True)
    of: Declaration | None = field(default=None, kw_only=True)
    place: Origin | None = field(default=None, kw_only=True)


@frozen(kw_only=True)
class Rule:
    """A rule and its page.

    :param name: the function's, with hyphens.
    :param why: what happens, and at which gate.
    """

    code: str
    severity: Severity
    name: str
    on: type[Declaration]
    summary: str
    why: str
    fix: str
    check: Check


_RULES: dict[str, Rule] = {}


def rule(
    code: str, severity: Severity, on: type[Declaration], *, fix: str
) -> Callable[[Check], Check]:
    """Enter a function into the catalogue.

    It takes an object of the class ``on``, and the :class:`Subject`, and yields problems. Its
    docstring is the rule's page: what is wrong in the first line, then what comes of it.

    :param fix: how to mend it; every finding shows it.
    """

    def enter(check: Check) -> Check:
        summary, _, why = inspect.cleandoc(check.__doc__ or "").partition("\n")
        if code in _RULES:
            raise ValueError(f"{code} is taken by {_RULES[code].name}")
        _RULES[code] = Rule(
            code=code,
            severity=severity,
            name=check.__name__.replace("_", "-"),
            on=on,
            summary=summary,
            why=" ".join(why.split()),
            fix=fix,
            check=check,
        )
        return check

    return enter


def catalogue() -> tuple[Rule, ...]:
    """List every rule, by code."""
    return tuple(_RULES[code] for code in sorted(_RULES))


@cache
def rules_by_class() -> dict[type[Any], list[Rule]]:
    """Group the rules by the class that they look at; once all of them have been entered."""
    grouped: dict[type[Any], list[Rule]] = {}
    for entered in catalogue():
        grouped.setdefault(entered.on, []).append(entered)
    return grouped
