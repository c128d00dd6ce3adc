"""Small valid plugins, and the examples of rules laid over them.

:func:`lay` takes an example of a rule and writes the plugin that it stands for. A fragment of
YAML replaces the keys that it has, at any depth; one of Python replaces the functions, classes,
methods and assignments of the same name and adds the others. Any other text replaces the file.

``provider_spec.py`` makes the plugin a spec, whose own files are under ``plugin/``. A name that
ends in ``/``, begins with ``./`` or holds a backslash, and several texts for one name, make it a
``.difypkg`` with these entries. Names that begin with ``before:`` are of the previous version;
«» before a name marks the file as a whole.
"""

from __future__ import annotations

import ast
import re
import zipfile

from attrs import frozen

from xinfer.rules.rule import Link
from xinfer.spec import (
    CustomizableModel,
    FormField,
    Manifest,
    Meta,
    Model,
    ModelProperties,
    Option,
    ParameterRule,
    Permission,
    Pricing,
    Resource,
    Runner,
    ShowOn,
    StoragePermission,
    Voice,
)

MANIFEST, PROVIDER, MODEL = "manifest.yaml", "provider/acme.yaml", "models/llm/acme-1.yaml"
PYTHON, SPEC, PYPROJECT = "models/llm/llm.py", "provider_spec.py", "pyproject.toml"

