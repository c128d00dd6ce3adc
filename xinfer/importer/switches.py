"""What a plugin's code does to the parameters of a model, as ``sends`` of a runtime.

The statements are followed on data alone, once for each value that a parameter can have and for
each model. Code of another kind than is understood here is left to its author.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from attrs import define, field

from xinfer.spec import Add, Drop, Map, Model, ModelType, ParameterType, Rename
from xinfer.spec.runtime import Sending

_PARAMETERS = "model_parameters"
_BY_DIALECT = ("enable_thinking", "thinking_budget")
"""Parameters that a dialect spells by itself; the SDK's classes send them as they are."""
_MOST_RUNS = 2000
_OTHER = "\0"
"""A model that no code can name."""


class Unclear(Exception):
    """The effect of code on parameters cannot be declared."""


class _Anything:
    """The value of a parameter that has no list of values."""


_ANYTHING = _Anything()

type Values = Mapping[str, Sequence[Any]]
type _Effects = Mapping[str, Any]


def values_of(models: Iterable[Model]) -> Values:
    """List the values that each parameter of a language model can have."""
    values: dict[str, Sequence[Any]] = {}
    for model in models:
        for rule in model.parameter_rules if model.model_type is ModelType.LLM else ():
            if rule.type is ParameterType.BOOLEAN:
                values[rule.name] = (True, False)
            else:
                values[rule.name] = rule.options or (_ANYTHING,)
    return values


