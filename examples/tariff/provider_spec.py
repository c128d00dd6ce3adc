"""Tariff, a hosted service with a price list: its models, its prices, and how it is called.

The service is made up; its API is OpenAI's. No Python of its own serves it.
"""

from datetime import UTC, datetime
from decimal import Decimal

from xinfer.spec import (
    Credentials,
    Feature,
    Help,
    I18n,
    Manifest,
    Model,
    ModelList,
    ModelProperties,
    ModelType,
    OpenAICompatible,
    ParameterRule,
    ParameterType,
    Pricing,
    Project,
    Provider,
    Secret,
    Template,
    api_key,
    base_url,
    bearer_key,
    http_url,
    secret_input,
    text_input,
)


class TariffCredentials(Credentials):
    """An account of the service: one key opens every model."""

    api_key: Secret = secret_input(
        label=I18n("API key", zh_Hans="API 密钥"),
        placeholder=I18n("Begins with trf-", zh_Hans="以 trf- 开头"),
        converter=bearer_key,
        sets=api_key,
    )
    base_url: str = text_input(
        label=I18n("Base URL", zh_Hans="API URL"),
        placeholder=I18n(
            "Only for a private deployment; https://api.tariff.example/v1 by default",
            zh_Hans="仅私有部署需要填写；默认为 https://api.tariff.example/v1",
        ),
        default="https://api.tariff.example/v1",
        converter=http_url(),
        sets=base_url,
    )


TOOLS = (Feature.TOOL_CALL, Feature.MULTI_TOOL_CALL, Feature.STREAM_TOOL_CALL)

SAMPLING = (
    ParameterRule(
        name="temperature",
        use_template=Template.TEMPERATURE,
        label=I18n("Temperature", zh_Hans="温度"),
        default=1,
        max=2,
    ),
    ParameterRule(
        name="top_p",
        use_template=Template.TOP_P,
        label=I18n("Top P", zh_Hans="Top P"),
    ),
)


def max_tokens(most: int) -> ParameterRule:
    """Let users choose the length of an answer, up to what the model can write."""
    return ParameterRule(
        name="max_tokens",
        use_template=Template.MAX_TOKENS,
        label=I18n("Max Tokens", zh_Hans="最大生成长度"),
        default=1024,
        max=most,
    )


def dollars_per_million(prompt: str, answer: str) -> Pricing:
    """Write a price as the service's price list does: dollars for a million tokens."""
    return Pricing(
        input=Decimal(prompt), output=Decimal(answer), unit=Decimal("0.000001"), currency="USD"
    )


SWIFT = Model(
    model="tariff-swift",
    label=I18n("Tariff Swift"),
    model_type=ModelType.LLM,
    features=TOOLS,
    model_properties=ModelProperties(mode="chat", context_size=32_768),
    parameter_rules=(*SAMPLING, max_tokens(8_192)),
    pricing=dollars_per_million("0.10", "0.40"),
)

SAGE = Model(
    model="tariff-sage",
    label=I18n("Tariff Sage"),
    model_type=ModelType.LLM,
    features=(*TOOLS, Feature.VISION),
    model_properties=ModelProperties(mode="chat", context_size=200_000),
    parameter_rules=(
        *SAMPLING,
        max_tokens(65_536),
        ParameterRule(
            name="reasoning_effort",
            type=ParameterType.STRING,
            label=I18n("Reasoning effort", zh_Hans="思考强度"),
            help=I18n(
                "How long the model thinks before it answers; thinking is paid as output",
                zh_Hans="模型回答前思考的时间；思考按输出计费",
            ),
            options=("low", "medium", "high"),
            default="medium",
        ),
    ),
    pricing=dollars_per_million("2.50", "10.00"),
)

project = Project(
    manifest=Manifest(
        name="tariff",
        version="0.1.0",
        author="xinfer",
        label=I18n("Tariff"),
        description=I18n(
            "Two language models of a hosted service, with their prices.",
            zh_Hans="一项托管服务的两个语言模型及其价格。",
        ),
        icon="icon_s_en.svg",
        icon_dark="icon_s_dark_en.svg",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        privacy="PRIVACY.md",
        repo="https://github.com/xinfer/xinfer",
        contact="maintainers@example.org",
    ),
    provider=Provider(
        provider="tariff",
        label=I18n("Tariff"),
        icon_small=I18n("icon_s_en.svg"),
        icon_large=I18n("icon_l_en.svg"),
        icon_small_dark=I18n("icon_s_dark_en.svg"),
        icon_large_dark=I18n("icon_l_dark_en.svg"),
        help=Help(
            title=I18n("Get an API key", zh_Hans="获取 API 密钥"),
            url=I18n("https://tariff.example/keys"),
        ),
    ),
    credentials=TariffCredentials,
    models=(SWIFT, SAGE),
    runtime=OpenAICompatible(dialect="openai", validated_by=ModelList()),
)
