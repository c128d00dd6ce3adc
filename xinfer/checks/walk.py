"""Every declared object of a project, once, with its path."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from xinfer.spec import Declaration, Project


def walk(project: Project) -> Iterator[tuple[str, Declaration]]:
    """Yield the path and the object, outer ones first; the time taken grows with their number."""
    yield "project", project
    whole: Any = Project
    for name in _fields(whole):
        yield from _below(name, getattr(project, name))


def _below(path: str, value: object) -> Iterator[tuple[str, Declaration]]:
    if isinstance(value, Declaration):
        yield path, value
        kind: Any = type(value)
        for name in _fields(kind):
            below = getattr(value, name, None)
            if isinstance(below, Declaration | tuple | list):
                yield from _below(f"{path}.{name}", below)
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _below(f"{path}[{index}]", item)


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.init)
