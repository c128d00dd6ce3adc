"""Quirk, a made-up service that is nearly OpenAI's: what is odd about it is two methods.

Everything else is declared. The methods lie in ``plugin/quirk.py``.
"""

from datetime import UTC, datetime

from xinfer.spec import (
    Credentials,
    Feature,
    I18n,
    Manifest,
    Meta,
    Model,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    ParameterRule,
    Project,
    Provider,
    Secret,
    Template,
    api_key,
    bearer_key,
    secret_input,
)


class QuirkCredentials(Credentials):
    """An account of the service."""

    key: Secret = secret_input(
        label=I18n("API key", zh_Hans="API 密钥"), converter=bearer_key, sets=api_key
    )


project = Project(
    manifest=Manifest(
        name="quirk",
        version="0.1.0",
        author="xinfer",
        label=I18n("Quirk"),
        description=I18n(
            "Example: a service with two quirks.", zh_Hans="示例：协议略有不同的托管服务。"
        ),
        icon="icon_s_en.svg",
        meta=Meta(minimum_dify_version="1.0.0"),
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
        privacy="PRIVACY.md",
        repo="https://github.com/xinfer/xinfer",
        contact="maintainers@example.org",
    ),
    provider=Provider(provider="quirk", label=I18n("Quirk"), icon_small=I18n("icon_s_en.svg")),
    credentials=QuirkCredentials,
    models=(
        Model(
            model="quirk-1",
            model_type=ModelType.LLM,
            features=(Feature.TOOL_CALL, Feature.STREAM_TOOL_CALL),
            model_properties=ModelProperties(mode="chat", context_size=32_768),
            parameter_rules=(
                ParameterRule(name="temperature", use_template=Template.TEMPERATURE),
                ParameterRule(name="max_tokens", use_template=Template.MAX_TOKENS, max=4096),
            ),
        ),
    ),
    runtime=OpenAICompatible(
        base_url="https://api.quirk.example/v1",
        dialect="openai",
        classes={ModelType.LLM: "quirk:QuirkModel"},
    ),
)
