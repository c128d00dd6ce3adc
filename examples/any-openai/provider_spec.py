"""Any OpenAI-compatible server, self-hosted or hosted: users add its models one by one.

What a server tells of a model is not asked for again; 18 fields hold what it cannot tell.
"""

from datetime import UTC, datetime

from xinfer.spec import (
    Credentials,
    CustomizableModel,
    Embedding,
    Feature,
    I18n,
    Manifest,
    ModelType,
    OpenAICompatible,
    Override,
    Project,
    Provider,
    Rerank,
    Secret,
    Tag,
    ability,
    always,
    api_key_input,
    base_url_input,
    between,
    body,
    ca_certificate_input,
    context_size_input,
    document_prefix_input,
    first_of,
    gt,
    headers_input,
    language_input,
    limit,
    listed,
    max_retries_input,
    model,
    overridable,
    override_input,
    parameter,
    query_prefix_input,
    setting,
    text_input,
    texts_per_call,
    timeout_input,
    verify_tls_input,
)

ELSE_YES = I18n("As the server tells, else yes", zh_Hans="以服务器返回为准，否则为是")
LLM_ONLY = {"__model_type": "llm"}
EMBEDDING_ONLY = {"__model_type": "text-embedding"}


class ServerCredentials(Credentials):
    """A model on a server."""

    url: str = base_url_input(
        label=I18n("API Base URL", zh_Hans="API Base URL"),
        placeholder=I18n(
            "Up to the version, e.g. http://192.168.1.100:8000/v1",
            zh_Hans="包含版本部分，如 http://192.168.1.100:8000/v1",
        ),
        was="endpoint_url",
    )
    key: Secret | None = api_key_input(default=None, was="api_key")
    served_as: str | None = text_input(
        label=I18n("Model on the server", zh_Hans="服务器上的模型名称"),
        placeholder=I18n(
            "If it differs from the name in Dify", zh_Hans="与 Dify 中的名称不同时填写"
        ),
        default=None,
        sets=model,
        was="endpoint_model_name",
    )
    seconds: float = timeout_input()
    retries: int = max_retries_input()
    verify: bool = verify_tls_input()
    ca: str | None = ca_certificate_input()
    extra_headers: Secret | None = headers_input()
    extra_body: str | None = text_input(
        label=I18n("Extra body", zh_Hans="附加请求体"),
        placeholder=I18n(
            'Sent with every request, e.g. {"priority": 1}',
            zh_Hans='随每次请求发送，如 {"priority": 1}',
        ),
        default=None,
        sets=body,
    )
    context_size: int | None = context_size_input(
        placeholder=I18n("As the server tells, else 4096", zh_Hans="以服务器返回为准，否则为 4096")
    )
    tools: Override = override_input(
        label=I18n("Tool calls", zh_Hans="工具调用"), auto=ELSE_YES, show_on=LLM_ONLY
    )
    vision: Override = override_input(
        label=I18n("Images", zh_Hans="图片输入"), auto=ELSE_YES, show_on=LLM_ONLY
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
    query_prefix: str | None = query_prefix_input(show_on=EMBEDDING_ONLY)
    document_prefix: str | None = document_prefix_input(show_on=EMBEDDING_ONLY)
    language: str | None = language_input(show_on={"__model_type": "speech2text"})
    voices: str = text_input(
        label=I18n("Voices", zh_Hans="音色"),
        placeholder=I18n("Separated by commas; alloy by default", zh_Hans="以逗号分隔；默认 alloy"),
        default="alloy",
        show_on={"__model_type": "tts"},
    )


CONTEXT = first_of(setting("context_size"), limit("context_length"), 4096)
TOOLS = overridable(ability("tools", unknown=True), by="tools")

LLM = CustomizableModel(
    model_type=ModelType.LLM,
    features={
        Feature.AGENT_THOUGHT: always,
        Feature.TOOL_CALL: TOOLS,
        Feature.MULTI_TOOL_CALL: TOOLS,
        Feature.STREAM_TOOL_CALL: TOOLS,
        Feature.VISION: overridable(ability("vision", unknown=True), by="vision"),
        Feature.AUDIO: ability("audio"),
        Feature.VIDEO: ability("video"),
        Feature.STRUCTURED_OUTPUT: always,
    },
    properties={"mode": "chat", "context_size": CONTEXT},
    parameter_rules=(
        parameter("temperature"),
        parameter("top_p"),
        parameter("max_tokens", default=512, max=CONTEXT),
        parameter("enable_thinking"),
        parameter("thinking_budget"),
        parameter("reasoning_effort", options=("none", "minimal", "low", "medium", "high")),
        parameter("response_format"),
        parameter("json_schema"),
        parameter("extra_body"),
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
            properties={"context_size": CONTEXT, "max_chunks": texts_per_call(most=32)},
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
