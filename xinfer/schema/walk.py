"""The one walk over declared objects."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import attrs

from xinfer.spec import Declaration, Steps


def walk(value: object, path: Steps = ()) -> Iterator[tuple[Steps, Declaration]]:
    """Yield every declared object in a value with its path, the outer ones first.

    :param path: the path of ``value`` itself.
    """
    if isinstance(value, Declaration):
        yield path, value
        kind: Any = type(value)
        for name in _holding_objects(kind):
            inner = getattr(value, name)
            if isinstance(inner, Declaration | tuple | list):
                yield from walk(inner, (*path, name))
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from walk(item, (*path, index))


@cache
def _holding_objects(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind) if field.init)
