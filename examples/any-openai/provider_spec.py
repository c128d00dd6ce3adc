"""Any OpenAI-compatible server, self-hosted or hosted: users add its models one by one.

What a server tells of a model is not asked for again; 18 fields hold what it cannot tell.
"""

from datetime import UTC, datetime
from typing import Literal

from xinfer.spec import (
    Condition,
    Credentials,
    CustomizableModel,
    Embedding,
    Feature,
    I18n,
    Manifest,
    Meta,
    ModelType,
    OpenAICompatible,
    Option,
    ParameterRule,
    ParameterType,
    Project,
    Provider,
    Rerank,
    Secret,
    Tag,
    Template,
    ability,
    always,
    api_key,
    base_url,
    bearer_key,
    between,
    body,
    ca_certificate,
    first_of,
    gt,
    headers,
    language_code,
    limit,
    listed,
    max_retries,
    model,
    openai_url,
    pem,
    radio,
    secret_input,
    select,
    setting,
    share,
    text_input,
    timeout,
    verify_tls,
)

CHOICE = (
    Option("auto", I18n("As the server tells, else yes", zh_Hans="以服务器返回为准，否则为是")),
    Option("yes", I18n("Yes", zh_Hans="是")),
    Option("no", I18n("No", zh_Hans="否")),
)
LLM_ONLY = {"__model_type": "llm"}
EMBEDDING_ONLY = {"__model_type": "text-embedding"}


