"""Rules of names that nothing defines: they fail as soon as Python comes by.

Ruff finds the names. What is left is when each is looked up: on start, in a request, or never.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import Enum, auto

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.tree import SCOPES, ancestors, own_nodes
from xinfer.rules.rule import Problem, Subject, rule

_ALWAYS_THERE = frozenset({"_", "__path__", "__class__", "__annotations__"})
_ELSEWHERE = {"TYPE_CHECKING", "version_info", "platform"}
_MAY_NOT_RUN = (ast.If, ast.IfExp, ast.While, ast.Match, ast.BoolOp, ast.For, ast.With)
_FIX = "Import or define it, or correct the spelling."


class _When(Enum):
    """When Python looks up a name."""

    ON_START = auto()
    IN_A_CALL = auto()
    IN_AN_ERROR = auto()


@rule("XI610", Severity.REFUSED, Stage.START, fix=_FIX)
def undefined_on_start(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A name is used while a module is imported, and nothing defines it; the SDK cannot start.

    Annotations count: Python 3.12 looks them up where a function is defined, unless the module
    begins with ``from __future__ import annotations`` or they are in quotes. What is imported
    under ``TYPE_CHECKING`` is not there.
    """
    for module in code.running:
        if module in code.started:
            yield from _problems(code, module, _When.ON_START)


@rule("XI628", Severity.BROKEN, Stage.RUN_TIME, fix=_FIX)
def undefined_later(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A name is used in a function, and nothing defines it: the request fails with a NameError."""
    for module in code.running:
        yield from _problems(code, module, _When.IN_A_CALL)
        if module not in code.started:
            yield from _problems(code, module, _When.ON_START)


@rule("XI629", Severity.ADVICE, Stage.RUN_TIME, fix=_FIX)
def undefined_in_error(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A name is used in a ``raise``, and nothing defines it.

    The request fails either way, but with a NameError that hides what went wrong.
    """
    for module in code.running:
        yield from _problems(code, module, _When.IN_AN_ERROR)


def _problems(code: PluginCode, module: Module, when: _When) -> Iterator[Problem]:
    for node in code.undefined(module):
        if node.id not in _ALWAYS_THERE and _when(module, node) is when:
            yield module.problem(f"{node.id} is not defined", node)


def _when(module: Module, name: ast.Name) -> _When | None:
    """Tell when a name is looked up; ``None`` where that is never, or cannot be known.

    What stands under a condition outside of functions may be for type checkers, or for another
    Python; what a ``try`` catches is expected.
    """
    if module.is_dynamic or is_tried(module, name):
        return None
    when = _When.ON_START
    careful = False
    inner: ast.AST = name
    for outer in ancestors(module.parents, name):
        if isinstance(outer, ast.TypeAlias | ast.TypeVar) or _is_unread_note(module, outer, inner):
            return None
        if isinstance(outer, ast.If) and _is_of_another(outer.test):
            return None
        careful |= isinstance(outer, _MAY_NOT_RUN)
        if isinstance(outer, ast.Raise):
            when, careful = _When.IN_AN_ERROR, False
        elif isinstance(outer, SCOPES) and _runs_inside(outer, inner):
            careful = False
            when = _When.IN_A_CALL if when is _When.ON_START else when
        inner = outer
    return None if careful else when


def _is_of_another(test: ast.expr) -> bool:
    """Tell whether a condition is for type checkers, or for some version of Python."""
    return any(
        getattr(node, "id", getattr(node, "attr", "")) in _ELSEWHERE for node in own_nodes(test)
    )


def _runs_inside(scope: ast.AST, node: ast.AST) -> bool:
    """Tell whether a part of a function runs when it is called, not when it is defined."""
    if isinstance(scope, ast.Lambda):
        return node is scope.body
    return isinstance(node, ast.stmt) and not isinstance(scope, ast.ClassDef)


def _is_unread_note(module: Module, holder: ast.AST, node: ast.AST) -> bool:
    """Tell whether a part of something is an annotation that Python never evaluates."""
    if node is not getattr(holder, "annotation", None) and node is not getattr(
        holder, "returns", None
    ):
        return False
    scope = next(
        (each for each in ancestors(module.parents, holder) if isinstance(each, SCOPES)), None
    )
    of_local = (
        isinstance(holder, ast.AnnAssign)
        and scope is not None
        and not isinstance(scope, ast.ClassDef)
    )
    return of_local or module.delays_annotations


RULES = (undefined_on_start, undefined_later, undefined_in_error)
