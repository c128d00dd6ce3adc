"""What an expression is: a whole number, a fraction, a list; only where that is certain."""

from __future__ import annotations

import ast

from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import foreign
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import Function, body_nodes

_OF_CALLS = {
    "builtins.len": "int",
    "builtins.int": "int",
    "builtins.float": "float",
    "builtins.str": "str",
    "builtins.list": "list",
    "builtins.sorted": "list",
    "math.ceil": "int",
    "math.floor": "int",
}
_OF_METHODS = {"_get_num_tokens_by_gpt2": "int"}
_OF_NODES = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.JoinedStr: "str",
}
_DEEPEST = 12


def shape(
    code: PluginCode,
    module: Module,
    within: Function | None,
    node: ast.expr | None,
    depth: int = 0,
) -> str | None:
    """Return whether an expression is an ``int``, a ``float``, a ``list`` or a ``str``.

    :param within: the function it stands in, whose variables are looked into.
    """
    if node is None or depth > _DEEPEST:
        return None
    if type(node) in _OF_NODES:
        return _OF_NODES[type(node)]
    if isinstance(node, ast.Constant):
        return None if isinstance(node.value, bool) else _shape_of_name(type(node.value).__name__)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in _OF_METHODS:
            return _OF_METHODS[node.func.attr]
        return _OF_CALLS.get(foreign(code, module, node.func))
    if isinstance(node, ast.BinOp):
        left = shape(code, module, within, node.left, depth + 1)
        right = shape(code, module, within, node.right, depth + 1)
        return _combined(node.op, left, right)
    if isinstance(node, ast.IfExp):
        branches = (node.body, node.orelse)
        both = {shape(code, module, within, branch, depth + 1) for branch in branches}
        return both.pop() if len(both) == 1 else None
    if isinstance(node, ast.Name) and within is not None:
        return _of_variable(code, module, within, node.id, depth)
    return None


def _shape_of_name(name: str) -> str | None:
    return name if name in {"int", "float", "str"} else None


def _combined(operator: ast.operator, left: str | None, right: str | None) -> str | None:
    numbers = {"int", "float"}
    if isinstance(operator, ast.Div):
        return "float" if {left, right} <= numbers else None
    if isinstance(operator, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv | ast.Mod):
        if {left, right} <= numbers:
            return "float" if "float" in (left, right) else "int"
        if isinstance(operator, ast.Add) and left == right:
            return left
        if isinstance(operator, ast.Mult) and {left, right} == {"list", "int"}:
            return "list"
    return None


def _of_variable(
    code: PluginCode, module: Module, within: Function, name: str, depth: int
) -> str | None:
    """Return the shape of a variable, if all its values have the same."""
    return module.memory.ask(
        ("shape", within, name), lambda: _of_assignments(code, module, within, name, depth)
    )


def _of_assignments(
    code: PluginCode, module: Module, within: Function, name: str, depth: int
) -> str | None:
    parameters = {each.arg for each in (*within.args.posonlyargs, *within.args.args)}
    shapes: set[str | None] = {None} if name in parameters else set()
    stores = 0
    divided = False
    for node in body_nodes(within):
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
            stores += 1
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign):
            targets = [node.target]
        if not any(isinstance(each, ast.Name) and each.id == name for each in targets):
            continue
        stores -= 1
        value = shape(code, module, None, getattr(node, "value", None), depth + 1)
        if isinstance(node, ast.AugAssign):
            # What is added to a whole number or a list does not change what it is, as a rule.
            divided |= value == "float" or isinstance(node.op, ast.Div)
        else:
            shapes.add(value)
    if len(shapes) != 1 or stores:
        return None
    only = shapes.pop()
    return "float" if divided and only == "int" else only
