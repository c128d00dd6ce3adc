"""Rules of names that nothing defines: they fail as soon as Python comes by."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.names import bindings
from xinfer.rules.python.source import Module, PluginCode, is_dynamic
from xinfer.rules.python.tree import SCOPES, ancestors, own_nodes
from xinfer.rules.rule import Problem, Subject, rule

_GIVEN = {*dir(builtins), "_", "__class__", "__qualname__", "__module__", "__path__"}
_GIVEN |= {"__file__", "__builtins__", "__cached__", "__annotations__"}
_ELSEWHERE = {"TYPE_CHECKING", "version_info", "platform"}
_MAY_NOT_RUN = (ast.If, ast.IfExp, ast.While, ast.Match, ast.BoolOp, ast.For, ast.With)


@rule("XI610", Severity.REFUSED, Stage.START, fix="Import it, or correct the name.")
def undefined_on_start(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A name is used while a module is imported, and nothing defines it; the SDK cannot start.

    Annotations count: Python 3.12 looks them up where a function is defined, unless the module
    begins with ``from __future__ import annotations`` or they are in quotes. What is imported
    under ``TYPE_CHECKING`` is not there.
    """
    for module in sorted(code.started, key=lambda one: one.path):
        for node, later in _undefined(module):
            if not later:
                yield module.problem(f"{node.id} is not defined", node)


@rule("XI628", Severity.BROKEN, Stage.RUN_TIME, fix="Import it, or correct the name.")
def undefined_later(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A name is used in a function, and nothing defines it: the request fails with a NameError."""
    for module in code.running:
        for node, later in _undefined(module):
            if later or module not in code.started:
                yield module.problem(f"{node.id} is not defined", node)


def _undefined(module: Module) -> Iterator[tuple[ast.Name, bool]]:
    """Yield each name that nothing defines, and whether it is used in a function."""
    if is_dynamic(module):
        return
    known = _GIVEN | set(bindings(module, module.tree))
    known |= {name for node in module.each(ast.Global) for name in node.names} | _tried(module)
    lazy_notes = any(one.module == "__future__" and one.name == _NOTES for one in module.imports)
    for node in module.each(ast.Name):
        if node.id not in known and isinstance(node.ctx, ast.Load):
            later = _used_later(module, node, lazy_notes=lazy_notes)
            if later is not None:
                yield node, later


_NOTES = "annotations"


def _used_later(module: Module, node: ast.Name, *, lazy_notes: bool) -> bool | None:
    """Say whether a name is looked up in a function; ``None`` where it is found, or maybe never.

    What stands under a condition outside of functions may be for type checkers, or for another
    Python.
    """
    later = False
    inner: ast.AST = node
    careful = False
    for outer in ancestors(module.parents, node):
        if isinstance(outer, ast.TypeAlias | ast.TypeVar) or _is_unread_note(
            module, outer, inner, lazy_notes=lazy_notes
        ):
            return None
        if isinstance(outer, ast.If) and _is_of_another(outer.test):
            return None
        careful |= isinstance(outer, _MAY_NOT_RUN)
        if isinstance(outer, SCOPES):
            if node.id in bindings(module, outer):
                return None
            if _runs_inside(outer, inner):
                later, careful = True, False
        inner = outer
    return None if careful else later


def _is_of_another(test: ast.expr) -> bool:
    """Say whether a condition is for type checkers, or for some version of Python."""
    return any(
        getattr(node, "id", getattr(node, "attr", "")) in _ELSEWHERE for node in own_nodes(test)
    )


def _runs_inside(scope: ast.AST, node: ast.AST) -> bool:
    """Say whether a part of a function runs when it is called, not when it is defined."""
    if isinstance(scope, ast.Lambda):
        return node is scope.body
    return isinstance(node, ast.stmt) and not isinstance(scope, ast.ClassDef)


def _is_unread_note(module: Module, holder: ast.AST, node: ast.AST, *, lazy_notes: bool) -> bool:
    """Say whether a part of something is an annotation that Python never looks into."""
    if node is not getattr(holder, "annotation", None) and node is not getattr(
        holder, "returns", None
    ):
        return False
    scope = next(
        (one for one in ancestors(module.parents, holder) if isinstance(one, SCOPES)), None
    )
    of_local = isinstance(holder, ast.AnnAssign) and not isinstance(scope, ast.ClassDef)
    return lazy_notes or (of_local and scope is not None)


def _tried(module: Module) -> set[str]:
    """Name what a module tries, because it may not be defined."""
    blocks: Sequence[ast.Try | ast.TryStar] = (*module.each(ast.Try), *module.each(ast.TryStar))
    return {
        node.id
        for block in blocks
        for handler in block.handlers
        if handler.type is None or _names(handler.type) & {"NameError", "Exception"}
        for statement in block.body
        for node in own_nodes(statement)
        if isinstance(node, ast.Name)
    }


def _names(node: ast.AST) -> set[str]:
    return {one.id for one in own_nodes(node) if isinstance(one, ast.Name)}


RULES = (
    undefined_on_start,
    undefined_later,
)