def about_parameters(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Choose the statements that read or change parameters, and what follows from those."""
    names = {_PARAMETERS}
    chosen = []
    for statement in statements:
        nodes = list(ast.walk(statement))
        calls = any(isinstance(n, ast.Name) and n.id in ("super", "self", "cls") for n in nodes)
        if not calls and any(isinstance(n, ast.Name) and n.id in names for n in nodes):
            chosen.append(statement)
            names |= {n.id for n in nodes if isinstance(n, ast.Name) and _is_set(n)}
    return chosen


def _is_set(name: ast.Name) -> bool:
    return isinstance(name.ctx, ast.Store)


def sendings(
    statements: Sequence[ast.stmt], values: Values, models: Iterable[str]
) -> tuple[Sending, ...]:
    """Return what is sent of each parameter after these statements.

    :param models: names of models that the code may tell apart.
    :raises Unclear: a statement is not understood, or a parameter depends on another.
    """
    groups: dict[str, tuple[_Effects, list[str]]] = {}
    for model in (*models, _OTHER):
        effects = _effects(statements, values, model)
        groups.setdefault(repr(effects), (effects, []))[1].append(model)
    usual = next(key for key, (_, names) in groups.items() if _OTHER in names)
    special = [group for key, group in groups.items() if key != usual]
    if any("" in effects for effects, _ in (*special, groups[usual])) and special:
        raise Unclear  # what is added for all would be added for these models too
    sent = [each for effects, names in special for each in _sent(effects, tuple(names))]
    return (*sent, *_sent(groups[usual][0], ("*",)))


def _effects(statements: Sequence[ast.stmt], values: Values, model: str) -> _Effects:
    """Map each parameter to what is sent for each value; ``""`` to what is always sent."""
    names = {
        node.value
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in values
    }
    names |= set(_BY_DIALECT) & values.keys()
    always = _run(statements, model, {})
    alone = {
        name: [(value, _run(statements, model, {name: value})) for value in values[name]]
        for name in sorted(names)
    }
    pairs = [
        ((first, *row), (second, *other_row))
        for first, second in combinations(alone, 2)
        for row, other_row in product(alone[first], alone[second])
    ]
    if len(pairs) > _MOST_RUNS:
        raise Unclear
    for (first, value, sent), (second, other_value, other_sent) in pairs:
        together = _run(statements, model, {first: value, second: other_value})
        if together != always | _beside(always, sent) | _beside(always, other_sent):
            raise Unclear  # one parameter decides about the other
    effects: dict[str, Any] = {"": always} if always else {}
    for name, rows in alone.items():
        effects[name] = [(value, _beside(always, sent)) for value, sent in rows]
    return effects


def _beside(always: Mapping[str, Any], sent: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in sent.items() if k not in always or always[k] != v}


def _sent(effects: _Effects, models: tuple[str, ...]) -> Iterator[Sending]:
    for name, rows in effects.items():
        if name == "":
            yield Add(rows, models=models)
        elif all(sent == {name: value} for value, sent in rows):
            if name in _BY_DIALECT:
                yield Rename(name, name, models=models)
        elif not any(sent for _, sent in rows):
            yield Drop(name, models=models)
        elif rows[0][0] is _ANYTHING:
            yield Rename(name, _path(rows[0][1]), models=models)
        else:
            yield Map(name, dict(rows), models=models)


def _path(sent: Any) -> str:
    """Find where the value went, and nothing else."""
    if not isinstance(sent, dict) or len(sent) != 1:
        raise Unclear
    ((key, value),) = sent.items()
    if "." in key:
        raise Unclear
    return key if value is _ANYTHING else f"{key}.{_path(value)}"


def _run(statements: Sequence[ast.stmt], model: str, chosen: Mapping[str, Any]) -> dict[str, Any]:
    run = _Run({_PARAMETERS: dict(chosen), "model": model})
    run.follow(statements)
    left = run.names[_PARAMETERS]
    if not isinstance(left, dict):
        raise Unclear
    return left


@define
class _Run:
    """Follows statements on data."""

    names: dict[str, Any] = field()

    def follow(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            match statement:
                case ast.Pass() | ast.Expr(value=ast.Constant()):
                    pass
                case ast.Expr(value=ast.Call() as call):
                    self.value(call)
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self.names[name] = self.value(value)
                case ast.Assign(targets=[ast.Subscript(value=whole, slice=key)], value=value):
                    self._object(whole)[self._key(key)] = self.value(value)
                case ast.If(test=test, body=body, orelse=otherwise):
                    self.follow(body if self._is_true(test) else otherwise)
                case _:
                    raise Unclear

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value):
                return value
            case ast.Name(id=name) if name in self.names:
                return self.names[name]
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values)
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [self.value(item) for item in items]
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self.value(body if self._is_true(test) else otherwise)
            case ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Compare():
                return self._is_true(node)
            case ast.Subscript(value=whole, slice=key):
                return self._object(whole)[self._key(key)]
            case ast.Call(func=ast.Name(id=name), args=[only], keywords=[]):
                return self._converted(name, only)
            case ast.Call(func=ast.Attribute(value=whole, attr=name), args=arguments, keywords=[]):
                return self._method(self.value(whole), name, [self.value(a) for a in arguments])
            case _:
                raise Unclear

    def _dict(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for key, value in zip(keys, values, strict=True):
            items |= self._object(value) if key is None else {self._key(key): self.value(value)}
        return items

    def _object(self, node: ast.expr) -> dict[str, Any]:
        whole = self.value(node)
        if not isinstance(whole, dict):
            raise Unclear
        return whole

    def _key(self, node: ast.expr) -> str:
        key = self.value(node)
        if not isinstance(key, str):
            raise Unclear
        return key

    def _converted(self, name: str, argument: ast.expr) -> Any:
        if name == "bool":
            return self._is_true(argument)
        if name == "dict":
            return dict(self._object(argument))
        raise Unclear

    def _method(self, whole: Any, name: str, arguments: list[Any]) -> Any:
        match whole, name, arguments:
            case dict(), "pop" | "get", [str() as key, *otherwise] if len(otherwise) < 2:
                value = whole.get(key, *otherwise)
                if name == "pop":
                    whole.pop(key, None)
                return value
            case dict(), "copy", []:
                return dict(whole)
            case str(), "startswith" | "endswith", [str() as part]:
                return whole.startswith(part) if name == "startswith" else whole.endswith(part)
            case str(), "lower", []:
                return whole.lower()
            case _:
                raise Unclear

    def _is_true(self, node: ast.expr) -> bool:
        match node:
            case ast.BoolOp(op=ast.And(), values=parts):
                return all(self._is_true(part) for part in parts)
            case ast.BoolOp(op=ast.Or(), values=parts):
                return any(self._is_true(part) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self._is_true(operand)
            case ast.Compare(left=left, ops=[operator], comparators=[right]):
                return self._compared(self.value(left), operator, self.value(right))
            case _:
                value = self.value(node)
        if value is _ANYTHING:
            raise Unclear
        return bool(value)

    def _compared(self, left: Any, operator: ast.cmpop, right: Any) -> bool:
        match operator:
            case ast.Is():
                return left is right
            case ast.IsNot():
                return left is not right
            case ast.In() | ast.NotIn() if isinstance(right, dict | list | str):
                if left is _ANYTHING or (isinstance(right, str) and not isinstance(left, str)):
                    raise Unclear
                return (left in right) is isinstance(operator, ast.In)
            case ast.Eq() | ast.NotEq() if _ANYTHING not in (left, right):
                return (left == right) is isinstance(operator, ast.Eq)
            case _:
                raise Unclear
