"""YAML text to nodes, which have a type and a place; safe for texts from anywhere."""

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
_TEXT = re.compile(r"[yYnN]|[-+]?\.?_.*", re.DOTALL)


def compose(raw: bytes, file: str) -> Node:
    """Parse YAML into nodes.

    :raises DocumentError: as :func:`read_document`, for what can be seen so far.
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
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise DocumentError([Fault(file, line, column, "", f"{error.problem}")]) from None
    except RecursionError:
        raise DocumentError([Fault(file, 1, 1, "", "nests too deep")]) from None
    except YAMLError as error:
        raise DocumentError([Fault(file, 1, 1, "", first_line(error))]) from None
    if root is None:
        raise DocumentError([Fault(file, 1, 1, "", "is empty")])
    return root


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
    """libyaml's parser with a resolver's methods; ruamel.yaml makes a class for each document."""

    def resolve(self, kind: Any, value: str, implicit: Any) -> Any:
        return _tag(kind, value, implicit)

    def descend_resolver(self, node: Any, index: Any) -> None:
        """Ignore the path of a node."""

    def ascend_resolver(self) -> None:
        """Ignore it."""


class _Resolver(VersionedResolver):
    """Reads as texts what PyYAML and Go do: ``y``, ``n``, and ``_`` followed by digits."""

    def resolve(self, kind: Any, value: str, implicit: Any) -> Any:
        return _tag(kind, value, implicit)


@lru_cache(maxsize=8192)
def _tag(kind: Any, value: str, implicit: Any) -> Any:
    """Return the tag of a value; the files of a plugin repeat the same few thousand values."""
    if kind is ScalarNode and _TEXT.fullmatch(value):
        value = f"_{value}"
    return _of_yaml_1_1().resolve(kind, value, implicit)


@cache
def _of_yaml_1_1() -> VersionedResolver:
    return VersionedResolver(version=(1, 1))


def _is_shallow(raw: bytes) -> bool:
    """Say whether libyaml, which is twenty times as fast, can read a text safely.

    It calls itself for every level, and an endless nesting ends the process. A level costs a
    bracket, or half a column at least: a list may stand below its key without an indent.
    """
    longest = max(map(len, raw.splitlines()), default=0)
    return raw.count(b"[") + raw.count(b"{") + 2 * longest <= _DEEPEST_FOR_C


def first_line(error: Exception) -> str:
    """Return the first line of an error's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]