class ServerCredentials(Credentials):
    """A model on a server."""

    url: str = text_input(
        label=I18n("API Base URL", zh_Hans="API Base URL"),
        placeholder=I18n(
            "Up to the version, e.g. http://192.168.1.100:8000/v1",
            zh_Hans="包含版本部分，如 http://192.168.1.100:8000/v1",
        ),
        converter=openai_url,
        sets=base_url,
        was="endpoint_url",
    )
    key: Secret | None = secret_input(
        label=I18n("API key", zh_Hans="API 密钥"),
        placeholder=I18n("Empty if the server needs none", zh_Hans="服务器未启用认证时请留空"),
        default=None,
        converter=bearer_key,
        sets=api_key,
        was="api_key",
    )
    served_as: str | None = text_input(
        label=I18n("Model on the server", zh_Hans="服务器上的模型名称"),
        placeholder=I18n(
            "If it differs from the name in Dify", zh_Hans="与 Dify 中的名称不同时填写"
        ),
        default=None,
        sets=model,
        was="endpoint_model_name",
    )
    seconds: float = text_input(
        label=I18n("Timeout in seconds", zh_Hans="超时时间（秒）"),
        placeholder=I18n(
            "Seconds to wait for the server to respond; 60 by default",
            zh_Hans="无响应的最长等待时间，并非总时长；默认 60",
        ),
        default=60.0,
        validator=gt(0),
        sets=timeout,
    )
    retries: int = text_input(
        label=I18n("Retries", zh_Hans="重试次数"),
        placeholder=I18n("0 to 10; 3 by default", zh_Hans="0 到 10，默认 3"),
        default=3,
        validator=between(0, 10),
        sets=max_retries,
    )
    verify: bool = radio(
        label=I18n("Verify the TLS certificate", zh_Hans="验证 TLS 证书"),
        options=[
            Option("true", I18n("Yes (default)", zh_Hans="是（默认）")),
            Option("false", I18n("No", zh_Hans="否")),
        ],
        default=True,
        sets=verify_tls,
    )
    ca: str | None = text_input(
        label=I18n("CA certificate", zh_Hans="CA 证书"),
        placeholder=I18n("PEM, of a private authority", zh_Hans="私有 CA 的证书，PEM 格式"),
        default=None,
        converter=pem,
        sets=ca_certificate,
    )
    extra_headers: Secret | None = secret_input(
        label=I18n("Extra headers", zh_Hans="附加请求头"),
        placeholder=I18n(
            "E.g. X-Team: search; X-Env: prod", zh_Hans="如 X-Team: search; X-Env: prod"
        ),
        default=None,
        sets=headers,
    )
    extra_body: str | None = text_input(
        label=I18n("Extra body", zh_Hans="附加请求体"),
        placeholder=I18n(
            'Sent with every request, e.g. {"priority": 1}',
            zh_Hans='随每次请求发送，如 {"priority": 1}',
        ),
        default=None,
        sets=body,
    )
    context_size: int | None = text_input(
        label=I18n("Context size in tokens", zh_Hans="上下文长度（token）"),
        placeholder=I18n("As the server tells, else 4096", zh_Hans="以服务器返回为准，否则为 4096"),
        default=None,
        validator=gt(0),
    )
    tools: Literal["auto", "yes", "no"] = select(
        label=I18n("Tool calls", zh_Hans="工具调用"),
        options=CHOICE,
        default="auto",
        show_on=LLM_ONLY,
    )
    vision: Literal["auto", "yes", "no"] = select(
        label=I18n("Images", zh_Hans="图片输入"), options=CHOICE, default="auto", show_on=LLM_ONLY
    )
    dimensions: int | None = text_input(
        label=I18n("Dimensions", zh_Hans="向量维度"),
        placeholder=I18n("For models that can shorten vectors", zh_Hans="用于可缩短向量的模型"),
        default=None,
        validator=gt(0),
        sets=body("dimensions"),
        show_on=EMBEDDING_ONLY,
    )
    max_chunks: int = text_input(
        label=I18n("Texts per embedding call", zh_Hans="单次嵌入的文本数量"),
        placeholder=I18n(
            "32 by default, fewer for long vectors", zh_Hans="默认 32，维度较高时自动减少"
        ),
        default=32,
        validator=between(1, 2048),
        show_on=EMBEDDING_ONLY,
    )
    query_prefix: str | None = text_input(
        label=I18n("Query prefix", zh_Hans="查询前缀"),
        placeholder=I18n("E.g. query:", zh_Hans="如 query:"),
        default=None,
        show_on=EMBEDDING_ONLY,
    )
    document_prefix: str | None = text_input(
        label=I18n("Document prefix", zh_Hans="文档前缀"),
        placeholder=I18n("E.g. passage:", zh_Hans="如 passage:"),
        default=None,
        show_on=EMBEDDING_ONLY,
    )
    language: str | None = text_input(
        label=I18n("Language of the audio", zh_Hans="音频语言"),
        placeholder=I18n("E.g. en; detected if empty", zh_Hans="如 zh；留空则自动识别"),
        default=None,
        converter=language_code,
        sets=body("language"),
        show_on={"__model_type": "speech2text"},
    )
    voices: str = text_input(
        label=I18n("Voices", zh_Hans="音色"),
        placeholder=I18n("Separated by commas; alloy by default", zh_Hans="以逗号分隔；默认 alloy"),
        default="alloy",
        show_on={"__model_type": "tts"},
    )


def can(field: str, otherwise: Condition) -> Condition:
    """Let the user overrule what the server tells."""
    return (setting(field) == "yes") | (~(setting(field) == "no") & otherwise)


CONTEXT = first_of(setting("context_size"), limit("context_length"), 4096)
TOOLS = can("tools", ability("tools", unknown=True))

