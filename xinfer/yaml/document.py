"""Nodes to plain data, with the place of each value."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import GeneratorType
from typing import Any

from attrs import field, frozen
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from xinfer.schema import dotted
from xinfer.spec import Timestamp
from xinfer.spec.span import Extent, Steps
from xinfer.yaml.fault import DocumentError, Fault
from xinfer.yaml.nodes import compose, first_line

MAX_NODES = 100_000
_TOO_MANY = f"with its aliases, it holds more than {MAX_NODES:,} values"
MAX_DEPTH = 64
_YAML = "tag:yaml.org,2002:"
_STRING = f"{_YAML}str"
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "timestamp": "a date or a time",
    "binary": "Base64",
    "null": "null",
}
_LONGEST = 100
"""Characters of a number or a date. Python reads long numbers slowly: the time for ``1:1:1…``
grows with the square of its length."""
_NANOSECONDS = re.compile(r"\.\d{7}")
_NO_POINT = re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+")


@frozen
class Document:
    """Plain data, and the place of each value in the text.

    :param extents: the characters of each value by its path.
    """

    file: str
    data: Any
    extents: dict[Steps, Extent] = field(repr=False)

    def fault(self, path: Steps, message: str) -> Fault:
        """Describe what is wrong at a path, or at the nearest place above it that exists."""
        nearest = path
        while nearest and nearest not in self.extents:
            nearest = nearest[:-1]
        line, column, *end = self.extents.get(nearest, (1, 1))
        return Fault(self.file, line, column, dotted(path), message, *end)


def read_document(text: str | bytes, file: str) -> Document:
    """Read YAML as the SDK does (version 1.1), refusing what could hide or harm.

    :raises DocumentError: it is not UTF-8 or not YAML, is larger than :data:`MAX_BYTES`, holds a
        key twice, nests too deep or grows too large through its aliases.
    """
    raw = text.encode() if isinstance(text, str) else text
    builder = _Builder(file)
    data = builder.build(compose(raw, file), ())
    if builder.faults:
        raise DocumentError(builder.faults)
    return Document(file, data, builder.extents)


class _Builder:
    """Turns nodes into data, and records places and faults; stops at the first sign of a bomb."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.extents: dict[Steps, Extent] = {}
        self.faults: list[Fault] = []
        self._nodes = 0
        self._end = (1, 1)
        self._merging: list[Node] = []

    def build(self, node: Any, path: Steps) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            problem = "nests too deep" if len(path) > MAX_DEPTH else _TOO_MANY
            raise DocumentError([self._fault(node, path[:3], problem)])
        self.extents[path] = _extent(node)
        match node:
            case MappingNode():
                data: Any = self._mapping(node, path)
            case SequenceNode():
                data = [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            case _:
                data = self._scalar(node, path)
        if isinstance(node.value, list) and node.value and not node.flow_style:
            # To YAML a block ends where the next token begins; to people, with its last value.
            self.extents[path] = self.extents[path][:2] + self._end
        self._end = self.extents[path][2:]
        return data

    def _mapping(self, node: MappingNode, path: Steps) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                for source in self._merge_sources(value_node):
                    merged = self._merged(source, path) | merged
                continue
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None:
                self.faults.append(self._fault(key_node, path, "a key must be a single value"))
            elif key in data:
                self.faults.append(
                    self._fault(key_node, (*path, key), "appears a second time: remove one")
                )
            else:
                data[key] = self.build(value_node, (*path, key))
        return merged | data

    def _merged(self, source: MappingNode, path: Steps) -> dict[str, Any]:
        if any(source is outer for outer in self._merging):
            raise DocumentError([self._fault(source, path, "is merged into itself")])
        self._merging.append(source)
        data = self._mapping(source, path)
        self._merging.pop()
        return data

    def _merge_sources(self, node: Node) -> Iterator[MappingNode]:
        self._nodes += 1
        candidates = node.value if isinstance(node, SequenceNode) else [node]
        return (candidate for candidate in candidates if isinstance(candidate, MappingNode))

    def _scalar(self, node: Node, path: Steps) -> Any:
        tag = str(node.tag)
        if tag == _STRING:
            return node.value
        kind = _KINDS.get(tag.removeprefix(_YAML))
        if kind and len(node.value) > _LONGEST:
            self._add_fault(
                node, path, f"is {kind} of {len(node.value)} characters; the most is {_LONGEST}"
            )
            return None
        if tag.endswith(":float") and _NO_POINT.fullmatch(node.value):
            return float(node.value.replace("_", ""))  # ruamel warns of it; fields take it
        if tag.endswith(":timestamp") and _NANOSECONDS.search(node.value):
            return Timestamp(node.value)  # a datetime would drop digits
        scalars = _scalars()
        make = scalars.yaml_constructors.get(tag, SafeConstructor.construct_undefined)
        try:
            value = make(scalars, node)
        except (YAMLError, ValueError, LookupError, ArithmeticError) as error:
            reason = f": {first_line(error)}" if kind == _KINDS["timestamp"] else ""
            self._add_fault(node, path, f"is not {kind}{reason}" if kind else _strange(tag))
            return None
        if isinstance(value, GeneratorType):
            self._add_fault(node, path, _strange(tag))
            return None
        return value

    def _add_fault(self, node: Node, path: Steps, message: str) -> None:
        self.faults.append(self._fault(node, path, message))

    def _fault(self, node: Node, path: Steps, message: str) -> Fault:
        line, column, *end = _extent(node)
        return Fault(self.file, line, column, dotted(path), message, *end)


def _strange(tag: str) -> str:
    return f"is of the type {tag.replace(_YAML, '!!')}, which plugins do not have: put it in quotes"


def _extent(node: Node) -> Extent:
    start, end = node.start_mark, node.end_mark
    return start.line + 1, start.column + 1, end.line + 1, end.column + 1


@cache
def _scalars() -> SafeConstructor:
    yaml = YAML(typ="safe", pure=True)
    yaml.version = (1, 1)
    constructor: SafeConstructor = yaml.constructor
    return constructor
