"""The place of what a finding is about: a key of YAML, an argument of a call."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import lru_cache
from linecache import getlines

from xinfer.spec import Declaration, Origin, Steps

_STEP = re.compile(r"\[(\d+)\]|[^.\[\]]+")


def place_of(declared: Declaration, at: str, *, relative: bool) -> Origin | None:
    """Find where a field of a declared object stands; else the nearest place above it.

    :param at: dotted, e.g. ``options[2].value``.
    :param relative: ``at`` begins at the object, not above it.
    """
    origin = declared.origin
    if origin is None:
        return None
    steps = tuple(int(found[1]) if found[1] else found[0] for found in _STEP.finditer(at))
    for begin in range(1 if relative else len(steps)):
        for end in range(len(steps), begin, -1):
            below = steps[begin:end]
            if found := origin.within(below) or _argument(origin, type(declared).__name__, below):
                return found
    return origin


def _argument(origin: Origin, made: str, steps: Steps) -> Origin | None:
    """Find an argument of the call that made an object, or what stands below it."""
    if not origin.file.endswith(".py"):
        return None
    lines = getlines(origin.file)
    calls = [node for node in _calls("".join(lines)) if node.lineno == origin.line]
    # Of several that begin in a line, the one of the object's class is meant.
    calls.sort(key=lambda call: getattr(call.func, "id", getattr(call.func, "attr", "")) != made)
    for call in calls:
        node = _below(call, steps)
        if node is not None:
            before = lines[node.lineno - 1].encode()[: node.col_offset]
            return Origin(origin.file, node.lineno, len(before.decode()) + 1)
    return None


@lru_cache(maxsize=8)
def _calls(source: str) -> list[ast.Call]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _below(node: ast.expr, steps: Steps) -> ast.expr | None:
    for step in steps:
        found = next(_children(node, step), None)
        if found is None:
            return None
        node = found
    return node


def _children(node: ast.expr, step: str | int) -> Iterator[ast.expr]:
    match node:
        case ast.Call() if isinstance(step, str):
            yield from (word.value for word in node.keywords if word.arg == step)
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == step:
                    yield value
        case ast.List() | ast.Tuple() if isinstance(step, int):
            yield from node.elts[step : step + 1]
        case _:
            return