LLM = CustomizableModel(
    model_type=ModelType.LLM,
    features={
        Feature.AGENT_THOUGHT: always,
        Feature.TOOL_CALL: TOOLS,
        Feature.MULTI_TOOL_CALL: TOOLS,
        Feature.STREAM_TOOL_CALL: TOOLS,
        Feature.VISION: can("vision", ability("vision", unknown=True)),
        Feature.AUDIO: ability("audio"),
        Feature.VIDEO: ability("video"),
        Feature.STRUCTURED_OUTPUT: always,
    },
    properties={"mode": "chat", "context_size": CONTEXT},
    parameter_rules=(
        ParameterRule(
            name="temperature",
            use_template=Template.TEMPERATURE,
            label=I18n("Temperature", zh_Hans="温度"),
            max=2,
        ),
        ParameterRule(
            name="top_p", use_template=Template.TOP_P, label=I18n("Top P", zh_Hans="Top P")
        ),
        ParameterRule(
            name="max_tokens",
            use_template=Template.MAX_TOKENS,
            label=I18n("Max Tokens", zh_Hans="最大生成长度"),
            default=512,
            max=CONTEXT,
        ),
        ParameterRule(
            name="enable_thinking",
            type=ParameterType.BOOLEAN,
            label=I18n("Thinking", zh_Hans="思考模式"),
        ),
        ParameterRule(
            name="thinking_budget",
            type=ParameterType.INT,
            label=I18n("Thinking budget", zh_Hans="思考长度上限"),
            min=0,
        ),
        ParameterRule(
            name="reasoning_effort",
            type=ParameterType.STRING,
            label=I18n("Reasoning effort", zh_Hans="思考强度"),
            options=("none", "minimal", "low", "medium", "high"),
        ),
        ParameterRule(
            name="response_format",
            type=ParameterType.STRING,
            label=I18n("Response Format", zh_Hans="回复格式"),
            options=("text", "json_object", "json_schema"),
        ),
        ParameterRule(
            name="json_schema",
            use_template=Template.JSON_SCHEMA,
            label=I18n("JSON Schema", zh_Hans="JSON Schema"),
        ),
        ParameterRule(
            name="extra_body",
            type=ParameterType.TEXT,
            label=I18n("Extra body", zh_Hans="附加请求体"),
            help=I18n(
                'A JSON object for this call, e.g. {"top_k": 20}',
                zh_Hans='用于此次调用的 JSON 对象，例如 {"top_k": 20}',
            ),
        ),
    ),
)

project = Project(
    manifest=Manifest(
        name="any_openai",
        version="0.1.0",
        author="xinfer",
        label=I18n("Any OpenAI-compatible server", zh_Hans="任意 OpenAI 兼容服务器"),
        description=I18n(
            "Example: models of any server that speaks OpenAI's protocol.",
            zh_Hans="示例：任意 OpenAI 兼容服务器的模型。",
        ),
        icon="icon_s_en.svg",
        icon_dark="icon_s_dark_en.svg",
        created_at=datetime(2026, 11, 25, tzinfo=UTC),
        meta=Meta(minimum_dify_version="1.0.0"),
        tags=(Tag.RAG, Tag.AGENT),
        privacy="PRIVACY.md",
        repo="https://github.com/xinfer/xinfer",
        contact="maintainers@example.org",
    ),
    provider=Provider(
        provider="any_openai",
        label=I18n("Any OpenAI-compatible server", zh_Hans="任意 OpenAI 兼容服务器"),
        icon_small=I18n("icon_s_en.svg"),
        icon_large=I18n("icon_l_en.svg"),
        icon_small_dark=I18n("icon_s_dark_en.svg"),
        icon_large_dark=I18n("icon_l_dark_en.svg"),
    ),
    credentials=ServerCredentials,
    customizable_models=(
        LLM,
        CustomizableModel(
            model_type=ModelType.TEXT_EMBEDDING,
            properties={
                "context_size": CONTEXT,
                # Its answer must stay well below the 5 MiB that Dify's daemon reads at once.
                "max_chunks": first_of(
                    share(of=80_000, size=limit("dimensions"), at_most=setting("max_chunks")),
                    setting("max_chunks"),
                ),
            },
        ),
        CustomizableModel(model_type=ModelType.RERANK, properties={"context_size": CONTEXT}),
        CustomizableModel(
            model_type=ModelType.SPEECH2TEXT,
            properties={
                "file_upload_limit": 25,
                "supported_file_extensions": "flac,m4a,mp3,mp4,ogg,wav,webm",
            },
        ),
        CustomizableModel(
            model_type=ModelType.TTS,
            properties={
                "default_voice": "alloy",
                "voices": listed(setting("voices")),
                "audio_type": "mp3",
                "word_limit": 3500,
                "max_workers": 5,
            },
        ),
    ),
    runtime=OpenAICompatible(
        embedding=Embedding(
            query_prefix=setting("query_prefix"), document_prefix=setting("document_prefix")
        ),
        rerank=Rerank(scores="dialect"),
    ),
)
