"""Rules of the models that users add: what the class of such a model has to do."""

from __future__ import annotations

from collections.abc import Iterator

from xinfer.rules.finding import Severity, Stage
from xinfer.rules.python.classes import Served, find, served
from xinfer.rules.python.code import PluginCode
from xinfer.rules.python.sdk import CLASSES
from xinfer.rules.rule import Problem, Subject, rule
from xinfer.spec import ConfigurateMethod

_YAML, _LLM = "provider/acme.yaml", "models/llm/llm.py"
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
_WITHOUT_MODELS = {"models/llm/acme-1.yaml": None, "models/llm/_position.yaml": None}
_CUSTOMIZABLE_ONLY = """\
configurate_methods:
  - customizable-model
models: {}
"""
_CUSTOMIZABLE = """\
configurate_methods:
  - predefined-model
  - customizable-model
"""
_MODEL_FORM = """\
model_credential_schema:
  model:
    label:
      en_US: Model
      zh_Hans: 模型
  credential_form_schemas:
    - variable: api_key
      type: secret-input
      label:
        en_US: API key
        zh_Hans: API Key
      required: true
"""


@rule(
    "XI673",
    Severity.BROKEN,
    Stage.RUN_TIME,
    source=_NO_SCHEMA,
    bad=({**_WITHOUT_MODELS, _YAML: _CUSTOMIZABLE_ONLY + _MODEL_FORM, _LLM: _UNDESCRIBED},),
    good=({**_WITHOUT_MODELS, _YAML: _CUSTOMIZABLE_ONLY + _MODEL_FORM, _LLM: _DESCRIBED},),
    fix=_DESCRIBE,
)
def custom_schema_missing(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """Users can add models of a type, and its class does not describe them.

    Dify leaves out each model without a description, so that no model of the type ever appears.
    """
    for each in _undescribed(code, subject):
        if each.kind not in subject.project.model_types:
            yield _unnamed(each)


@rule(
    "XI674",
    Severity.ADVICE,
    Stage.RUN_TIME,
    source=_NO_SCHEMA,
    bad=({_YAML: _CUSTOMIZABLE + _MODEL_FORM, _LLM: _UNDESCRIBED},),
    good=({_YAML: _CUSTOMIZABLE + _MODEL_FORM, _LLM: _DESCRIBED},),
    fix=_DESCRIBE,
)
def custom_name_unknown(code: PluginCode, subject: Subject) -> Iterator[Problem]:
    """Users can add models, and the class describes only those of the plugin's YAML.

    Dify leaves out what users add by any other name.
    """
    for each in _undescribed(code, subject):
        if each.kind in subject.project.model_types:
            yield _unnamed(each)


def _undescribed(code: PluginCode, subject: Subject) -> Iterator[Served]:
    """Yield the classes for models that users can add, if they certainly describe none."""
    if ConfigurateMethod.CUSTOMIZABLE_MODEL in subject.project.provider.configurate_methods:
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


RULES = (custom_schema_missing, custom_name_unknown)
