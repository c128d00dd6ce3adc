"""Any object that can be declared, usable in a plugin or not: from the classes' own types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta, timezone
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st

from xinfer.spec import Declaration
from xinfer.spec.conditions import Expression
from xinfer.yaml import written_fields

_LONGEST = 3
"""Items in a list; faults need few, and a large object is slow to make."""


def texts(*, min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that can be encoded: with control characters and all of Unicode but surrogates."""
    characters = st.characters(exclude_categories=["Cs"])
    anything = st.text(alphabet=characters, min_size=min_size, max_size=max_size)
    return st.sampled_from(_TRAPS) | anything if min_size <= 1 <= max_size else anything


_TRAPS = ["on", "No", "~", "null", "1_000", "12:30", "0o7", "3.12", "=", "<<", "- a", "#x", "% y"]
"""What YAML 1.1 or 1.2 takes for something else than a text when it stands bare."""


@cache
def specs[D: Declaration](kind: type[D]) -> st.SearchStrategy[D]:
    """Make any object of a declared class, as its annotations allow.

    Terms and conditions, which no YAML holds, are left out.
    """
    written = {field.name: _values(field.type) for field in written_fields(kind)}
    return st.builds(kind, **written)


def _values(annotation: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, UnionType):
        plain = [arg for arg in arguments if arg is not Expression]
        return st.one_of([_values(arg) for arg in plain])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(_values(arguments[0]), max_size=_LONGEST).map(tuple)
    if issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if issubclass(annotation, Declaration):
        return st.deferred(lambda: specs(annotation))
    return _PLAIN[annotation]()


def _moments() -> st.SearchStrategy[Any]:
    # RFC 3339 writes offsets in whole minutes.
    offsets = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
    return st.datetimes(timezones=offsets)


_PLAIN: dict[type, Callable[[], st.SearchStrategy[Any]]] = {
    str: texts,
    bool: st.booleans,
    int: st.integers,
    float: lambda: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: lambda: st.decimals(allow_nan=False, allow_infinity=False, places=6),
    NoneType: st.none,
    date: _moments,
}
