"""YAML text to plain data that knows where each value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import field, frozen
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver

type Path = tuple[str | int, ...]

MAX_BYTES = 1024 * 1024
"""The largest published model file is a hundredth of this."""
MAX_NODES = 100_000
MAX_DEPTH = 64
_DEEPEST_FOR_C = 4000
_TEXT = re.compile(r"[yYnN]|[-+]?\.?_.*", re.DOTALL)
_NO_POINT = re.compile(r"[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+")


@frozen
class Fault:
    """One thing wrong in a document: where (line and column count from 1) and what."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        at = f"{self.path}: " if self.path else ""
        return f"{self.file}:{self.line}:{self.column}: {at}{self.message}"


class DocumentError(ValueError):
    """A document cannot be used; lists every fault found, in the order of the text."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        super().__init__("\n".join(map(str, self.faults)))


@frozen
class Document:
    """Plain data and the place of each value in the text.

    :param places: line and column, counted from 1, by path.
    """

    file: str
    data: Any
    places: dict[Path, tuple[int, int]] = field(repr=False)

    def fault(self, path: Path, message: str) -> Fault:
        """Describe what is wrong at a path, or at the nearest place above it that exists."""
        known = path
        while known and known not in self.places:
            known = known[:-1]
        line, column = self.places.get(known, (1, 1))
        return Fault(self.file, line, column, dotted(path), message)


def dotted(path: Path) -> str:
    """Write a path as people do: ``models.llm[0].name``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


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
    return Document(file, data, builder.places)


def compose(raw: bytes, file: str) -> Node:
    """Read YAML as far as its nodes, which know where they stand.

    :raises DocumentError: as :func:`read_document`, for what can be seen so far.
    """
    if len(raw) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024} KiB"
        raise DocumentError([Fault(file, 1, 1, "", f"is larger than {limit}")])
    try:
        root: Node | None = _yaml(pure=not _is_shallow(raw)).compose(raw.decode())
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError([Fault(file, line, 1, "", "is not UTF-8")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise DocumentError([Fault(file, line, column, "", f"{error.problem}")]) from None
    except RecursionError:
        raise DocumentError([Fault(file, 1, 1, "", "nests too deep")]) from None
    except YAMLError as error:
        raise DocumentError([Fault(file, 1, 1, "", _first_line(error))]) from None
    if root is None:
        raise DocumentError([Fault(file, 1, 1, "", "is empty")])
    return root


def _yaml(*, pure: bool) -> YAML:
    yaml = YAML(typ="safe", pure=pure)
    yaml.Resolver = _Resolver
    yaml.version = (1, 1)
    return yaml


class _Resolver(VersionedResolver):
    """Takes for texts what PyYAML and Go do: ``y``, ``n`` and what begins like a number with _."""

    def resolve(self, kind: type[Node], value: str, implicit: Any) -> Any:
        if kind is ScalarNode and _TEXT.fullmatch(value):
            return super().resolve(kind, f"_{value}", implicit)
        return super().resolve(kind, value, implicit)


def _is_shallow(raw: bytes) -> bool:
    """Tell whether libyaml, twenty times as fast, may read a text.

    It calls itself for every level, and an endless nesting ends the process. A level costs a
    bracket, or half a column at least: a list may stand below its key without an indent.
    """
    longest = max(map(len, raw.splitlines()), default=0)
    return raw.count(b"[") + raw.count(b"{") + 2 * longest <= _DEEPEST_FOR_C


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


class _Builder:
    """Turns nodes into data, noting places and faults; stops at the first sign of a bomb."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.places: dict[Path, tuple[int, int]] = {}
        self.faults: list[Fault] = []
        self._scalars: SafeConstructor = _yaml(pure=True).constructor
        self._nodes = 0

    def build(self, node: Node, path: Path) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or len(path) > MAX_DEPTH:
            problem = "nests too deep" if len(path) > MAX_DEPTH else "its aliases grow too large"
            raise DocumentError([self._fault(node, path[:3], problem)])
        self.places[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
        match node:
            case MappingNode():
                return self._mapping(node, path)
            case SequenceNode():
                return [self.build(item, (*path, i)) for i, item in enumerate(node.value)]
            case _:
                return self._scalar(node, path)

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                for source in self._merge_sources(value_node):
                    merged = self._mapping(source, path) | merged
                continue
            key = key_node.value if isinstance(key_node, ScalarNode) else None
            if key is None:
                self.faults.append(self._fault(key_node, path, "a key must be a single value"))
            elif key in data:
                self.faults.append(
                    self._fault(key_node, (*path, key), "stands here a second time: remove one")
                )
            else:
                data[key] = self.build(value_node, (*path, key))
        return merged | data

    def _merge_sources(self, node: Node) -> Iterator[MappingNode]:
        self._nodes += 1
        candidates = node.value if isinstance(node, SequenceNode) else [node]
        return (candidate for candidate in candidates if isinstance(candidate, MappingNode))

    def _scalar(self, node: Node, path: Path) -> Any:
        if str(node.tag).endswith(":float") and _NO_POINT.fullmatch(node.value):
            return float(node.value.replace("_", ""))  # ruamel warns of it; fields take it
        try:
            return self._scalars.construct_object(node)
        except (YAMLError, ValueError, LookupError, ArithmeticError) as error:
            self.faults.append(self._fault(node, path, _first_line(error)))
            return None

    def _fault(self, node: Node, path: Path, message: str) -> Fault:
        mark = node.start_mark
        return Fault(self.file, mark.line + 1, mark.column + 1, dotted(path), message)
