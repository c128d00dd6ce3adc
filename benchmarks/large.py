"""A plugin with as many predefined models as one likes, as a spec and as the folder built of it."""

from __future__ import annotations

from pathlib import Path

_SPEC = '''\
"""A provider with {models} predefined models."""

from datetime import UTC, datetime
from decimal import Decimal

from xinfer.spec import (
    Credentials,
    Feature,
    I18n,
    Model,
    ModelProperties,
    ModelType,
    ParameterRule,
    ParameterType,
    Manifest,
    Pricing,
    Project,
    Provider,
    Secret,
    Template,
    secret_input,
)


class Account(Credentials):
    """An account of the service."""

    api_key: Secret = secret_input(label=I18n("API key", zh_Hans="API 密钥"))


def model(number: int) -> Model:
    """Declare a model with what published ones have on average: six rules, two labels, a price."""
    return Model(
        model=f"vendor-model-{{number:04}}",
        label=I18n(f"Vendor Model {{number}}", zh_Hans=f"厂商模型 {{number}}"),
        model_type=ModelType.LLM,
        features=(Feature.AGENT_THOUGHT, Feature.TOOL_CALL, Feature.MULTI_TOOL_CALL),
        model_properties=ModelProperties(mode="chat", context_size=32_768 + number),
        parameter_rules=(
            ParameterRule(name="temperature", use_template=Template.TEMPERATURE, max=2),
            ParameterRule(name="top_p", use_template=Template.TOP_P),
            ParameterRule(name="presence_penalty", use_template=Template.PRESENCE_PENALTY),
            ParameterRule(name="frequency_penalty", use_template=Template.FREQUENCY_PENALTY),
            ParameterRule(
                name="max_tokens", use_template=Template.MAX_TOKENS, default=1024, max=8192
            ),
            ParameterRule(
                name="effort",
                type=ParameterType.STRING,
                label=I18n("Effort", zh_Hans="推理强度"),
                help=I18n("How long the model thinks", zh_Hans="模型回答前思考的时间"),
                options=("low", "medium", "high"),
                default="medium",
            ),
        ),
        pricing=Pricing(
            input=Decimal("0.50"),
            output=Decimal("1.50"),
            unit=Decimal("0.000001"),
            currency="USD",
        ),
    )


project = Project(
    manifest=Manifest(
        name="large",
        version="0.1.0",
        author="xinfer",
        label=I18n("Large"),
        description=I18n("Many models"),
        icon="icon.svg",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        privacy="PRIVACY.md",
    ),
    provider=Provider(provider="large", label=I18n("Large"), icon_small=I18n("icon.svg")),
    credentials=Account,
    models=tuple(model(number) for number in range({models})),
    requirements=("dify_plugin>=0.9.0",),
)
'''
_CODE = {
    "main.py": (
        "from dify_plugin import DifyPluginEnv, Plugin\n\nplugin = Plugin(DifyPluginEnv())\n"
    ),
    "provider/large.py": (
        "import dify_plugin\n\n\nclass Large(dify_plugin.ModelProvider):\n"
        "    def validate_provider_credentials(self, credentials):\n        pass\n"
    ),
    "models/llm/llm.py": (
        "from dify_plugin import OAICompatLargeLanguageModel\n\n\n"
        "class LargeModel(OAICompatLargeLanguageModel):\n    pass\n"
    ),
    "_assets/icon.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>\n',
    "PRIVACY.md": "# Privacy\n",
    "README.md": "# Large\n",
}


def write_project(folder: Path, models: int) -> Path:
    """Write a project with its own code; return the path of its spec."""
    for path, text in _CODE.items():
        target = folder / "plugin" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    spec = folder / "provider_spec.py"
    spec.write_text(_SPEC.format(models=models))
    return spec
