"""A declared object remembers where it was written, so that a finding can point there."""

from __future__ import annotations

import inspect
from pathlib import Path

import attrs
from attrs import field, frozen

_HERE = str(Path(__file__).parent.parent)


@frozen
class Origin:
    """A place in a Python file: its path as imported, and the line, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def calling_place() -> Origin | None:
    """Find the nearest caller outside xinfer and outside the methods that attrs generates."""
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith((_HERE, "<attrs")):
            return Origin(file, frame.f_lineno)
        frame = frame.f_back
    return None


@frozen(kw_only=True)
class Declaration:
    """What every declared class shares: an ``origin`` that takes no part in equality."""

    origin: Origin | None = field(init=False, factory=calling_place, eq=False, repr=False)


def evolve[D: Declaration](declared: D, **changes: object) -> D:
    """Copy with changes; the copy points to where the original was written."""
    changed = attrs.evolve(declared, **changes)
    object.__setattr__(changed, "origin", declared.origin)
    return changed