YAML = {
    MANIFEST: """\
version: 0.1.0
type: plugin
author: acme
name: acme
label:
  en_US: Acme
  zh_Hans: Acme
description:
  en_US: Models of Acme.
  zh_Hans: Acme 的模型。
icon: icon.svg
resource:
  memory: 268435456
plugins:
  models:
    - provider/acme.yaml
meta:
  version: 0.0.1
  minimum_dify_version: 1.0.0
  arch:
    - amd64
    - arm64
  runner:
    language: python
    version: '3.12'
    entrypoint: main
tags:
  - utilities
created_at: 2026-01-31T00:00:00Z
privacy: PRIVACY.md
repo: https://example.com/acme/dify
contact: acme@example.com
""",
    PROVIDER: """\
provider: acme
label:
  en_US: Acme
  zh_Hans: Acme
icon_small:
  en_US: icon.svg
supported_model_types:
  - llm
  - moderation
configurate_methods:
  - predefined-model
provider_credential_schema:
  credential_form_schemas:
    - variable: api_key
      type: secret-input
      label:
        en_US: API key
        zh_Hans: API Key
      required: true
models:
  llm:
    predefined:
      - models/llm/*.yaml
    position: models/llm/_position.yaml
  moderation:
    predefined:
      - models/moderation/*.yaml
extra:
  python:
    provider_source: provider/acme.py
    model_sources:
      - models/llm/llm.py
      - models/moderation/moderation.py
""",
    MODEL: """\
model: acme-1
label:
  en_US: Acme 1
model_type: llm
features:
  - tool-call
model_properties:
  mode: chat
  context_size: 8192
parameter_rules:
  - name: temperature
    use_template: temperature
    max: 2
pricing:
  input: '0.50'
  output: '1.50'
  unit: '0.000001'
  currency: USD
""",
    "models/llm/_position.yaml": "- acme-1\n",
    "models/moderation/guard.yaml": """\
model: guard
model_type: moderation
model_properties: {}
""",
    "main.py": """\
from dify_plugin import DifyPluginEnv, Plugin

plugin = Plugin(DifyPluginEnv(MAX_REQUEST_TIMEOUT=120))

if __name__ == "__main__":
    plugin.run()
""",
    "provider/acme.py": """\
import requests
from dify_plugin import ModelProvider
from dify_plugin.errors.model import CredentialsValidateFailedError


class AcmeProvider(ModelProvider):
    def validate_provider_credentials(self, credentials: dict) -> None:
        headers = {"Authorization": f"Bearer {credentials['api_key']}"}
        try:
            requests.get("https://example.com/models", headers=headers, timeout=10)
        except requests.RequestException as error:
            raise CredentialsValidateFailedError(str(error)) from error
""",
    PYTHON: """\
import requests
from dify_plugin import LargeLanguageModel
from dify_plugin.entities.model.llm import LLMResult
from dify_plugin.entities.model.message import AssistantPromptMessage
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
)


class AcmeModel(LargeLanguageModel):
    def validate_credentials(self, model: str, credentials: dict) -> None:
        try:
            self._ask(model, credentials, "ping").raise_for_status()
        except requests.RequestException as error:
            raise CredentialsValidateFailedError(str(error)) from error

    def _ask(self, model: str, credentials: dict, text: str):
        headers = {"Authorization": f"Bearer {credentials['api_key']}"}
        body = {"model": model, "input": text, "options": credentials}
        return requests.post("https://example.com/chat", json=body, headers=headers, timeout=60)

    def _invoke(
        self, model, credentials, prompt_messages, model_parameters, tools=None, stop=None,
        stream=True, user=None,
    ):
        response = self._ask(model, credentials, str(prompt_messages))
        message = AssistantPromptMessage(content=response.text)
        usage = self._calc_response_usage(model, credentials, 1, 1)
        return LLMResult(model=model, message=message, usage=usage)

    def get_num_tokens(self, model, credentials, prompt_messages, tools=None) -> int:
        return len(str(prompt_messages)) // 4

    def get_customizable_model_schema(self, model: str, credentials: dict):
        return self.model_schemas[0]

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return {
            InvokeConnectionError: [requests.ConnectionError],
            InvokeAuthorizationError: [],
            InvokeBadRequestError: [ValueError],
        }
""",
    "models/moderation/moderation.py": """\
import requests
from dify_plugin import ModerationModel
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
)


class AcmeModeration(ModerationModel):
    def validate_credentials(self, model: str, credentials: dict) -> None:
        try:
            self._ask(credentials, "ping").raise_for_status()
        except requests.RequestException as error:
            raise CredentialsValidateFailedError(str(error)) from error

    def _ask(self, credentials: dict, text: str):
        headers = {"Authorization": f"Bearer {credentials['api_key']}"}
        body = {"input": text}
        return requests.post("https://example.com/guard", json=body, headers=headers, timeout=60)

    def _invoke(self, model, credentials, text, user=None) -> bool:
        return self._ask(credentials, text).text == "flagged"

    def get_customizable_model_schema(self, model: str, credentials: dict):
        return self.model_schemas[0]

    @property
    def _invoke_error_mapping(self) -> dict[type[InvokeError], list[type[Exception]]]:
        return {
            InvokeConnectionError: [requests.ConnectionError],
            InvokeAuthorizationError: [],
            InvokeBadRequestError: [ValueError],
        }
""",
    "_assets/icon.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>\n",
    "README.md": "# Acme\n\nModels of Acme: https://example.com/acme/dify\n",
    "PRIVACY.md": "Prompts go to Acme's server and are not kept.\n",
    PYPROJECT: """\
[project]
name = "acme"
version = "0.1.0"
requires-python = ">=3.12"
dependencies = ["dify_plugin>=0.9.0", "requests>=2.32"]

[dependency-groups]
dev = []
""",
}
"""A plugin without findings, file by file."""

