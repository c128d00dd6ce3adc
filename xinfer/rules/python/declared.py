"""Rules of credentials: what the form asks for, and what the code reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from attrs import frozen

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.names import Foreign, Own, OwnModule, bindings, meaning
from xinfer.rules.python.source import Module, is_tried
from xinfer.rules.python.spelling import did_you_mean
from xinfer.rules.python.tree import FUNCTIONS, ancestors, own_method
from xinfer.rules.rule import Problem, rule
from xinfer.schema import expressions
from xinfer.spec import FormField, Provider
from xinfer.spec.conditions import Setting
from xinfer.spec.credentials import fields

_CREDENTIALS = "credentials"
_SPEC = "provider_spec"
_GETTERS = {"get", "pop"}
_READ_BY_SDK = """
    api_key audio_type context_size currency endpoint_model_name endpoint_url extra_headers
    frequency_penalty function_calling_type input_price max_chunks max_tokens_to_sample mode
    output_price presence_penalty stream_function_calling stream_mode_auth stream_mode_delimiter
    temperature top_p unit validate_credentials_max_tokens video_support vision_support voices
    word_limit
"""
"""What the SDK's OpenAI-compatible classes read of the credentials."""
_FIX = "Declare the field, or correct the name."


@frozen
class Read:
    """A place where code takes a value by its name.

    :param demanded: it fails if the name is not there.
    :param has_default: it says what to take instead.
    """

    name: str
    node: ast.AST
    demanded: bool
    has_default: bool = False


