"""Walks over Python's syntax trees, none of them recursive: a tree may be deeper than the stack."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

type Function = ast.FunctionDef | ast.AsyncFunctionDef

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def below(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and everything in it, in the order of the source."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(tuple(ast.iter_child_nodes(current))))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is in a node and runs with it, in order: nothing of the functions inside.

    A function or class inside is yielded itself, what is in it is not.
    """
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        if current is node or not isinstance(current, SCOPES):
            waiting.extend(reversed(tuple(ast.iter_child_nodes(current))))


def body_nodes(node: Function) -> Iterator[ast.AST]:
    """Yield what runs when a function is called: not its decorators and defaults."""
    for statement in node.body:
        if isinstance(statement, SCOPES):
            yield statement
        else:
            yield from own_nodes(statement)


def parents_of(tree: ast.AST) -> Mapping[ast.AST, ast.AST]:
    """Note the node around each node."""
    found: dict[ast.AST, ast.AST] = {}
    for node in below(tree):
        for child in ast.iter_child_nodes(node):
            found[child] = node
    return found


def ancestors(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes around a node, inner ones first."""
    current = parents.get(node)
    while current is not None:
        yield current
        current = parents.get(current)


def yields(node: Function) -> bool:
    """Say whether calling a function makes a generator."""
    return any(isinstance(one, ast.Yield | ast.YieldFrom) for one in body_nodes(node))


def returned(node: Function) -> Iterator[ast.Return]:
    """Yield the ``return`` statements of a function."""
    return (one for one in body_nodes(node) if isinstance(one, ast.Return))


def gives_value(node: ast.Return) -> bool:
    """Say whether a ``return`` returns something, as far as can be seen."""
    return not (node.value is None or _is_none(node.value))


def always_raises(node: Function) -> bool:
    """Say whether a function ends in a ``raise``, as one does that is not meant to be called."""
    return isinstance(node.body[-1], ast.Raise)


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
