"""Walks over Python's syntax trees, none of them recursive: a tree may be deeper than the stack."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping

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


def parents_of(nodes: Iterable[ast.AST]) -> Mapping[ast.AST, ast.AST]:
    """Map each node to the node around it."""
    return {child: node for node in nodes for child in ast.iter_child_nodes(node)}


def blocks_of(nodes: Iterable[ast.AST]) -> Mapping[ast.AST, str]:
    """Map each statement to the block that it stands in: ``body``, ``orelse``, ``finalbody``."""
    return {
        statement: name
        for node in nodes
        for name in ("body", "orelse", "finalbody")
        if isinstance(block := getattr(node, name, None), list)
        for statement in block
    }


def depth(tree: ast.AST) -> int:
    """Count how many nodes stand in each other at most."""
    level: list[ast.AST] = [tree]
    count = 0
    while level:
        count += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return count


def ancestors(parents: Mapping[ast.AST, ast.AST], node: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes around a node, inner ones first."""
    current = parents.get(node)
    while current is not None:
        yield current
        current = parents.get(current)


def yields(node: Function) -> bool:
    """Return whether calling a function makes a generator."""
    return any(isinstance(each, ast.Yield | ast.YieldFrom) for each in body_nodes(node))


def returned(node: Function) -> Iterator[ast.Return]:
    """Yield the ``return`` statements of a function."""
    return (each for each in body_nodes(node) if isinstance(each, ast.Return))


def gives_value(node: ast.Return) -> bool:
    """Return whether a ``return`` returns something, as far as can be seen."""
    return not (node.value is None or _is_none(node.value))


def may_end(body: list[ast.stmt]) -> bool:
    """Return whether statements may come to their end, rather than return or raise before it."""
    waiting = [body]
    while waiting:
        block = waiting.pop()
        last = block[-1] if block else None
        if isinstance(last, ast.If) and last.orelse:
            waiting += [last.body, last.orelse]
        elif isinstance(last, ast.Try | ast.TryStar):
            if not last.finalbody or may_end(last.finalbody):
                waiting.append(last.orelse or last.body)
                waiting += [handler.body for handler in last.handlers]
        elif isinstance(last, ast.With | ast.AsyncWith):
            waiting.append(last.body)
        elif isinstance(last, ast.Match) and _is_wildcard(last.cases[-1]):
            waiting += [case.body for case in last.cases]
        elif isinstance(last, ast.While) and _is_endless(last):
            continue
        elif not isinstance(last, ast.Return | ast.Raise):
            return True
    return False


def own_method(node: ast.AST) -> str | None:
    """Name the method in ``self.method``."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id == "self" else None
    return None


def _is_wildcard(case: ast.match_case) -> bool:
    return isinstance(case.pattern, ast.MatchAs) and case.pattern.pattern is None and not case.guard


def _is_endless(node: ast.While) -> bool:
    always = isinstance(node.test, ast.Constant) and bool(node.test.value)
    return always and not any(isinstance(each, ast.Break) for each in own_nodes(node))


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
