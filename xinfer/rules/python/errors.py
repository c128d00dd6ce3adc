"""Rules of errors: how those of a request are mapped, and what validation raises."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Method, Served, find, method, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.examples import MODEL
from xinfer.rules.python.names import foreign
from xinfer.rules.python.source import Module
from xinfer.rules.python.tree import (
    FUNCTIONS,
    Function,
    ancestors,
    body_nodes,
    returned,
    yields,
)
from xinfer.rules.rule import Problem, rule
from xinfer.spec import ConfigurateMethod

_KNOWN_DECORATORS = {"abstractmethod", "override", "staticmethod", "classmethod"}
_CATCHES_ALL = {"builtins.Exception", "builtins.BaseException"}
_LOG_METHODS = {"debug", "info", "warning", "error", "exception", "log"}
_TRANSFORM = "sdk interfaces/model/ai_model.py: AIModel._transform_invoke_error"
_COMPATIBLE = "OAICompatProvider"
_PROVIDER = "provider/acme.py"
_MAPPING = f"{MODEL}    @property\n    def _invoke_error_mapping(self):\n"
_MARKED = f"{MODEL}    @property\n    def «_invoke_error_mapping»(self):\n"
_VALIDATE = (
    "class AcmeProvider(ModelProvider):\n    ...\n\n"
    "    def validate_provider_credentials(self, credentials):\n"
)
_ACCEPTS = _VALIDATE.replace("validate_provider_credentials", "«validate_provider_credentials»")


@rule(
    "XI623",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_TRANSFORM,
    bad=(f"{MODEL}    def «_invoke_error_mapping»(self):\n        return {{}}\n",),
    good=(f"{_MAPPING}        return {{InvokeBadRequestError: [ValueError]}}\n",),
    fix="Put @property above it.",
)
def mapping_is_no_property(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """``_invoke_error_mapping`` is a method where the SDK reads a property.

    Every error becomes an AttributeError, which does not tell users what went wrong.
    """
    for module, node in _mappings(code):
        if not _decorators(node) - _KNOWN_DECORATORS:
            yield module.problem("_invoke_error_mapping is not a property", node)


@rule(
    "XI624",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_TRANSFORM,
    bad=(
        f"{_MARKED}        print_nothing = {{}}\n",
        f"{_MAPPING}        return {{InvokeBadRequestError: «ValueError»}}\n",
    ),
    good=(f"{_MAPPING}        return {{InvokeBadRequestError: [ValueError]}}\n",),
    fix="Return a dict with a list of exceptions for each error.",
)
def mapping_unusable(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """``_invoke_error_mapping`` returns nothing, or something other than lists of exceptions.

    The SDK goes through it at every error, which becomes an AttributeError or a TypeError.
    """
    for module, node in _mappings(code):
        values = [each.value for each in returned(node) if each.value is not None]
        raises = any(isinstance(each, ast.Raise) for each in body_nodes(node))
        if not values and not raises and not yields(node):
            yield module.problem("_invoke_error_mapping returns nothing", node)
        for value in values:
            for errors in value.values if isinstance(value, ast.Dict) else ():
                if isinstance(errors, ast.Constant) or _is_class(code, module, errors):
                    yield module.problem("this value of the mapping is not a list", errors)
                    break


@rule(
    "XI625",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_TRANSFORM,
    bad=(
        f"{_MAPPING}        return {{\n"
        "            InvokeBadRequestError: «[Exception]»,\n"
        "            InvokeConnectionError: [requests.ConnectionError],\n        }\n",
    ),
    good=(
        f"{_MAPPING}        return {{\n"
        "            InvokeConnectionError: [requests.ConnectionError],\n"
        "            InvokeBadRequestError: [Exception],\n        }\n",
    ),
    fix="Put the entry that catches Exception last.",
)
def mapping_hides_entries(code: PluginCode, _: Plugin) -> Iterator[Problem]:
    """An entry of the error mapping catches every error, so that those below it never apply.

    Dify shows a rate limit or a wrong key as something else. The SDK takes the first entry that
    fits.
    """
    for module, node in _mappings(code):
        for each in returned(node):
            entries = each.value.values if isinstance(each.value, ast.Dict) else []
            for errors in entries[:-1]:
                if isinstance(errors, ast.List | ast.Tuple) and any(
                    foreign(code, module, error) in _CATCHES_ALL for error in errors.elts
                ):
                    yield module.problem("this entry catches every error", errors)
                    break


@rule(
    "XI626",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="dify api/core/plugin/impl/base.py: BasePluginClient._handle_plugin_daemon_error",
    bad=({_PROVIDER: f"{_VALIDATE}        «raise ValueError(credentials['api_key'])»\n"},),
    good=(
        {
            _PROVIDER: f"{_VALIDATE}"
            "        raise CredentialsValidateFailedError(credentials['api_key'])\n"
        },
    ),
    fix="Raise CredentialsValidateFailedError.",
)
def validation_raises_other(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """Validation raises something other than ``CredentialsValidateFailedError``.

    Dify shows that the plugin failed, and the message inside of JSON, instead of the message.
    """
    for each, name in _validations(code, plugin):
        validation = method(code, each, name)
        for node in body_nodes(validation[1]) if validation else ():
            if validation and isinstance(node, ast.Raise) and not _is_caught(validation[0], node):
                raised = _raised(code, validation[0], node)
                if raised:
                    yield validation[0].problem(f"{name} raises {raised}", node)


@rule(
    "XI675",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="sdk core/plugin_executor.py: PluginExecutor.validate_model_provider_credentials",
    bad=({_PROVIDER: f"{_ACCEPTS}        pass\n"},),
    good=(
        {
            _PROVIDER: f"{_VALIDATE}        model = self.get_model_instance('llm')\n"
            "        model.validate_credentials('acme-1', credentials)\n"
        },
    ),
    fix="Ask the server for something that needs the credentials, such as its list of models.",
)
def accepts_everything(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """Validation of the provider's credentials does nothing, so that every key is accepted.

    Dify shows the provider as set up, and each request fails.
    """
    form = plugin.project.provider.provider_credential_schema
    if form is None or not form.credential_form_schemas:
        return
    for each, name in _validations(code, plugin):
        if each.kind == "provider":
            validation = find(code, each.lineage, name)
            if isinstance(validation, Method) and isinstance(validation.node, FUNCTIONS):
                if not validation.node.decorator_list and not any(
                    _acts(s) for s in validation.node.body
                ):
                    yield validation.owner.module.problem(
                        f"{name} accepts everything", validation.node
                    )
            elif validation == _COMPATIBLE:
                message = f"{name} of {validation} accepts everything"
                yield each.own.module.problem(message, each.own.node)


def _validations(code: PluginCode, plugin: Plugin) -> Iterator[tuple[Served, str]]:
    """Yield the methods that validate what users enter, if anything calls them."""
    methods = plugin.project.provider.configurate_methods
    by_sdk = {
        "validate_provider_credentials": ConfigurateMethod.PREDEFINED_MODEL in methods,
        "validate_credentials": ConfigurateMethod.CUSTOMIZABLE_MODEL in methods,
    }
    for each in served(code):
        for name, is_called in by_sdk.items():
            if is_called or (name == "validate_credentials" and _is_asked_for(code, name)):
                yield each, name


def _is_asked_for(code: PluginCode, name: str) -> bool:
    return any(
        isinstance(node.func, ast.Attribute) and node.func.attr == name
        for module in code.running
        for node in module.each(ast.Call)
    )


def _acts(statement: ast.stmt) -> bool:
    """Return whether a statement may find out something: it does more than log or pass."""
    match statement:
        case ast.Pass() | ast.Return(value=None | ast.Constant()):
            return False
        case ast.Expr(value=ast.Constant()):
            return False
        case ast.Expr(value=ast.Call(func=called)):
            name = getattr(called, "id", getattr(called, "attr", ""))
            return not (name in _LOG_METHODS or name == "print")
        case ast.Try(body=body, orelse=orelse, finalbody=finalbody):
            return any(_acts(inner) for inner in (*body, *orelse, *finalbody))
    return True


def _mappings(code: PluginCode) -> Iterator[tuple[Module, Function]]:
    """Yield each ``_invoke_error_mapping`` that the plugin writes as a function, once."""
    seen: set[ast.AST] = set()
    for each in served(code):
        mapping = _mapping(code, each)
        node = mapping.node if mapping is not None else None
        if mapping is not None and isinstance(node, FUNCTIONS) and node not in seen:
            seen.add(node)
            if "abstractmethod" not in _decorators(node):
                yield mapping.owner.module, node


def _mapping(code: PluginCode, each: Served) -> Method | None:
    is_model = each.kind != "provider"
    attribute = find(code, each.lineage, "_invoke_error_mapping") if is_model else None
    return attribute if isinstance(attribute, Method) else None


def _decorators(node: Function) -> set[str]:
    return {getattr(each, "id", getattr(each, "attr", "?")) for each in node.decorator_list}


def _is_class(code: PluginCode, module: Module, node: ast.expr) -> bool:
    """Return whether an expression is one exception, where a list of them belongs."""
    root, _dot, name = foreign(code, module, node).rpartition(".")
    kind = getattr(builtins, name, None) if root == "builtins" else None
    return isinstance(kind, type) or (root == "dify_plugin.errors.model" and name[:1].isupper())


def _raised(code: PluginCode, module: Module, node: ast.Raise) -> str | None:
    """Name the exception that is raised, if it is certainly not the right one."""
    error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    dotted = foreign(code, module, error) if error is not None else ""
    root, _dot, name = dotted.rpartition(".")
    kind = getattr(builtins, name, None) if root == "builtins" else None
    if isinstance(kind, type) and issubclass(kind, Exception):
        return None if kind is NotImplementedError else name
    return name if root.startswith("dify_plugin") and name.startswith("Invoke") else None


def _is_caught(module: Module, node: ast.AST) -> bool:
    """Return whether something around a statement may turn its error into another."""
    inner = node
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS):
            return bool(outer.decorator_list)
        if isinstance(outer, ast.With) or (
            isinstance(outer, ast.Try | ast.TryStar)
            and module.blocks.get(inner) == "body"
            and outer.handlers
        ):
            return True
        inner = outer
    return True


RULES = (
    mapping_is_no_property,
    mapping_unusable,
    mapping_hides_entries,
    validation_raises_other,
    accepts_everything,
)
