"""Rules of the models that users add: what the class of such a model has to do."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from xinfer.plugin.plugin import Plugin
from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Served, find, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.declared import reads, written
from xinfer.rules.python.examples import MODEL_FORM, WITHOUT_MODELS
from xinfer.rules.python.sdk import CLASSES
from xinfer.rules.python.source import Module
from xinfer.rules.rule import Problem, rule
from xinfer.spec import ConfigurateMethod, ModelType

_PARAMETERS = "model_parameters"
_DECLARED_FIELDS = ("features", "properties", "parameter_rules", "pricing")

_YAML, _LLM = "provider/acme.yaml", "models/llm/llm.py"
_DECLARED = """\
customizable_models = (
    «CustomizableModel(model_type=ModelType.LLM, features={Feature.VISION: always})»,
)
"""
_NO_SCHEMA = "sdk interfaces/model/ai_model.py: AIModel.get_customizable_model_schema returns None"
_DESCRIBE = "Add get_customizable_model_schema, and return an AIModelEntity for what users enter."
_UNDESCRIBED = """\
class «AcmeModel»(LargeLanguageModel):
    _invoke_error_mapping = {InvokeError: [Exception]}

    def _invoke(self, *arguments):
        return answer(*arguments)

    def get_num_tokens(self, *arguments):
        return 0

    def validate_credentials(self, *arguments):
        answer(*arguments)


def answer(*arguments):
    raise InvokeBadRequestError
"""
_DESCRIBED = """\
class AcmeModel(LargeLanguageModel):
    ...

    def get_customizable_model_schema(self, model, credentials):
        return self.model_schemas[0]
"""
_CUSTOMIZABLE_ONLY = """\
supported_model_types:
  - llm
configurate_methods:
  - customizable-model
models: {}
"""
_CUSTOMIZABLE = """\
configurate_methods:
  - predefined-model
  - customizable-model
"""


@rule(
    "XI673",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_NO_SCHEMA,
    bad=({**WITHOUT_MODELS, _YAML: _CUSTOMIZABLE_ONLY + MODEL_FORM, _LLM: _UNDESCRIBED},),
    good=({**WITHOUT_MODELS, _YAML: _CUSTOMIZABLE_ONLY + MODEL_FORM, _LLM: _DESCRIBED},),
    fix=_DESCRIBE,
)
def custom_schema_missing(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """Users can add models of a type, and its class does not describe them.

    Dify leaves out each model without a description, so that no model of the type ever appears.
    """
    for each in _undescribed(code, plugin):
        if each.kind not in plugin.project.model_types:
            yield _unnamed(each)


@rule(
    "XI674",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_NO_SCHEMA,
    bad=({_YAML: _CUSTOMIZABLE + MODEL_FORM, _LLM: _UNDESCRIBED},),
    good=({_YAML: _CUSTOMIZABLE + MODEL_FORM, _LLM: _DESCRIBED},),
    fix=_DESCRIBE,
)
def custom_name_unknown(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """Users can add models, and the class describes only those of the plugin's YAML.

    Dify leaves out what users add by any other name.
    """
    for each in _undescribed(code, plugin):
        if each.kind in plugin.project.model_types:
            yield _unnamed(each)


def _undescribed(code: PluginCode, plugin: Plugin) -> Iterator[Served]:
    """Yield the classes for models that users can add, if they certainly describe none."""
    if ConfigurateMethod.CUSTOMIZABLE_MODEL in plugin.project.provider.configurate_methods:
        for each in served(code):
            if each.kind != "provider" and each.lineage.whole and not _is_described(code, each):
                yield each


def _unnamed(each: Served) -> Problem:
    message = f"{each.own.node.name} has no get_customizable_model_schema"
    return each.own.module.problem(message, each.own.node)


def _is_described(code: PluginCode, each: Served) -> bool:
    names = ("get_customizable_model_schema", "get_customizable_model_schema_from_credentials")
    own = any(find(code, each.lineage, name) is not None for name in (*names, "get_model_schema"))
    return own or any(
        isinstance(cls, str) and CLASSES[cls].describes_custom_models for cls in each.lineage.order
    )


@rule(
    "XI664",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="sdk interfaces/model/large_language_model.py: _validate_and_filter_model_parameters",
    bad=("def later(model_parameters):\n    return «model_parameters.get('top_k')»\n",),
    good=("def later(model_parameters):\n    return model_parameters.get('temperature')\n",),
    fix="Declare it in the models' parameter_rules.",
)
def parameter_not_declared(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """The code looks for a parameter that no model declares; the SDK drops what is not declared."""
    project = plugin.project
    rules = {
        name
        for model in project.models
        if model.model_type is ModelType.LLM
        for declared in model.parameter_rules
        for name in (declared.name, declared.use_template)
    }
    # What users add may have parameters that only the code knows.
    custom = ConfigurateMethod.CUSTOMIZABLE_MODEL in project.provider.configurate_methods
    if not rules or custom or _defines(code, "get_model_schema"):
        return
    own = written(code)
    for module in code.running:
        for read in reads(module, _PARAMETERS):
            if read.name not in rules | own:
                yield module.problem(f"no model declares the parameter {read.name!r}", read.node)


@rule(
    "XI666",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source="xinfer runtime/dify/declared.py: DeclaredModel",
    bad=({"provider_spec.py": _DECLARED, "plugin/models/llm/llm.py": _DESCRIBED},),
    good=(
        {
            "provider_spec.py": _DECLARED,
            "plugin/models/llm/llm.py": "import provider_spec\n"
            "from xinfer.runtime.dify import declared\n"
            "class AcmeModel(declared.DeclaredModel, LargeLanguageModel):\n"
            "    project = provider_spec.project\n",
        },
    ),
    fix="Derive the class from declared.DeclaredModel[YourCredentials] of xinfer.runtime.dify, in "
    "front of the SDK's class, with project = provider_spec.project in it.",
)
def declaration_unused(code: PluginCode, plugin: Plugin) -> Iterator[Problem]:
    """A spec declares what users' models can do, and the plugin's own Python does not read it.

    Dify asks the class of the model, which answers without the spec.
    """
    project = plugin.project
    if project.runtime is not None or not code.running or any(map(_uses_spec, code.running)):
        return
    for model in project.customizable_models:
        names = [name for name in _DECLARED_FIELDS if getattr(model, name)]
        if names:
            yield Problem(f"{' and '.join(names)} of {model.model_type} have no effect", of=model)


def _uses_spec(module: Module) -> bool:
    return any((each.module or "").startswith("xinfer.runtime") for each in module.imports)


def _defines(code: PluginCode, name: str) -> bool:
    return any(
        node.name == name for module in code.running for node in module.each(ast.FunctionDef)
    )


RULES = (
    custom_schema_missing,
    custom_name_unknown,
    parameter_not_declared,
    declaration_unused,
)
