"""Reads the specs that import writes, without running them.

Only what import itself writes is understood: our own classes called with literals, constants that
were assigned before, members of our own enumerations. Anything else is refused.
"""

from __future__ import annotations

import ast
import datetime
import decimal
import enum
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

from attrs import define, field

import xinfer.spec
from xinfer.spec import Credentials, Project, Secret, Timestamp
from xinfer.spec.conditions import Setting
from xinfer.spec.declaration import Declaration, span_from
from xinfer.spec.targets import Target

type _Scope = Mapping[str, Any]

_TARGETS = ("api_key", "base_url", "model")
_FUNCTIONS = (
    "first_of",
    "limit",
    "model_form",
    "native_switch",
    "provider_form",
    "radio",
    "secret_input",
    "select",
    "setting",
    "switch",
    "text_input",
)


def _importable() -> Mapping[str, _Scope]:
    """List what a spec may import, by module: declared classes and enumerations, and fields."""
    declared = {
        name: value
        for name, value in vars(xinfer.spec).items()
        if isinstance(value, type)
        and issubclass(value, (Declaration, enum.Enum, Secret, Timestamp, Credentials))
    }
    functions = {name: getattr(xinfer.spec, name) for name in (*_FUNCTIONS, *_TARGETS)}
    times = ("UTC", "date", "datetime", "timedelta", "timezone")
    return {
        "datetime": {name: getattr(datetime, name) for name in times},
        "decimal": {"Decimal": decimal.Decimal},
        "xinfer.spec": {**declared, **functions},
    }


_IMPORTABLE = _importable()
_BUILTIN: _Scope = MappingProxyType({"float": float, "int": int, "str": str, "bool": bool})
_CALLABLE = frozenset(
    value
    for scope in (*_IMPORTABLE.values(), _BUILTIN)
    for value in scope.values()
    if callable(value) and value is not Credentials
)


class NotOurs(Exception):
    """Source of a kind that import does not write; ``str`` says what, and where."""


def evaluate(sources: Mapping[str, str]) -> Project:
    """Return the project that ``provider_spec.py`` declares; no line of it is run.

    :param sources: every module, by its path beside the spec; the spec comes last.
    :raises NotOurs: it holds what import never writes.
    """
    modules: dict[str, dict[str, Any]] = {}
    namespace: dict[str, Any] = {}
    for path, source in sources.items():
        package, _, name = path.removesuffix(".py").rpartition("/")
        namespace = _Evaluator(path, modules).module(ast.parse(source))
        if package:
            modules.setdefault(package, {})[name] = SimpleNamespace(**namespace)
    project = namespace.get("project")
    if not isinstance(project, Project):
        raise NotOurs("provider_spec.py declares no project")
    return project


@define
class _Evaluator:
    """Evaluates one module.

    :param modules: what other modules declare, by package and name.
    """

    path: str
    modules: Mapping[str, _Scope]
    scope: dict[str, Any] = field(factory=dict)

    def module(self, tree: ast.Module) -> dict[str, Any]:
        with span_from(None):
            for statement in tree.body:
                self._statement(statement)
        return self.scope

    def _statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.ImportFrom(module=str() as module, names=names, level=0):
                offered = _IMPORTABLE.get(module) or self.modules.get(module, {})
                for alias in names:
                    if alias.asname or alias.name not in offered:
                        raise self._strange(node)
                    self.scope[alias.name] = offered[alias.name]
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.scope[name] = self.value(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                self.scope[name] = self.value(value)
            case ast.ClassDef(decorator_list=[], keywords=[]):
                self._class(node)
            case _:
                raise self._strange(node)

    def _class(self, node: ast.ClassDef) -> None:
        """Make a credentials class of its fields."""
        if [self.value(base) for base in node.bases] != [Credentials]:
            raise self._strange(node)
        fields: dict[str, Any] = {}
        annotations: dict[str, Any] = {}
        for statement in node.body:
            match statement:
                case ast.Expr(value=ast.Constant(value=str())):
                    pass
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    annotations[name] = self._annotation(statement.annotation)
                    fields[name] = self.value(value)
                case _:
                    raise self._strange(statement)
        body = {**fields, "__annotations__": annotations, "__module__": self.path}
        self.scope[node.name] = type(node.name, (Credentials,), body)

    def _annotation(self, node: ast.expr) -> Any:
        match node:
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return self.value(left) | None
            case _:
                return self.value(node)

    def value(self, node: ast.expr) -> Any:
        """Evaluate an expression.

        :raises NotOurs: it is of a kind that import does not write.
        """
        match node:
            case ast.Constant(value=value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
                return -number
            case ast.Name(id=name) if name in self.scope or name in _BUILTIN:
                return self.scope[name] if name in self.scope else _BUILTIN[name]
            case ast.Attribute(value=ast.Name(id=name), attr=member):
                return self._member(node, self.scope.get(name), member)
            case ast.Tuple(elts=items):
                return tuple(self._items(items))
            case ast.List(elts=items):
                return self._items(items)
            case ast.Dict(keys=keys, values=values) if None not in keys:
                pairs = zip(keys, values, strict=True)
                return {self.value(key): self.value(value) for key, value in pairs if key}
            case ast.Compare(left=ast.Call() as left, ops=[ast.Eq()], comparators=[right]):
                setting_ = self.value(left)
                if not isinstance(setting_, Setting):
                    raise self._strange(node)
                return setting_ == self.value(right)
            case ast.Call(func=ast.Name()):
                return self._call(node)
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as owner, attr="by_option"),
                args=[values],
                keywords=[],
            ):
                target = self.value(owner)
                if not isinstance(target, Target):
                    raise self._strange(node)
                return target.by_option(self.value(values))
            case _:
                raise self._strange(node)

    def _items(self, nodes: list[ast.expr]) -> list[Any]:
        items: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                items += self.value(node.value)
            else:
                items.append(self.value(node))
        return items

    def _member(self, node: ast.expr, owner: object, name: str) -> Any:
        if isinstance(owner, type) and issubclass(owner, enum.Enum) and name in owner.__members__:
            return owner[name]
        if isinstance(owner, SimpleNamespace) and name in vars(owner):
            return vars(owner)[name]
        raise self._strange(node)

    def _call(self, node: ast.Call) -> Any:
        function: Callable[..., Any] = self.value(node.func)
        is_ours = isinstance(function, Hashable) and function in _CALLABLE
        if not is_ours or any(keyword.arg is None for keyword in node.keywords):
            raise self._strange(node)
        keywords = {str(keyword.arg): self.value(keyword.value) for keyword in node.keywords}
        return function(*self._items(node.args), **keywords)

    def _strange(self, node: ast.stmt | ast.expr) -> NotOurs:
        return NotOurs(f"{self.path}:{node.lineno} holds a {type(node).__name__} that is not ours")