@rule(
    "XI661",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: KeyError; sdk core/entities/plugin/request.py: credentials are what was stored",
    bad=("def later(credentials):\n    return «credentials['api_kye']»\n",),
    good=("def later(credentials):\n    return credentials['api_key']\n",),
    fix=_FIX,
)
def credential_not_declared(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """The code needs a credential that no form asks for: each request fails with a KeyError."""
    for module, read, fix in _undeclared(code, plugin):
        if read.demanded:
            message = f"no form asks for credentials[{read.name!r}]"
            yield module.problem(message, read.node, fix=fix)


@rule(
    "XI662",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk core/entities/plugin/request.py: credentials are what was stored",
    bad=(
        "def later(credentials):\n    return «credentials.get('region')»\n",
        "def later(credentials):\n    return «credentials.get('api_kye', '')»\n",
        "def later(credentials):\n    raise ValueError(«credentials['region']»)\n",
    ),
    good=("def later(credentials):\n    return credentials.get('region', 'eu')\n",),
    fix=_FIX,
)
def credential_never_given(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """The code looks for a credential that no form asks for; it is never there."""
    for module, read, fix in _undeclared(code, plugin):
        if not read.demanded and (fix or not read.has_default):
            yield module.problem(f"no form asks for {read.name!r}", read.node, fix=fix)


@rule(
    "XI663",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="the plugin's own Python",
    bad=(
        {
            "provider/acme.yaml": "provider_credential_schema:\n  credential_form_schemas:\n"
            "    - variable: api_key\n      type: secret-input\n      required: true\n"
            "      label:\n        en_US: API key\n        zh_Hans: API Key\n"
            "    - variable: «region»\n      type: text-input\n      required: false\n"
            "      label:\n        en_US: Region\n        zh_Hans: 区域\n",
            "models/llm/llm.py": "class AcmeModel(LargeLanguageModel):\n    ...\n\n"
            "    def _ask(self, model, credentials, text):\n"
            "        return requests.post(text, json={credentials['api_key']: 1}, timeout=60)\n",
        },
    ),
    good=("def later(credentials):\n    return credentials['api_key']\n",),
    fix="Read it, or leave the field out.",
)
def credential_never_read(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A form asks for a value that nothing in the plugin's code reads."""
    if not code.running or not code.is_whole or plugin.project.provider.extra is None:
        return
    if any(_escapes(code, module) for module in code.running):
        return
    words = {word for module in code.running for word in _words(module)}
    if any(str(cls).startswith("OAICompat") for each in served(code) for cls in each.lineage.order):
        words |= set(_READ_BY_SDK.split())
    conditions = {s.variable for field in _fields(plugin.project.provider) for s in field.show_on}
    for field in _fields(plugin.project.provider):
        if field.variable not in words | conditions:
            yield Problem(f"nothing reads {field.variable!r}", at="variable", of=field)


@rule(
    "XI665",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source="Python: AttributeError",
    bad=(
        {
            "provider_spec.py": "",
            "plugin/models/llm/llm.py": "from provider_spec import AcmeCredentials\n"
            "def later(account: AcmeCredentials):\n    return «account.endpoint_url»\n",
        },
        {
            "provider_spec.py": "",
            "plugin/models/llm/llm.py": "from provider_spec import AcmeCredentials\n"
            "def later(credentials):\n    account = AcmeCredentials.from_form(credentials)\n"
            "    return «account.api_kye».reveal()\n",
        },
    ),
    good=(
        {
            "provider_spec.py": "",
            "plugin/models/llm/llm.py": "from provider_spec import AcmeCredentials\n"
            "def later(account: AcmeCredentials):\n    return account.api_key.reveal()\n",
        },
    ),
    fix=_FIX,
)
def no_such_field(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """The code reads a field that the credentials class does not have: the request fails."""
    cls = plugin.project.credentials
    if cls is None:
        return
    names = {*dir(cls), *(field.name for field in fields(cls))}
    for module in code.running:
        for node in module.each(ast.Attribute):
            if node.attr not in names and is_instance(code, module, node.value, cls.__name__):
                message = f"{cls.__name__} has no field {node.attr}"
                fix = did_you_mean(node.attr, (name for name in names if name[0] != "_"))
                yield module.problem(message, node, fix=fix)


_REGION = """\
runtime = OpenAICompatible(base_url="https://acme.example/v1")

class AcmeCredentials(Credentials):
    api_key: Secret = secret_input(label=I18n("API key", zh_Hans="API Key"), sets=api_key)
    region: str = {}text_input(label=I18n("Region", zh_Hans="区域"){}){}
"""


@rule(
    "XI326",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="xinfer spec/credentials.py: sets, setting",
    bad=({"provider_spec.py": _REGION.format("«", "", "»")},),
    good=({"provider_spec.py": _REGION.format("", ', sets=header("X-Region")', "")},),
    fix='Declare what it sets (sets=…), read it with setting("…"), or leave it out.',
)
def idle_credential(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """Nothing reads a field of the credentials; what users enter there has no effect.

    A field sets a part of the requests, is read by ``setting()`` or by another field's
    ``show_on``, or is read by the plugin's own Python.
    """
    project = plugin.project
    if project.credentials is None or project.runtime is None:
        return
    read = {term.name for _, _, term in expressions(project) if isinstance(term, Setting)}
    for module in code.running:
        read |= {node.attr for node in module.each(ast.Attribute)}
        read |= {entry.name for entry in reads(module, _CREDENTIALS)}
    conditions = {
        condition.variable
        for field in fields(project.credentials)
        for form in field.forms
        for condition in form.show_on
    }
    for field in fields(project.credentials):
        if field.sets or field.asked_by_dify or field.form.variable in conditions:
            continue
        if field.name not in read:
            yield Problem(f"nothing reads {field.name}", of=field.form)


def _undeclared(code: PluginCode, plugin: Plugin) -> Iterator[tuple[Module, Read, str]]:
    """Yield what is read and in no form, once a module, and what may have been meant."""
    variables = {field.variable for field in _fields(plugin.project.provider)}
    if not variables:
        return
    available = variables | written(code)
    for module in code.running:
        seen: set[tuple[str, bool]] = set()
        for read in reads(module, _CREDENTIALS):
            kind = (read.name, read.demanded)
            if read.name not in available and not read.name.startswith("__") and kind not in seen:
                seen.add(kind)
                yield module, read, did_you_mean(read.name, variables)


def is_instance(code: PluginCode, module: Module, node: ast.expr, cls: str) -> bool:
    """Return whether an expression is certainly an object of a class of the plugin's spec."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="from_form")):
            return _is_class(code, module, owner, cls)
        case ast.Call(func=called):
            return _is_class(code, module, called, cls)
        case ast.Name():
            return _is_of_class(code, module, node, cls)
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            around = ancestors(module.parents, node)
            holder = next((outer for outer in around if isinstance(outer, ast.ClassDef)), None)
            return holder is not None and any(
                isinstance(statement, ast.AnnAssign)
                and getattr(statement.target, "id", "") == name
                and _is_class(code, module, statement.annotation, cls)
                for statement in holder.body
            )
    return False


def _is_of_class(code: PluginCode, module: Module, node: ast.Name, cls: str) -> bool:
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS) and (values := bindings(module, outer).get(node.id)):
            if len(values) != 1:
                return False
            (only,) = values
            if isinstance(only.node, ast.arg):
                annotation = only.node.annotation
                return annotation is not None and _is_class(code, module, annotation, cls)
            return isinstance(only.value, ast.Call) and is_instance(code, module, only.value, cls)
    return False


def _is_class(code: PluginCode, module: Module, node: ast.AST, cls: str) -> bool:
    value = meaning(code, module, node)
    return isinstance(value, Own) and value.node.name == cls and value.module.name == _SPEC


def _fields(provider: Provider) -> Iterator[FormField]:
    for schema in (provider.provider_credential_schema, provider.model_credential_schema):
        yield from schema.credential_form_schemas if schema is not None else ()


def reads(module: Module, name: str) -> Iterator[Read]:
    """Yield what is read of a parameter of that name, in functions that leave it as it came."""
    checked = _asked_for(module)
    for node in module.each(ast.Name):
        if node.id != name or not isinstance(node.ctx, ast.Load) or not _came_in(module, node):
            continue
        around = module.parents[node]
        if isinstance(around, ast.Subscript) and around.value is node:
            key = _text(around.slice)
            if isinstance(around.ctx, ast.Load) and key is not None:
                spared = is_tried(module, node) or _is_in_raise(module, node)
                yield Read(key, around, demanded=key not in checked and not spared)
        elif isinstance(around, ast.Attribute) and around.attr in _GETTERS:
            call = module.parents[around]
            if isinstance(call, ast.Call) and call.func is around and call.args:
                key = _text(call.args[0])
                if key is not None:
                    has_default = len(call.args) > 1 or bool(call.keywords)
                    yield Read(key, call, demanded=False, has_default=has_default)


def _text(node: ast.AST | None) -> str | None:
    value: Any = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None


def _is_in_raise(module: Module, node: ast.AST) -> bool:
    """Return whether an error here only takes the place of another."""
    return any(isinstance(outer, ast.Raise) for outer in ancestors(module.parents, node))


def _came_in(module: Module, node: ast.Name) -> bool:
    """Return whether a name is a function's parameter there, and nothing else."""
    for outer in ancestors(module.parents, node):
        if isinstance(outer, FUNCTIONS) and (bound := bindings(module, outer).get(node.id)):
            return all(isinstance(binding.node, ast.arg) for binding in bound)
    return False


def _asked_for(module: Module) -> set[str]:
    """Name what a module asks for by ``in`` before it takes it."""
    return {
        name
        for node in module.each(ast.Compare)
        if isinstance(node.ops[0], ast.In | ast.NotIn) and (name := _text(node.left)) is not None
    }


def written(code: PluginCode) -> set[str]:
    """Name all that the plugin itself may put into a dictionary."""
    names: set[str] = set()
    for module in code.running:
        for node in module.nodes:
            keys: list[ast.expr | None] = []
            if isinstance(node, ast.Dict):
                keys = node.keys
            elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
                keys = [node.slice]
            elif isinstance(node, ast.Call):
                names.update(keyword.arg for keyword in node.keywords if keyword.arg)
                if getattr(node.func, "attr", "") == "setdefault":
                    keys = [*node.args[:1]]
            names.update(name for key in keys if (name := _text(key)) is not None)
    return names


def _words(module: Module) -> Iterator[str]:
    """Yield every text and every name in a module."""
    for node in module.nodes:
        for name in ("id", "attr", "arg", "name", "value"):
            if isinstance(word := getattr(node, name, None), str):
                yield word


def _escapes(code: PluginCode, module: Module) -> bool:
    """Return whether credentials go as a whole to where it cannot be seen what is read of them."""
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
    """Return whether what is called is the plugin's own, or the SDK's."""
    if own_method(called):
        return True
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Call):
        return getattr(called.value.func, "id", "") == "super"
    target = meaning(code, module, called)
    if isinstance(target, Foreign):
        return target.name.startswith(("dify_plugin.", "builtins.isinstance", "builtins.len"))
    return target is not None and not isinstance(target, OwnModule)


RULES = (
    credential_not_declared,
    credential_never_given,
    credential_never_read,
    no_such_field,
    idle_credential,
)
