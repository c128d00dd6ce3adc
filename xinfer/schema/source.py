"""The span of any value of a declared object: an argument of a call, a key of a YAML file."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from linecache import getline, getlines

from attrs import frozen

from xinfer.schema.path import steps_of
from xinfer.spec.declaration import Declaration
from xinfer.spec.span import Span, Steps, column_of


def span_of(declared: Declaration, at: str = "", *, of: Declaration | None = None) -> Span | None:
    """Return the span of a value, else of the nearest object or argument that holds it.

    :param at: the path of the value from ``declared``, e.g. ``options[2].value``.
    :param of: the object that the value belongs to, if the path does not lead through it.
    """
    steps = steps_of(at)
    owner, rest, passed = _owner(declared, steps)
    if of is None or any(of is declared for declared in passed):
        return _below(owner, rest)
    for begin in range(len(steps)):
        span = _below(of, steps[begin:])
        if span != of.span:
            return span
    return of.span


def _owner(declared: Declaration, steps: Steps) -> tuple[Declaration, Steps, list[Declaration]]:
    """Follow a path to the last declared object on it that has a span, and list all on it."""
    value: object = declared
    owner, rest, passed = declared, steps, [declared]
    for index, step in enumerate(steps, 1):
        value = _child(value, step)
        if isinstance(value, Declaration):
            passed.append(value)
            if value.span and value.span != owner.span:
                owner, rest = value, steps[index:]
    return owner, rest, passed


def _child(value: object, step: str | int) -> object:
    match value, step:
        case Declaration(), str():
            return getattr(value, step, None)
        case tuple() | list(), int() if step < len(value):
            return value[step]
        case Mapping(), _:
            return value.get(step)
        case _:
            return None


def _below(owner: Declaration, steps: Steps) -> Span | None:
    """Return the span of a value of an object, else of what holds it; at least the object's."""
    span = owner.span
    if span is None:
        return None
    for end in range(len(steps), 0, -1):
        value = span.below(steps[:end]) or _argument(owner, span, steps[:end])
        if value:
            return value
    return span


def _argument(owner: Declaration, span: Span, steps: Steps) -> Span | None:
    """Return the span of an argument of the call that made an object, or of a value in it."""
    call = _call_at(span)
    node = call and _from_call(call, owner, steps[0])
    value = _child(owner, steps[0])
    for step in steps[1:]:
        node = node and _in_display(node, step, value)
        value = _child(value, step)
    return _span_of_node(node, span) if node else None


@frozen
class _Call:
    """A call, and the name that it is assigned to if it is all that is assigned."""

    node: ast.Call
    target: ast.expr | None = None


def _from_call(call: _Call, owner: Declaration, name: str | int) -> ast.expr | None:
    for keyword in call.node.keywords:
        if keyword.arg == name:
            return keyword.value
    positional: tuple[str, ...] = type(owner).__match_args__
    before = call.node.args[: positional.index(name) + 1] if name in positional else []
    if before and len(before) > positional.index(name) and not _has_starred(before):
        return before[-1]
    # A field of a credentials class has its variable from its name, its type from the function.
    return {"variable": call.target, "type": call.node.func}.get(str(name))


def _in_display(node: ast.expr, step: str | int, value: object) -> ast.expr | None:
    """Find an item of a list, a tuple or a dictionary that is written out."""
    match node:
        case ast.List() | ast.Tuple() if isinstance(step, int):
            before = node.elts[: step + 1]
            return before[-1] if len(before) > step and not _has_starred(before) else None
        case ast.Dict() if isinstance(step, int):
            return _condition(node, step)
        case ast.Dict() if isinstance(value, Mapping) and step in value:
            index = list(value).index(step)
            whole = None not in node.keys and len(node.keys) == len(value)
            return node.values[index] if whole else None
        case ast.Call():
            return next((word.value for word in node.keywords if word.arg == step), None)
        case _:
            return None


def _condition(node: ast.Dict, index: int) -> ast.expr | None:
    """Write an item of ``show_on={"variable": "value"}`` as the object that is made of it."""
    if index >= len(node.keys) or (key := node.keys[index]) is None:
        return None
    value = node.values[index]
    words = [ast.keyword("variable", key), ast.keyword("value", value)]
    call = ast.Call(ast.Name("ShowOn"), [], words)
    return ast.copy_location(call, key)


def _has_starred(nodes: list[ast.expr]) -> bool:
    return any(isinstance(node, ast.Starred) for node in nodes)


def _call_at(span: Span) -> _Call | None:
    """Find the call of exactly these characters in the syntax tree of their file."""
    if span.column is None or span.end_column is None or span.end_line is None:
        return None
    calls = _calls(span.file)
    begin = span.line, _offset(span.file, span.line, span.column)
    end = span.end_line, _offset(span.file, span.end_line, span.end_column)
    if (begin, end) in calls:
        return calls[begin, end]
    # Python places a method's call over several lines at the method's name.
    around = [extent for extent in calls if extent[0] <= begin and extent[1] == end]
    return calls[max(around)] if around else None


type _Bytes = tuple[tuple[int, int], tuple[int, int]]
_cached: dict[str, tuple[list[str], dict[_Bytes, _Call]]] = {}


def _calls(file: str) -> dict[_Bytes, _Call]:
    """Index the calls of a file by their first and last line and offset in bytes."""
    lines = getlines(file)
    if file not in _cached or _cached[file][0] is not lines:
        _cached[file] = lines, dict(_index("".join(lines)))
    return _cached[file][1]


def _index(source: str) -> Iterator[tuple[_Bytes, _Call]]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    targets: dict[ast.expr | None, ast.expr] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            targets[node.value] = node.target
        elif isinstance(node, ast.Assign):
            targets[node.value] = node.targets[0]
        elif isinstance(node, ast.Call):
            yield _extent(node), _Call(node, targets.get(node))


def _extent(node: ast.expr) -> _Bytes:
    end = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return (node.lineno, node.col_offset), end


def _offset(file: str, line: int, of_column: int) -> int:
    return len(getline(file, line)[: of_column - 1].encode())


def _span_of_node(node: ast.expr, owner: Span) -> Span:
    (line, start), (end_line, end) = _extent(node)
    begin, behind = column_of(owner.file, line, start), column_of(owner.file, end_line, end)
    return Span(owner.file, line, begin, end_line, behind, called_from=owner.called_from)
