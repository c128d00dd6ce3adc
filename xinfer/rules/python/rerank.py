"""Rules of rerankers: what the daemon sends in place of nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.results import answering
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import body_nodes
from xinfer.rules.rule import Problem, Subject, rule


@rule("XI644", Severity.BROKEN, Stage.RUN_TIME, fix="Treat 0 like None: docs[: top_n or None].")
def none_of_the_documents(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """``top_n`` is taken as it comes; the daemon sends 0 where none was given.

    ``docs[:0]`` leaves no document, and a service that is sent a 0 refuses or obeys it.
    """
    for one in served(code):
        for module, node in answering(code, one) if one.kind == "rerank" else ():
            names = [*body_nodes(node)]
            filtered = any(isinstance(name, ast.DictComp) for name in names)
            if filtered or any(_is_weighed(module, name) for name in names):
                continue
            for name in names:
                if _is_top_n(name) and _is_literal(module, name):
                    yield module.problem("top_n is 0 where none was given", name)


def _is_top_n(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "top_n" and isinstance(node.ctx, ast.Load)


def _is_weighed(module: Module, node: ast.AST) -> bool:
    """Say whether ``top_n`` is looked at in a way that a 0 may be found, or set anew."""
    if isinstance(node, ast.Name) and node.id == "top_n" and isinstance(node.ctx, ast.Store):
        return True
    if not _is_top_n(node):
        return False
    around = module.parents[node]
    if isinstance(around, ast.Compare):
        return not all(isinstance(one, ast.Is | ast.IsNot) for one in around.ops)
    if isinstance(around, ast.If | ast.IfExp | ast.While):
        return around.test is node
    return isinstance(around, ast.BoolOp | ast.UnaryOp | ast.Call | ast.BinOp)


def _is_literal(module: Module, node: ast.AST) -> bool:
    """Say whether ``top_n`` is used as it is: to cut a list, or in what is sent."""
    around = module.parents[node]
    if isinstance(around, ast.Slice):
        return around.upper is node and around.lower is None
    if isinstance(around, ast.Dict):
        key = around.keys[around.values.index(node)] if node in around.values else None
        return isinstance(key, ast.Constant) and isinstance(key.value, str)
    return False


RULES = (none_of_the_documents,)
