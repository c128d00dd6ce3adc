"""A small plugin without findings: its files, and the same as a spec."""

from __future__ import annotations

from xinfer.rules.examples import MANIFEST, MODEL, PROVIDER, PYPROJECT, PYTHON

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
  minimum_dify_version: 1.14.2
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

DECLARED_MANIFEST = """\
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
"""

SPECIFIED = (
    """\
from datetime import UTC, datetime
from decimal import Decimal

from xinfer.spec import *
""",
    f"""\
{DECLARED_MANIFEST}

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
