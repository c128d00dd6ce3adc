"""YAML text to nodes, with their kind and their place, whatever the text holds."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.main import CParser  # type: ignore[attr-defined]
from ruamel.yaml.nodes import Node, ScalarNode
from ruamel.yaml.resolver import VersionedResolver

from xinfer.yaml.fault import DocumentError, Fault

MAX_BYTES = 1024 * 1024
"""The largest published model file is a hundredth of this."""
_DEEPEST_FOR_C = 4000
_RESERVED = ("@", "`", "%", "|", ">")
_TEXT = re.compile(r"[yYnN]|[-+]?\.?_.*", re.DOTALL)


def compose(raw: bytes, file: str) -> Node:
    """Parse YAML to its nodes, which hold their places.

    :raises DocumentError: as :func:`read_document`, except for faults of values.
    """
    if len(raw) > MAX_BYTES:
        limit = f"{MAX_BYTES // 1024} KiB"
        raise DocumentError([Fault(file, 1, 1, "", f"is larger than {limit}")])
    try:
        root: Node | None = _compose(raw.decode(), in_c=CParser is not None and _is_shallow(raw))
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DocumentError([Fault(file, line, 1, "", "is not UTF-8")]) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        message = _plain(str(error.problem), raw.decode(), line, column)
        raise DocumentError([Fault(file, line + 1, column + 1, "", message)]) from None
    except RecursionError:
        raise DocumentError([Fault(file, 1, 1, "", "nests too deep")]) from None
    except YAMLError as error:
        raise DocumentError([Fault(file, 1, 1, "", first_line(error))]) from None
    if root is None:
        raise DocumentError([Fault(file, 1, 1, "", "is empty")])
    return root


def _plain(problem: str, text: str, line: int, column: int) -> str:
    """Return what is wrong with a text, without the parser's own vocabulary."""
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    if "another document" in problem:
        return "a second document begins here, and Dify reads one: remove it"
    if "\t" in here[: len(here) - len(here.lstrip())]:
        return "a tab indents the line: indent it with spaces"
    if "cannot start any token" in problem and here[column : column + 1] in _RESERVED:
        return f"a value cannot begin with {here[column]}: put it in quotes"
    return f"not YAML, {problem}"


def _compose(text: str, *, in_c: bool) -> Any:
    if in_c:
        parser = _InC(text)
        try:
            return parser.get_single_node()
        finally:
            parser.dispose()
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver = _Resolver
    yaml.version = (1, 1)
    return yaml.compose(text)


class _InC(CParser or object):  # type: ignore[misc]
    """libyaml's parser, with what it asks of a resolver; ruamel.yaml makes a class a document."""

    def resolve(self, kind: Any, value: str, implicit: Any) -> Any:
        return _tag(kind, value, implicit)

    def descend_resolver(self, node: Any, index: Any) -> None:
        """Ignore the place of a node."""

    def ascend_resolver(self) -> None:
        """Ignore the place of a node."""


class _Resolver(VersionedResolver):
    """Reads as texts what PyYAML and Go read as texts: ``y``, ``n``, ``_1``."""

    def resolve(self, kind: Any, value: str, implicit: Any) -> Any:
        return _tag(kind, value, implicit)


@lru_cache(maxsize=8192)
def _tag(kind: Any, value: str, implicit: Any) -> Any:
    """Return the tag of a scalar; a plugin repeats the same few thousand, so they are cached."""
    if kind is ScalarNode and _TEXT.fullmatch(value):
        value = f"_{value}"
    return _of_yaml_1_1().resolve(kind, value, implicit)


@cache
def _of_yaml_1_1() -> VersionedResolver:
    return VersionedResolver(version=(1, 1))


def _is_shallow(raw: bytes) -> bool:
    """Return whether libyaml, twenty times as fast, may read a text.

    It calls itself for every level, and an endless nesting ends the process. A level costs a
    bracket, or half a column at least: a list may stand below its key without an indent.
    """
    longest = max(map(len, raw.splitlines()), default=0)
    return raw.count(b"[") + raw.count(b"{") + 2 * longest <= _DEEPEST_FOR_C


def first_line(error: Exception) -> str:
    """Shorten what a library says of an error."""
    return (str(error).splitlines() or [type(error).__name__])[0]
