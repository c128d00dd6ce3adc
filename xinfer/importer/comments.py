"""Comments of a YAML file, and the field that each of them is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from xinfer.spec import Declaration

_KEY = re.compile(r"(?P<before>[ ]*(?:- +)*)(?P<key>[\w-]+)\s*:")


class CommentFinder:
    """Says which comments stood above a field of an object that was read from YAML."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, str], list[str]] = {}

    def add(self, declared: Declaration, text: bytes, comments: Mapping[int, list[str]]) -> None:
        """Take in the comments of a file, by the line they stand above."""
        if not comments:
            return
        lines = text.decode().splitlines()
        objects = sorted(_objects(declared), key=lambda found: found[0])
        for number, said in comments.items():
            owner, key = _owner(objects, number, lines[number - 1])
            self._found.setdefault((id(owner), key), []).extend(said)

    def __call__(self, declared: Declaration, field: str) -> list[str]:
        """Return the comments above one field."""
        return self._found.get((id(declared), field), [])

    def all_of(self, declared: Declaration) -> list[str]:
        """Return the comments above any field of an object, and of the objects in it."""
        inside = [found for _, _, found in _objects(declared)]
        return [
            line
            for owner in inside
            for (identity, _), lines in self._found.items()
            if identity == id(owner)
            for line in lines
        ]


def _objects(value: object) -> Iterator[tuple[int, int, Declaration]]:
    """Yield line, column and object of everything that was read."""
    if isinstance(value, tuple):
        for item in value:
            yield from _objects(item)
    elif isinstance(value, Declaration):
        if value.span:
            yield value.span.line, value.span.column or 1, value
        for name in value.explicit:
            yield from _objects(getattr(value, name))


def _owner(
    objects: list[tuple[int, int, Declaration]], number: int, line: str
) -> tuple[Declaration, str]:
    """Find the object that a line belongs to: the last begun whose keys stand in that column."""
    match = _KEY.match(line)
    column = len(match["before"]) + 1 if match else 0
    key = match["key"] if match else ""
    begun = [found for found in objects if found[0] <= number] or objects[:1]
    for _, at, owner in reversed(begun):
        if at == column:
            return owner, key if key in owner.explicit else "extra_keys"
    _, _, nearest = begun[-1]
    return nearest, next(iter(sorted(nearest.explicit)), "")
