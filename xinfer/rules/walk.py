"""Every declared object of a project, and every term, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from xinfer.spec import Declaration, Expression, Project, expressions_in


def walk(project: Project) -> Iterator[tuple[str, Declaration]]:
    """Yield the path and the object, outer ones first; the time taken grows with their number."""
    yield "project", project
    whole: Any = Project
    for name in _fields(whole):
        yield from objects_in(name, getattr(project, name))


def objects_in(path: str, value: object) -> Iterator[tuple[str, Declaration]]:
    """Yield an object at a path, or those of a list, with all that they hold."""
    if isinstance(value, Declaration):
        yield path, value
        kind: Any = type(value)
        for name in _fields(kind):
            below = getattr(value, name, None)
            if isinstance(below, Declaration | tuple | list):
                yield from objects_in(f"{path}.{name}", below)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from objects_in(f"{path}[{index}]", item)


def terms(project: Project) -> Iterator[tuple[Declaration, str, Expression]]:
    """Yield each term of the customizable models, with the object that holds it and its path."""
    for index, model in enumerate(project.customizable_models):
        above = f"customizable_models[{index}]"
        for name, value in model.properties.items():
            for term in expressions_in(value):
                yield model, f"{above}.properties.{name}", term
        for number, rule in enumerate(model.parameter_rules):
            for name in ("default", "min", "max"):
                for term in expressions_in(getattr(rule, name)):
                    yield rule, f"{above}.parameter_rules[{number}].{name}", term


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.init)
