"""Comments of YAML files, and the value that each of them is about."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Iterator, Sequence

from attrs import define, field
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from xinfer.schema import walk
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Steps
from xinfer.yaml import comments_in, compose

ITSELF = ""
"""Stands for the whole object where a comment is about no field of it."""

_MOST_ABOVE = 200
"""Comments above an argument; formatting takes time by the square of their number."""

_OF_TOOLS = ("yaml-language-server", "Made from ")
"""How comments begin that are about the YAML file itself."""


@define
class CommentFinder:
    """Finds the comments about each field of the objects that were read from YAML."""

    _lines: dict[int, dict[str, list[str]]] = field(factory=dict)
    _looked_up: set[tuple[int, str]] = field(factory=set)

    def add(self, declared: Declaration, raw: bytes) -> None:
        """Add the comments of the file that an object was read from."""
        for path, comment in _comments(raw):
            self._note(*_commented(declared, path), comment)

    def add_list(self, objects: Sequence[Declaration], raw: bytes) -> None:
        """Add the comments of a file that lists the names of objects, in the same order."""
        for path, comment in _comments(raw):
            self._note(objects[int(path[0])] if path else None, ITSELF, comment)

    def __call__(self, declared: Declaration, name: str) -> tuple[str, ...]:
        """Return the comments about one field, or about the object itself."""
        self._looked_up.add((id(declared), name))
        return tuple(self._lines.get(id(declared), {}).get(name, ())[:_MOST_ABOVE])

    def has_inside(self, declared: Declaration) -> bool:
        """Return whether there is a comment about an object or about anything in it."""
        return any(id(owner) in self._lines for _, owner in walk(declared))

    def inside(self, declared: Declaration) -> tuple[str, ...]:
        """Return the comments about an object and about all that is in it."""
        return tuple(
            line
            for _, owner in walk(declared)
            for name in self._lines.get(id(owner), ())
            for line in self(owner, name)
        )

    def rest(self) -> tuple[str, ...]:
        """Return the comments that no call returned, and those that are too many for a place."""
        return tuple(
            line
            for owner, names in self._lines.items()
            for name, lines in names.items()
            for line in lines[_MOST_ABOVE if (owner, name) in self._looked_up else 0 :]
        )

    def _note(self, owner: Declaration | None, name: str, comment: str) -> None:
        self._lines.setdefault(id(owner), {}).setdefault(name, []).append(comment)


def _comments(raw: bytes) -> Iterator[tuple[Steps, str]]:
    """Yield each comment with the path of what it is about.

    A comment behind a value is about what begins on that line, one on a line of its own about
    what comes next, and one at the end about what came last.
    """
    if b"#" not in raw:
        return
    raw = raw.removeprefix(BOM_UTF8)
    text, root = raw.decode(), compose(raw, "")
    breaks = [match.start() for match in re.finditer("\n", text)]
    paths = _paths_by_line(root, breaks)
    lines = sorted(paths)
    for match in comments_in(text, root):
        comment = match[0].lstrip("#").strip()
        if not comment or comment.startswith(_OF_TOOLS):
            continue
        line = bisect_left(breaks, match.start())
        begin = breaks[line - 1] + 1 if line else 0
        is_behind = bool(text[begin : match.start()].strip())
        nearest = bisect_right(lines, line) - 1 if is_behind else bisect_left(lines, line)
        yield paths[lines[min(max(nearest, 0), len(lines) - 1)]] if lines else (), comment


def _children(node: Node) -> Iterator[tuple[str | int, int, Node]]:
    """Yield the steps down from a node, with the index in the text at which each begins."""
    if isinstance(node, SequenceNode):
        for step, item in enumerate(node.value):
            yield step, item.start_mark.index, item
    elif isinstance(node, MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark.index, value


def _paths_by_line(root: Node, breaks: list[int]) -> dict[int, Steps]:
    """Map each line on which a key or an item begins to the path of the outermost of them."""
    paths: dict[int, Steps] = {}
    waiting: deque[tuple[Steps, Node]] = deque([((), root)])
    seen: set[int] = set()
    while waiting:
        path, node = waiting.popleft()
        if id(node) not in seen:
            seen.add(id(node))
            for step, begin, inner in _children(node):
                paths.setdefault(bisect_left(breaks, begin), (*path, step))
                waiting.append(((*path, step), inner))
    return paths


def _commented(declared: Declaration, path: Steps) -> tuple[Declaration, str]:
    """Find the object and the field that a path leads to, as far as objects go."""
    owner, name = declared, ITSELF
    value: object = declared
    for step in path:
        if isinstance(value, Declaration):
            owner, name = value, str(step) if step in value.explicit else "extra_keys"
            value = getattr(value, str(step), None) if step in value.explicit else None
        elif isinstance(value, tuple) and isinstance(step, int) and step < len(value):
            value = value[step]
            if isinstance(value, Declaration):
                owner, name = value, ITSELF
        else:
            break
    return owner, name
