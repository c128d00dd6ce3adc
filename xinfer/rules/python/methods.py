"""Rules of the methods that the SDK calls: how they can be called, and which errors they raise."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Method, Served, find, method, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import foreign
from xinfer.rules.python.signatures import misfit
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import (
    FUNCTIONS,
    Function,
    ancestors,
    body_nodes,
    own_method,
    returned,
    yields,
)
from xinfer.rules.rule import Problem, Subject, rule

_PROPERTIES = {"property", "cached_property"}
_KNOWN_DECORATORS = {"abstractmethod", "override", "staticmethod", "classmethod"}
_CATCHES_ALL = {"builtins.Exception", "builtins.BaseException"}
_VALIDATES = ("validate_credentials", "validate_provider_credentials")


@rule("XI621", Severity.BROKEN, Stage.RUN_TIME, fix="Take the parameters of the SDK's method.")
def signature_differs(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A method cannot be called as the SDK calls it: each call fails with a TypeError.

    The SDK passes most arguments by place, ``tools``, ``stop`` and ``user`` included, and those
    of speech by name.
    """
    for one in served(code):
        for name, call in one.calls.items():
            found = method(code, one, name)
            if found and (said := misfit(found[1], call)):
                yield found[0].problem(f"{one.own.node.name}.{name} {said}", found[1])


@rule("XI622", Severity.BROKEN, Stage.RUN_TIME, fix="Make it a plain method.")
def asynchronous_method(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """A method that the SDK calls is asynchronous; it is never awaited, and does nothing."""
    for one in served(code):
        for name in one.calls:
            found = method(code, one, name)
            if found and isinstance(found[1], ast.AsyncFunctionDef) and not found[1].decorator_list:
                yield found[0].problem(f"{one.own.node.name}.{name} is asynchronous", found[1])


@rule("XI623", Severity.BROKEN, Stage.RUN_TIME, fix="Put @property above it.")
def mapping_is_no_property(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """``_invoke_error_mapping`` is a method where the SDK reads a property.

    Every error then becomes an AttributeError, which tells users nothing.
    """
    for module, node in _mappings(code):
        named = _decorators(node)
        if not named - _KNOWN_DECORATORS:
            yield module.problem("_invoke_error_mapping is no property", node)


@rule(
    "XI624", Severity.BROKEN, Stage.RUN_TIME, fix="Return a dict, with a list of errors for each."
)
def mapping_unusable(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """``_invoke_error_mapping`` returns nothing, or something else than lists of errors.

    The SDK goes through it at every error, which then becomes an AttributeError or a TypeError.
    """
    for module, node in _mappings(code):
        values = [one.value for one in returned(node) if one.value is not None]
        raises = any(isinstance(one, ast.Raise) for one in body_nodes(node))
        if not values and not raises and not yields(node):
            yield module.problem("_invoke_error_mapping returns nothing", node)
        for value in values:
            if isinstance(value, ast.Dict):
                for errors in value.values:
                    if isinstance(errors, ast.Constant) or _is_class(code, module, errors):
                        yield module.problem("an entry of the mapping is no list", errors)


@rule("XI625", Severity.ADVICE, Stage.RUN_TIME, fix="Put the entry that catches Exception last.")
def mapping_hides_entries(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """An entry of the error mapping catches every error, so that none comes to those below it.

    Dify then shows a rate limit or a wrong key as something else. The SDK takes the first entry
    that fits.
    """
    for module, node in _mappings(code):
        for one in returned(node):
            entries = one.value.values if isinstance(one.value, ast.Dict) else []
            for errors in entries[:-1]:
                if isinstance(errors, ast.List | ast.Tuple) and any(
                    foreign(code, module, error) in _CATCHES_ALL for error in errors.elts
                ):
                    yield module.problem("this entry catches every error", errors)
                    break


@rule("XI626", Severity.BROKEN, Stage.RUN_TIME, fix="Raise CredentialsValidateFailedError.")
def validation_raises_other(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """Validation raises something else than ``CredentialsValidateFailedError``.

    Dify then does not tell the user that the credentials are wrong, but that the plugin failed.
    """
    for one in served(code):
        for name in _VALIDATES:
            found = method(code, one, name)
            for node in body_nodes(found[1]) if found else ():
                if found and isinstance(node, ast.Raise) and not _is_caught(found[0], node):
                    raised = _raised(code, found[0], node)
                    if raised:
                        yield found[0].problem(f"{name} raises {raised}", node)


@rule("XI627", Severity.BROKEN, Stage.RUN_TIME, fix="Call self._invoke.")
def nested_invoke(code: PluginCode, _: Subject) -> Iterator[Problem]:
    """``_invoke`` calls ``self.invoke``, which calls it: the SDK refuses to time a call twice."""
    for one in served(code):
        found = method(code, one, "_invoke")
        for node in body_nodes(found[1]) if found else ():
            if found and isinstance(node, ast.Call) and own_method(node.func) == "invoke":
                yield found[0].problem("_invoke calls self.invoke", node)


def _mappings(code: PluginCode) -> Iterator[tuple[Module, Function]]:
    """Yield each ``_invoke_error_mapping`` that the plugin writes as a function, once."""
    seen: set[ast.AST] = set()
    for one in served(code):
        found = _mapping(code, one)
        node = found.node if found is not None else None
        if found is not None and isinstance(node, FUNCTIONS) and node not in seen:
            seen.add(node)
            if "abstractmethod" not in _decorators(node):
                yield found.owner.module, node


def _mapping(code: PluginCode, one: Served) -> Method | None:
    found = find(code, one.lineage, "_invoke_error_mapping") if one.kind != "provider" else None
    return found if isinstance(found, Method) else None


def _decorators(node: Function) -> set[str]:
    return {getattr(one, "id", getattr(one, "attr", "?")) for one in node.decorator_list}


def _is_class(code: PluginCode, module: Module, node: ast.expr) -> bool:
    """Say whether an expression is one error, where a list of them belongs."""
    named = foreign(code, module, node)
    root, _dot, name = named.rpartition(".")
    kind = getattr(builtins, name, None) if root == "builtins" else None
    return isinstance(kind, type) or (root == "dify_plugin.errors.model" and name[:1].isupper())


def _raised(code: PluginCode, module: Module, node: ast.Raise) -> str | None:
    """Name the error that is raised, where it is certainly another than the right one."""
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    named = foreign(code, module, error) if error is not None else ""
    root, _dot, name = named.rpartition(".")
    kind = getattr(builtins, name, None) if root == "builtins" else None
    if isinstance(kind, type) and issubclass(kind, Exception):
        return None if kind is NotImplementedError else name
    return name if root.startswith("dify_plugin") and name.startswith("Invoke") else None


def _is_caught(module: Module, node: ast.AST) -> bool:
    """Say whether something around a statement may turn its error into another."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS):
            return bool(outer.decorator_list)
        if isinstance(outer, ast.With) or (
            isinstance(outer, ast.Try | ast.TryStar) and inner in outer.body and outer.handlers
        ):
            return True
        inner = outer
    return True


RULES = (
    signature_differs,
    asynchronous_method,
    mapping_is_no_property,
    mapping_unusable,
    mapping_hides_entries,
    validation_raises_other,
    nested_invoke,
)
