"""What a name in a plugin's Python means: something of the plugin, something from elsewhere.

What cannot be known for sure has no meaning: ``None``. A rule that needs one is then silent.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping

from attrs import frozen

from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.source import Import, Module
from xinfer.rules.python.tree import SCOPES, Function, ancestors, own_nodes

_DEEPEST, _MOST = 30, 20

_NAMING = (
    ast.ExceptHandler,
    ast.MatchAs,
    ast.MatchStar,
    ast.TypeVar,
    ast.ParamSpec,
    ast.TypeVarTuple,
)


@frozen
class Foreign:
    """Something that the plugin does not hold: ``requests.get``, ``builtins.print``."""

    name: str


@frozen
class Own:
    """A class or function of the plugin."""

    module: Module
    node: ast.ClassDef | Function


@frozen
class OwnModule:
    """A module or package of the plugin."""

    name: str


type Meaning = Foreign | Own | OwnModule | None


@frozen(eq=False)
class Binding:
    """One place that gives a name a value.

    :param import_: the import that does, if one does.
    :param value: the expression or definition; ``None`` where it cannot be said in general.
    """

    node: ast.AST
    import_: Import | None = None
    value: ast.expr | ast.ClassDef | Function | None = None


def bindings(module: Module, scope: ast.AST) -> Mapping[str, list[Binding]]:
    """List what gives each name of a module, class or function its values, in order."""
    return module.memory.ask(("bindings", scope), lambda: _bindings(module, scope))


def _bindings(module: Module, scope: ast.AST) -> Mapping[str, list[Binding]]:
    by_name: dict[str, list[Binding]] = {}
    simple: dict[ast.AST, ast.expr | None] = {}
    for node in own_nodes(scope):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            simple[node.targets[0]] = node.value
        elif isinstance(node, ast.AnnAssign):
            simple[node.target] = node.value
        for name, binding in _bound(module, node, scope, simple):
            by_name.setdefault(name, []).append(binding)
    return by_name


def _bound(
    module: Module,
    node: ast.AST,
    scope: ast.AST,
    simple: Mapping[ast.AST, ast.expr | None],
) -> Iterator[tuple[str, Binding]]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        for each in module.imports_at(node):
            if not each.typing_only:
                yield each.bound, Binding(node, import_=each)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if node is not scope:
            yield node.name, Binding(node, value=node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id, Binding(node, value=simple.get(node))
    elif isinstance(node, ast.arg):
        yield node.arg, Binding(node)
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest, Binding(node)
    elif isinstance(node, _NAMING) and node.name:
        yield node.name, Binding(node)


def meaning(code: PluginCode, module: Module, node: ast.AST, depth: int = 0) -> Meaning:
    """Return what a name, an attribute or a definition stands for."""
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return Own(module, node)
    if isinstance(node, ast.Subscript):
        return meaning(code, module, node.value, depth)
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or depth > _DEEPEST:
        return None
    target = _of_name(code, module, node, depth)
    for attribute in reversed(attributes):
        target = _member(code, target, attribute, depth)
    return target


def foreign(code: PluginCode, module: Module, node: ast.AST) -> str:
    """Name what comes from outside of the plugin; empty where something else is meant."""
    target = meaning(code, module, node)
    return target.name if isinstance(target, Foreign) else ""


def in_module(code: PluginCode, module: Module, name: str, depth: int = 0) -> Meaning:
    """Return what a name of a module stands for when it is imported."""
    return _in_scope(code, module, module.tree, name, depth)


def _of_name(code: PluginCode, module: Module, node: ast.Name, depth: int) -> Meaning:
    inner: ast.AST = node
    direct = True
    for outer in ancestors(module.parents, node):
        if isinstance(outer, SCOPES):
            runs_inside = isinstance(inner, ast.stmt) or isinstance(outer, ast.Lambda)
            sees = direct or not isinstance(outer, ast.ClassDef)
            if runs_inside and sees and node.id in bindings(module, outer):
                return _in_scope(code, module, outer, node.id, depth)
            direct = direct and not runs_inside
        inner = outer
    if node.id in bindings(module, module.tree):
        return in_module(code, module, node.id, depth)
    if module.imports_all:
        return None
    return Foreign(f"builtins.{node.id}") if hasattr(builtins, node.id) else None


def _in_scope(code: PluginCode, module: Module, scope: ast.AST, name: str, depth: int) -> Meaning:
    """Tell what all that gives a name its values there agrees on; nothing where it runs in circles.

    The same is asked many times over, and is kept.
    """

    def work_out() -> Meaning:
        values = bindings(module, scope).get(name, [])
        if len(values) > _MOST:
            return None
        meanings = {_of_binding(code, module, binding, depth + 1) for binding in values}
        return meanings.pop() if len(meanings) == 1 else None

    return code.memory.ask(("name", module, scope, name), work_out)


def _of_binding(code: PluginCode, module: Module, binding: Binding, depth: int) -> Meaning:
    if binding.import_ is not None:
        return _of_import(code, binding.import_, depth)
    return meaning(code, module, binding.value, depth) if binding.value is not None else None


def _of_import(code: PluginCode, import_: Import, depth: int) -> Meaning:
    if import_.module is None or import_.name == "*" or depth > _DEEPEST:
        return None
    if import_.name is not None:
        whole: Meaning = _dotted(code, import_.module)
        return _member(code, whole, import_.name, depth)
    binds_root = isinstance(import_.node, ast.Import) and "." in import_.module
    first = import_.module.partition(".")[0]
    return _dotted(code, first if binds_root and import_.bound == first else import_.module)


def _dotted(code: PluginCode, name: str) -> Meaning:
    return OwnModule(name) if code.has_module(name) else Foreign(name)


def _member(code: PluginCode, whole: Meaning, name: str, depth: int) -> Meaning:
    if isinstance(whole, Foreign):
        return Foreign(f"{whole.name}.{name}")
    if isinstance(whole, OwnModule):
        module = code.module(whole.name)
        if module is not None and name in bindings(module, module.tree):
            return in_module(code, module, name, depth + 1)
        if code.has_module(f"{whole.name}.{name}"):
            return OwnModule(f"{whole.name}.{name}")
    return None
