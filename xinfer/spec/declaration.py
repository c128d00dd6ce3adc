"""A declared object remembers where it was written, so that a finding can point there."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import attrs
from attrs import field, frozen

_HERE = str(Path(__file__).parent.parent)


type Steps = tuple[str | int, ...]
"""The keys and numbers that lead to a value of a YAML file."""
_NOWHERE: Mapping[Steps, tuple[int, int]] = MappingProxyType({})


@frozen
class Origin:
    """A place in a Python or YAML file; line and column count from 1.

    :param path: where in a YAML file it is.
    :param places: line and column of every value of that file, by path.
    """

    file: str
    line: int
    column: int | None = None
    path: Steps = field(default=(), eq=False, repr=False)
    places: Mapping[Steps, tuple[int, int]] = field(default=_NOWHERE, eq=False, repr=False)

    def within(self, below: Steps) -> Origin | None:
        """Return the place of a value further down in a YAML file, if it stands there."""
        path = (*self.path, *below)
        if path not in self.places:
            return None
        line, column = self.places[path]
        return Origin(self.file, line, column, path, self.places)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column else "")


_UNSAID = Origin("", 0)
_place: ContextVar[Origin | None] = ContextVar("_place", default=_UNSAID)


@contextmanager
def placed_at(origin: Origin | None) -> Iterator[None]:
    """Let what is made meanwhile have this place: that of what it follows from, or none yet."""
    before = _place.set(origin)
    try:
        yield
    finally:
        _place.reset(before)


def calling_place() -> Origin | None:
    """Find the nearest caller outside xinfer and outside the methods that attrs generates."""
    if (place := _place.get()) is not _UNSAID:
        return place
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_HERE, "<attrs")):
            return Origin(file, frame.f_lineno)
        frame = frame.f_back
    return None


@frozen(kw_only=True)
class Declaration:
    """What every declared class shares, none of it part of equality but the first.

    :param extra_keys: keys of the YAML that the format does not know, or whose value is null;
        written behind the others.
    :ivar origin: where the object was made.
    :ivar explicit: the keyword arguments it was made with. What was said is written, also where
        it equals what saying nothing would mean.
    """

    extra_keys: Mapping[str, Any] = field(factory=dict, repr=False)
    origin: Origin | None = field(init=False, factory=calling_place, eq=False, repr=False)
    explicit: frozenset[str] = field(init=False, eq=False, repr=False)

    def __new__(cls, *_: object, **said: object) -> Self:
        """Note what is said, which the values alone do not tell."""
        made = super().__new__(cls)
        object.__setattr__(made, "explicit", frozenset(said))
        return made


def evolve[D: Declaration](declared: D, **changes: Any) -> D:
    """Copy with changes; the copy points to where the original was written."""
    changed = attrs.evolve(declared, **changes)
    object.__setattr__(changed, "origin", declared.origin)
    object.__setattr__(changed, "explicit", declared.explicit | changes.keys())
    return changed
