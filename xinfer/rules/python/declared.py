"""Rules of names that the YAML declares and the code reads: credentials and parameters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import Foreign, OwnModule, bindings, meaning
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.tree import FUNCTIONS, ancestors, own_method
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.schema import expressions
from xinfer.spec import ConfigurateMethod, FormField, ModelType, Provider, Setting, fields

_CREDENTIALS, _PARAMETERS = "credentials", "model_parameters"
_GETTERS = {"get", "pop"}
_READ_BY_SDK = """
    api_key audio_type context_size currency endpoint_model_name endpoint_url extra_headers
    frequency_penalty function_calling_type input_price max_chunks max_tokens_to_sample mode
    output_price presence_penalty stream_function_calling stream_mode_auth stream_mode_delimiter
    temperature top_p unit validate_credentials_max_tokens video_support vision_support voices
    word_limit
"""
"""What the SDK's OpenAI-compatible classes read of the credentials."""


@frozen
class Read:
    """A place where code takes a value by its name.

    :param demanded: it fails where the name is not there.
    """

    name: str
    node: ast.AST
    demanded: bool


@rule("XI661", Severity.BROKEN, Stage.RUN_TIME, fix="Declare the field, or correct the name.")
def credential_not_declared(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """The code needs a credential that no form asks for: each request fails with a KeyError."""
    for module, read in _undeclared(code, subject):
        if read.demanded:
            yield module.problem(f"credentials[{read.name!r}] is in no form", read.node)


@rule("XI662", Severity.ADVICE, Stage.RUN_TIME, fix="Declare the field, or correct the name.")
def credential_never_given(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """The code looks for a credential that no form asks for; it is never there."""
    for module, read in _undeclared(code, subject):
        if not read.demanded:
            yield module.problem(f"{read.name!r} is in no form", read.node)


@rule("XI663", Severity.ADVICE, Stage.RUN_TIME, fix="Read it, or leave the field out.")
def credential_never_read(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """A form asks for a value that nothing in the plugin's code reads."""
    if not code.running or not code.is_whole:
        return
    if any(_escapes(code, module) for module in code.running):
        return
    words = {word for module in code.running for word in _words(module)}
    if any(str(one).startswith("OAICompat") for each in served(code) for one in each.lineage.order):
        words |= set(_READ_BY_SDK.split())
    used = {show.variable for field in _fields(subject.project.provider) for show in field.show_on}
    for field in _fields(subject.project.provider):
        if field.variable not in words | used:
            yield Problem(f"nothing reads {field.variable!r}", of=field)


@rule("XI664", Severity.ADVICE, Stage.RUN_TIME, fix="Declare it in the models' parameter_rules.")
def parameter_not_declared(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """The code looks for a parameter that no model declares; the SDK drops what is not declared."""
    project = subject.project
    rules = {
        name
        for model in project.models
        if model.model_type is ModelType.LLM
        for declared in model.parameter_rules
        for name in (declared.name, declared.use_template)
    }
    # What users add may have parameters that only the code knows.
    custom = ConfigurateMethod.CUSTOMIZABLE_MODEL in project.provider.configurate_methods
    if not rules or custom or _has(code, "get_customizable_model_schema", "get_model_schema"):
        return
    written = _written(code)
    for module in code.running:
        for read in _reads(module, _PARAMETERS):
            if read.name not in rules | written:
                yield module.problem(f"no model declares the parameter {read.name!r}", read.node)


@rule(
    "XI326",
    Severity.ADVICE,
    Stage.RUN_TIME,
    fix='Declare what it sets (sets=…), read it with setting("…"), or leave it out.',
)
def idle_credential(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """Nothing reads a field of the credentials; what users enter there has no effect.

    A field sets a part of the requests, is read by ``setting()`` or by another field's
    ``show_on``, or is an attribute that the plugin's own Python reads.
    """
    project = subject.project
    if project.credentials is None or project.runtime is None:
        return
    read = {term.name for _, _, term in expressions(project) if isinstance(term, Setting)}
    read |= {node.attr for module in code.running for node in module.each(ast.Attribute)}
    conditions = {
        one.variable
        for field in fields(project.credentials)
        for form in field.forms
        for one in form.show_on
    }
    for field in fields(project.credentials):
        if field.sets or field.asked_by_dify or field.form.variable in conditions:
            continue
        if field.name not in read:
            yield Problem(f"nothing reads {field.name}", of=field.form)


def _undeclared(code: PluginCode, subject: Subject) -> Iterator[tuple[Module, Read]]:
    known = {field.variable for field in _fields(subject.project.provider)}
    if not known:
        return
    known |= _written(code)
    for module in code.running:
        said: set[tuple[str, bool]] = set()
        for read in _reads(module, _CREDENTIALS):
            once = (read.name, read.demanded)
            if read.name not in known and not read.name.startswith("__") and once not in said:
                said.add(once)
                yield module, read


def _fields(provider: Provider) -> Iterator[FormField]:
    for schema in (provider.provider_credential_schema, provider.model_credential_schema):
        yield from schema.credential_form_schemas if schema is not None else ()


def _reads(module: Module, name: str) -> Iterator[Read]:
    """Yield what is read of a parameter of that name, in functions that leave it as it came."""
    checked = _asked_for(module)
    for node in module.each(ast.Name):
        if node.id != name or not isinstance(node.ctx, ast.Load) or not _came_in(module, node):
            continue
        around = module.parents[node]
        if isinstance(around, ast.Subscript) and around.value is node:
            key = _text(around.slice)
            if isinstance(around.ctx, ast.Load) and key is not None:
                demanded = key not in checked and not is_tried(module, node)
                yield Read(key, around, demanded)
        elif isinstance(around, ast.Attribute) and around.attr in _GETTERS:
            call = module.parents[around]
            if isinstance(call, ast.Call) and call.func is around and call.args:
                key = _text(call.args[0])
                if key is not None:
                    yield Read(key, call, demanded=False)


def _text(node: ast.AST | None) -> str | None:
    said: Any = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return said if isinstance(said, str) else None


def _came_in(module: Module, node: ast.Name) -> bool:
    """Say whether a name is a function's parameter there, and nothing else."""
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS) and (found := bindings(module, outer).get(node.id)):
            return all(isinstance(one.node, ast.arg) for one in found)
    return False


def _asked_for(module: Module) -> set[str]:
    """Name what a module asks for by ``in`` before it takes it."""
    return {
        said
        for node in module.each(ast.Compare)
        if isinstance(node.ops[0], ast.In | ast.NotIn) and (said := _text(node.left)) is not None
    }


def _written(code: PluginCode) -> set[str]:
    """Name all that the plugin itself may put into a dictionary."""
    found: set[str] = set()
    for module in code.running:
        for node in module.nodes:
            keys: list[ast.expr | None] = []
            if isinstance(node, ast.Dict):
                keys = node.keys
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                keys = [node.slice]
            elif isinstance(node, ast.Call):
                found.update(one.arg for one in node.keywords if one.arg)
                if getattr(node.func, "attr", "") == "setdefault":
                    keys = [*node.args[:1]]
            found.update(said for key in keys if (said := _text(key)) is not None)
    return found


def _words(module: Module) -> Iterator[str]:
    """Yield every text and every name in a module."""
    for node in module.nodes:
        for name in ("id", "attr", "arg", "name", "value"):
            if isinstance(word := getattr(node, name, None), str):
                yield word


def _escapes(code: PluginCode, module: Module) -> bool:
    """Say whether credentials go as a whole to where it cannot be seen what is read of them."""
    for node in module.each(ast.Name):
        if "cred" not in node.id.lower() or not isinstance(node.ctx, ast.Load):
            continue
        around = module.parents[node]
        if isinstance(around, ast.keyword):
            around = module.parents[around]
        if isinstance(around, ast.Subscript) and _text(around.slice) is not None:
            continue
        if isinstance(
            around, ast.Compare | ast.Raise | ast.BoolOp | ast.UnaryOp | ast.ExceptHandler
        ):
            continue
        if isinstance(around, ast.Attribute) and around.attr in _GETTERS:
            call = module.parents[around]
            if isinstance(call, ast.Call) and call.args and _text(call.args[0]) is not None:
                continue
        if isinstance(around, ast.Call) and _stays(code, module, around.func):
            continue
        return True
    return False


def _stays(code: PluginCode, module: Module, called: ast.expr) -> bool:
    """Say whether what is called is the plugin's own, or the SDK's."""
    if own_method(called):
        return True
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Call):
        return getattr(called.value.func, "id", "") == "super"
    found = meaning(code, module, called)
    if isinstance(found, Foreign):
        return found.name.startswith(("dify_plugin.", "builtins.isinstance", "builtins.len"))
    return found is not None and not isinstance(found, OwnModule)


def _has(code: PluginCode, *names: str) -> bool:
    return any(
        node.name in names for module in code.running for node in module.each(ast.FunctionDef)
    )


RULES = (
    credential_not_declared,
    credential_never_given,
    credential_never_read,
    parameter_not_declared,
    idle_credential,
)