SPECIFIED = (
    """\
from datetime import UTC, datetime
from decimal import Decimal

from xinfer.spec import *
""",
    """\
manifest = Manifest(
    author="acme",
    name="acme",
    version="0.1.0",
    created_at=datetime(2026, 1, 31, tzinfo=UTC),
    icon="icon.svg",
    label=I18n("Acme", zh_Hans="Acme"),
    description=I18n("Models of Acme.", zh_Hans="Acme 的模型。"),
    privacy="PRIVACY.md",
    repo="https://example.com/acme/dify",
    contact="acme@example.com",
)


class AcmeCredentials(Credentials):
    api_key: Secret = secret_input(label=I18n("API key", zh_Hans="API Key"), sets=api_key)


credentials = AcmeCredentials
models = (
    Model(
        model="acme-1",
        model_type=ModelType.LLM,
        model_properties=ModelProperties(mode="chat", context_size=8192),
    ),
    Model(
        model="guard", model_type=ModelType.MODERATION, model_properties=ModelProperties()
    ),
)
customizable_models = ()
runtime = None
requirements = ("dify_plugin>=0.9.0", "requests>=2.32")
ignore = ()
""",
    """\
project = Project(
    manifest=manifest,
    provider=Provider(
        provider="acme",
        label=I18n("Acme", zh_Hans="Acme"),
        icon_small=I18n("icon.svg"),
        extra=ProviderExtra(
            python=PythonSources(
                provider_source="provider/acme.py",
                model_sources=("models/llm/llm.py", "models/moderation/moderation.py"),
            )
        ),
    ),
    credentials=credentials,
    models=models,
    customizable_models=customizable_models,
    runtime=runtime,
    requirements=requirements,
    ignore=ignore,
)
""",
)
"""The same as a spec: what it imports, what an example may replace, and what uses both."""

_OWN = {
    MANIFEST: (Manifest, Meta, Runner, Resource, Permission, StoragePermission),
    MODEL: (Model, ModelProperties, ParameterRule, Pricing, Voice),
    SPEC: (CustomizableModel,),
    PROVIDER: (FormField, Option, ShowOn),
}
_MARKS = re.compile("[«»]")


@frozen
class Mark:
    """The characters that a finding should point at; lines and columns count from 1."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


def own_file(rule):
    """Name the file that a text alone is laid over."""
    for path, kinds in _OWN.items():
        if rule.on[0] in kinds:
            return path
    return {"PluginCode": PYTHON, "Project": PYPROJECT, "Plugin": MODEL, "Review": MANIFEST}.get(
        rule.on[0].__name__, PROVIDER
    )


_BESIDE = ("before:", "published:")


def lay(rule, example, folder):
    """Write the plugin of an example into a folder.

    Returns the path to check, that of the previous version if the example has one, and the marks.
    A list of published versions lies beside the plugin.
    """
    example = {own_file(rule): example} if isinstance(example, str) else example
    old = {path[7:]: text for path, text in example.items() if path.startswith("before:")}
    new = {path: text for path, text in example.items() if not path.startswith(_BESIDE)}
    for path, text in example.items():
        if path.startswith("published:"):
            (folder / path.removeprefix("published:")).write_text(text)
    before = _write(folder / "before", old)[0] if old else None
    path, marks = _write(folder / "acme", new)
    return path, before, marks


def _write(folder, example):
    is_spec = SPEC in example
    base = {} if is_spec else dict(YAML)
    if is_spec:
        base |= {
            f"plugin/{path}": text
            for path, text in YAML.items()
            if not path.endswith((".yaml", ".toml"))
        }
    marks = []
    for path, text in example.items():
        if path.startswith("«»"):
            path = path[2:]
            marks.append(Mark(path, 1, 1, 1, 1))
        if text is None:
            base.pop(path, None)
        elif isinstance(text, int | tuple | Link):
            base[path] = text
        else:
            laid = _over(path, base.get(path), text)
            marks += _marks(path, laid)
            base[path] = _MARKS.sub("", laid)
    if any(
        p.endswith("/") or (p[0] == "." and p[1] == "/") or "\\" in p or isinstance(t, tuple)
        for p, t in base.items()
    ):
        return _pack(folder.with_suffix(".difypkg"), base), marks
    for path, text in base.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, Link):
            (folder / path).symlink_to(text)
        elif isinstance(text, int):
            with (folder / path).open("wb") as file:
                file.truncate(text)
        else:
            (folder / path).write_bytes(text.encode("utf-8", "surrogateescape"))
    return folder / SPEC if is_spec else folder, marks


def _pack(path, base):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as package:
        for name, text in base.items():
            for content in text if isinstance(text, tuple) else (text,):
                package.writestr(name, content)
    return path


def _over(path, base, text):
    if path == SPEC:
        before, middle, after = SPECIFIED
        return f"{before}\n{_python_over(middle, text)}\n{after}"
    if base is not None and path.endswith(".yaml") and not path.endswith("_position.yaml"):
        return _yaml_over(base, text)
    if base is not None and path.endswith(".py"):
        return _python_over(base, text)
    return text


def _marks(path, text):
    """Find where the marks are in the text without them."""
    places = []
    line, column = 1, 1
    for character in text:
        if character in "«»":
            places.append((line, column))
        elif character == "\n":
            line, column = line + 1, 1
        else:
            column += 1
    assert len(places) % 2 == 0, f"a mark of {path} has no other end"
    return [Mark(path, *start, *end) for start, end in zip(places[::2], places[1::2], strict=True)]


# YAML, by its lines ------------------------------------------------------------------------------


def _yaml_over(base, text, indent=0):
    """Replace the keys that the text has; what is a mapping on both sides, key by key."""
    blocks, laid = _blocks(base, indent), _blocks(text, indent)
    if None in laid:
        return text
    for key, block in laid.items():
        if key in blocks and _is_mapping(block, indent) and _is_mapping(blocks[key], indent):
            inner = _yaml_over(_below(blocks[key]), _below(block), indent + 2)
            blocks[key] = block.partition("\n")[0] + "\n" + inner
        else:
            blocks[key] = block
    return "".join(blocks.values())


def _blocks(text, indent):
    """Split a text into its keys' blocks; a text that is no mapping has the key ``None``."""
    blocks = {}
    key = None
    for line in text.splitlines(keepends=True):
        line = line if line.endswith("\n") else f"{line}\n"
        found = re.match(rf" {{{indent}}}([\w\"'-]+):(\s|$)", _MARKS.sub("", line))
        if found and not line.lstrip("« ").startswith("- "):
            key = found[1]
            if key in blocks:  # the example says it twice
                key = f"{key} again"
            blocks[key] = ""
        blocks[key] = blocks.get(key, "") + line
    return blocks


