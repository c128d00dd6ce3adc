"""Any object that can be declared, usable in a plugin or not: from the classes' own types."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta, timezone
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from xinfer.schema import Choice, ListOf, Object, Scalar, Type, in_yaml, yaml_fields
from xinfer.spec.declaration import Declaration

_LONGEST = 3
"""Items in a list: few suffice to find faults, and large objects are slow to make."""


def texts(*, min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that can be encoded: with control characters and all of Unicode but surrogates."""
    characters = st.characters(exclude_categories=["Cs"])
    anything = st.text(alphabet=characters, min_size=min_size, max_size=max_size)
    return st.sampled_from(_TRAPS) | anything if min_size <= 1 <= max_size else anything


_TRAPS = ["on", "No", "~", "null", "1_000", "12:30", "0o7", "3.12", "=", "<<", "- a", "#x", "% y"]
"""Texts that YAML 1.1 or 1.2 reads as another type if they are not quoted."""


@cache
def specs[D: Declaration](kind: type[D]) -> st.SearchStrategy[D]:
    """Make any object of a declared class that YAML can hold."""
    return st.builds(
        kind, **{name: _values(field.type) for name, field in yaml_fields(kind).items()}
    )


def _values(of: Type) -> st.SearchStrategy[Any]:
    match of:
        case Object():
            kind: Any = of.kind
            return st.deferred(lambda: specs(kind))
        case ListOf():
            return st.lists(_values(of.item), max_size=_LONGEST).map(tuple)
        case Choice():
            return st.sampled_from(of.enumeration or of.words)
        case Scalar():
            return _SCALARS[of.kind]()
        case _:
            absent = [st.none()] if of.fits(None) else []
            return st.one_of([*map(_values, in_yaml(of)), *absent])


def _moments() -> st.SearchStrategy[Any]:
    # RFC 3339 writes offsets in whole minutes.
    offsets = st.integers(-23 * 60, 23 * 60).map(lambda m: timezone(timedelta(minutes=m)))
    return st.datetimes(timezones=offsets)


_SCALARS: dict[type, Callable[[], st.SearchStrategy[Any]]] = {
    str: texts,
    bool: st.booleans,
    int: st.integers,
    float: lambda: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: lambda: st.decimals(allow_nan=False, allow_infinity=False, places=6),
    date: _moments,
}