def _is_mapping(block, indent):
    head, _, below = block.partition("\n")
    first = _MARKS.sub("", below)
    return (
        head.rstrip().endswith(":")
        and first.startswith(" " * (indent + 2))
        and first[indent + 2] not in "- "
    )


def _below(block):
    return block.partition("\n")[2]


# Python, by its syntax ---------------------------------------------------------------------------


def _python_over(base, text):
    """Replace definitions of the same name, methods of the same class one by one; add the rest."""
    clean = _MARKS.sub("", text)
    try:
        tree, own = ast.parse(clean), ast.parse(base)
    except SyntaxError:
        return text
    lines, laid = base.splitlines(keepends=True), text.splitlines(keepends=True)
    if laid and not laid[-1].endswith("\n"):
        laid[-1] += "\n"
    known = {name: node for node in own.body for name in _names(node)}
    edits, added, first = [], [], []
    for node in tree.body:
        chunk = laid[_start(node) - 1 : node.end_lineno]
        same = next((known[name] for name in _names(node) if name in known), None)
        if isinstance(node, ast.Import | ast.ImportFrom):
            first += chunk
        elif same is None:
            added += ["\n", *chunk]
        elif (
            isinstance(node, ast.ClassDef) and isinstance(same, ast.ClassDef) and _is_partial(node)
        ):
            methods = {name: inner for inner in same.body for name in _names(inner)}
            for inner in node.body[1:]:
                old = next((methods[name] for name in _names(inner) if name in methods), None)
                piece = laid[_start(inner) - 1 : inner.end_lineno]
                if old is None:
                    edits.append((same.end_lineno, same.end_lineno, ["\n", *piece]))
                else:
                    edits.append((_start(old) - 1, old.end_lineno, piece))
        else:
            edits.append((_start(same) - 1, same.end_lineno, chunk))
    for start, end, chunk in sorted(edits, key=lambda edit: edit[:2], reverse=True):
        lines[start:end] = chunk
    return "".join([*first, *lines, *added])


def _is_partial(node):
    """Say whether a class only replaces methods: it begins with ``...``."""
    return isinstance(node.body[0], ast.Expr) and getattr(node.body[0].value, "value", "") is ...


def _start(node):
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _names(node):
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    return []
