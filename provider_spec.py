"""Xinference for Dify, declared once.

Edit this file and run ``uv run build.py``: the manifest, the credential form, the check of what
users enter and the models' parameters all follow from it.
"""

from datetime import UTC, datetime

from xinfer.spec import (
    Credentials,
    CustomizableModel,
    Embedding,
    Feature,
    Help,
    I18n,
    Manifest,
    Meta,
    ModelType,
    Option,
    ParameterRule,
    ParameterType,
    Project,
    Provider,
    Secret,
    Tag,
    Template,
    Xinference,
    ability,
    always,
    api_key,
    base_url,
    bearer_key,
    between,
    body,
    ca_certificate,
    choose,
    first_of,
    gt,
    http_url,
    language_code,
    limit,
    listed,
    max_retries,
    model,
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

PASTED_ALONG = ("/v1", "/ui", "/docs", "/v1/models", "/v1/chat/completions", "/v1/embeddings")
"""Paths of a server that people copy with its URL."""


class XinferenceCredentials(Credentials):
    """What a user enters to add one Xinference model."""

    model_type: str | None = select(
        label=I18n("Model type", zh_Hans="模型类型"),
        options=[
            Option("text-generation", I18n("Language Model", zh_Hans="语言模型")),
            Option("embeddings", I18n("Text Embedding")),
            Option("reranking", I18n("Rerank")),
            Option("speech2text", I18n("Speech to Text", zh_Hans="语音转文字")),
            Option("tts", I18n("Text to Speech", zh_Hans="文字转语音")),
        ],
        default=None,
        required=True,
        asked_by_dify=True,
    )
    model_name: str | None = text_input(
        label=I18n("Model name", zh_Hans="模型名称"),
        placeholder=I18n("Input model name", zh_Hans="填写模型名称"),
        default=None,
        required=True,
        asked_by_dify=True,
    )
    server_url: str = text_input(
        label=I18n("Server url", zh_Hans="服务器 URL"),
        placeholder=I18n(
            "Enter the url of your Xinference, for example https://example.com/xxx",
            zh_Hans="在此输入 Xinference 的服务器地址，如 https://example.com/xxx",
        ),
        converter=http_url(without=PASTED_ALONG),
        sets=base_url,
    )
    model_uid: str = text_input(
        label=I18n("Model uid", zh_Hans="模型 UID"),
        placeholder=I18n("Enter the model uid", zh_Hans="在此输入你的 Model UID"),
        sets=model,
    )
    api_key: Secret | None = secret_input(
        label=I18n("API key", zh_Hans="API 密钥"),
        placeholder=I18n("Only if your server asks for one", zh_Hans="仅在服务器启用认证时填写"),
        default=None,
        converter=bearer_key,
        sets=api_key,
    )
    invoke_timeout: float = text_input(
        label=I18n("Timeout in seconds", zh_Hans="超时时间（秒）"),
        placeholder=I18n("The longest silence to wait for", zh_Hans="等待响应的最长时间"),
        default=60.0,
        validator=gt(0),
        sets=timeout,
    )
    max_retries: int = text_input(
        label=I18n("Retries", zh_Hans="重试次数"),
        placeholder=I18n("When the server gives no answer", zh_Hans="服务器没有响应时"),
        default=3,
        validator=between(0, 10),
        sets=max_retries,
    )
    verify_tls: bool = radio(
        label=I18n("Verify the TLS certificate", zh_Hans="验证 TLS 证书"),
        options=[
            Option("true", I18n("Yes", zh_Hans="是")),
            Option("false", I18n("No", zh_Hans="否")),
        ],
        default=True,
        sets=verify_tls,
    )
    ca_certificate: str | None = text_input(
        label=I18n("CA certificate", zh_Hans="CA 证书"),
        placeholder=I18n("PEM, of a private authority", zh_Hans="私有 CA 的 PEM 证书"),
        default=None,
        converter=pem,
        sets=ca_certificate,
    )
    context_size: int | None = text_input(
        label=I18n("Context size in tokens", zh_Hans="上下文长度（token）"),
        placeholder=I18n("What the server reports", zh_Hans="默认使用服务器返回的值"),
        default=None,
        validator=gt(0),
        show_on={"__model_type": "llm"},
    )
    max_chunks: int | None = text_input(
        label=I18n("Texts in one embedding call", zh_Hans="单次嵌入的文本数量"),
        placeholder=I18n("As many as one answer can carry", zh_Hans="默认按单次响应可容纳的数量"),
        default=None,
        validator=between(1, 2048),
        show_on={"__model_type": "text-embedding"},
    )
    language: str | None = text_input(
        label=I18n("Language of the recordings", zh_Hans="音频语言"),
        placeholder=I18n(
            "e.g. en or zh; recognised when empty", zh_Hans="如 zh、en；留空则自动识别"
        ),
        default=None,
        converter=language_code,
        sets=body("language"),
        show_on={"__model_type": "speech2text"},
    )
    voices: str | None = text_input(
        label=I18n("Voices", zh_Hans="音色"),
        placeholder=I18n(
            "Separated by commas, cloned ones too", zh_Hans="以逗号分隔，可包含克隆音色"
        ),
        default=None,
        show_on={"__model_type": "tts"},
    )


CONTEXT = first_of(setting("context_size"), limit("context_length"), 4096)

LLM = CustomizableModel(
    model_type=ModelType.LLM,
    features={
        Feature.AGENT_THOUGHT: always,
        Feature.TOOL_CALL: ability("tools"),
        Feature.MULTI_TOOL_CALL: ability("tools"),
        Feature.STREAM_TOOL_CALL: ability("tools"),
        Feature.VISION: ability("vision") | ability("omni"),
        Feature.AUDIO: ability("audio") | ability("omni"),
        Feature.VIDEO: ability("omni"),
        Feature.STRUCTURED_OUTPUT: ability("chat"),
    },
    properties={
        # Of a model whose abilities an older server does not tell, most are for chat.
        "mode": choose(ability("generate") & ~ability("chat"), "completion", otherwise="chat"),
        "context_size": CONTEXT,
    },
    parameter_rules=(
        ParameterRule(
            name="temperature",
            use_template=Template.TEMPERATURE,
            label=I18n("Temperature", zh_Hans="温度"),
            default=0.7,
            max=2,
        ),
        ParameterRule(
            name="top_p",
            use_template=Template.TOP_P,
            label=I18n("Top P", zh_Hans="Top P"),
        ),
        ParameterRule(
            name="top_k",
            use_template=Template.TOP_K,
            label=I18n("Top K", zh_Hans="Top K"),
        ),
        ParameterRule(
            name="min_p",
            type=ParameterType.FLOAT,
            label=I18n("Min P", zh_Hans="Min P"),
            help=I18n(
                "Leaves out tokens less likely than this share of the likeliest one's probability",
                zh_Hans="排除概率低于最高概率乘以该比例的 token",
            ),
            min=0,
            max=1,
            precision=2,
        ),
        ParameterRule(
            name="max_tokens",
            use_template=Template.MAX_TOKENS,
            label=I18n("Max Tokens", zh_Hans="最大生成长度"),
            min=1,
            max=CONTEXT,
            default=512,
        ),
        ParameterRule(
            name="presence_penalty",
            use_template=Template.PRESENCE_PENALTY,
            label=I18n("Presence Penalty", zh_Hans="存在惩罚"),
            min=-2,
            max=2,
        ),
        ParameterRule(
            name="frequency_penalty",
            use_template=Template.FREQUENCY_PENALTY,
            label=I18n("Frequency Penalty", zh_Hans="频率惩罚"),
            min=-2,
            max=2,
        ),
        ParameterRule(
            name="repetition_penalty",
            type=ParameterType.FLOAT,
            label=I18n("Repetition Penalty", zh_Hans="重复惩罚"),
            help=I18n(
                "Above 1 discourages repeating what has been written, below 1 encourages it",
                zh_Hans="大于 1 时抑制重复，小于 1 时鼓励重复",
            ),
            min=0.1,
            max=2,
            precision=2,
        ),
        ParameterRule(
            name="seed",
            type=ParameterType.INT,
            label=I18n("Seed", zh_Hans="随机种子"),
            help=I18n(
                "The same seed, prompt and parameters give the same answer, where the engine can",
                zh_Hans="在引擎支持时，相同的种子、提示词和参数会得到相同的回答",
            ),
        ),
        ParameterRule(
            name="response_format",
            type=ParameterType.STRING,
            label=I18n("Response Format", zh_Hans="回复格式"),
            help=I18n(
                "JSON of any shape, or as the JSON Schema below says, where the engine can",
                zh_Hans="任意结构的 JSON，或符合下方 JSON Schema 的 JSON（需推理引擎支持）",
            ),
            options=("text", "json_object", "json_schema"),
            when=ability("chat"),
        ),
        ParameterRule(
            name="json_schema",
            use_template=Template.JSON_SCHEMA,
            label=I18n("JSON Schema", zh_Hans="JSON Schema"),
            when=ability("chat"),
        ),
        ParameterRule(
            name="enable_thinking",
            type=ParameterType.BOOLEAN,
            label=I18n("Thinking", zh_Hans="思考模式"),
            help=I18n(
                "Whether the model thinks before it answers; the model's own choice when unset",
                zh_Hans="模型回答前是否进行思考；未设置时由模型决定",
            ),
            when=ability("hybrid"),
        ),
    ),
)

TEXT_EMBEDDING = CustomizableModel(
    model_type=ModelType.TEXT_EMBEDDING,
    properties={
        "context_size": first_of(limit("max_tokens"), 512),
        # Its answer must stay well below the 5 MiB that Dify's daemon reads at once.
        "max_chunks": first_of(
            share(
                of=80_000,
                size=limit("dimensions"),
                at_most=first_of(setting("max_chunks"), 64),
            ),
            setting("max_chunks"),
            32,
        ),
    },
)

RERANK = CustomizableModel(
    model_type=ModelType.RERANK,
    properties={"context_size": first_of(limit("max_tokens"), 512)},
)

SPEECH2TEXT = CustomizableModel(
    model_type=ModelType.SPEECH2TEXT,
    properties={
        "file_upload_limit": 25,
        "supported_file_extensions": "flac,m4a,mp3,mp4,ogg,wav,webm",
    },
)

TTS = CustomizableModel(
    model_type=ModelType.TTS,
    properties={
        "default_voice": "default",
        "voices": listed(setting("voices")),
        "audio_type": "mp3",
        "word_limit": 3500,
        "max_workers": 5,
    },
)

JINA = Embedding(
    query={"task": "retrieval.query"},
    document={"task": "retrieval.passage"},
    models=("jina-embeddings-v*",),
)
"""The models that tell queries from documents when asked to; others fail on the word."""

project = Project(
    manifest=Manifest(
        name="xinference",
        version="0.1.0",
        author="xinfer",
        label=I18n("Xorbits Inference"),
        description=I18n(
            "Models that you host yourself with Xinference: language, embedding, rerank, "
            "speech to text and text to speech.",
            zh_Hans="通过 Xinference 自行托管的语言、嵌入、重排序、语音转文字和文字转语音模型。",
        ),
        icon="icon_s_en.svg",
        icon_dark="icon_s_dark_en.svg",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        meta=Meta(minimum_dify_version="1.0.0"),
        tags=(Tag.RAG, Tag.AGENT),
        privacy="PRIVACY.md",
        repo="https://github.com/xinfer/xinfer",
        contact="maintainers@xinfer.dev",
    ),
    provider=Provider(
        provider="xinference",
        label=I18n("Xorbits Inference"),
        icon_small=I18n("icon_s_en.svg"),
        icon_large=I18n("icon_l_en.svg"),
        icon_small_dark=I18n("icon_s_dark_en.svg"),
        icon_large_dark=I18n("icon_l_dark_en.svg"),
        help=Help(
            title=I18n("How to deploy Xinference", zh_Hans="如何部署 Xinference"),
            url=I18n("https://github.com/xorbitsai/inference"),
        ),
    ),
    credentials=XinferenceCredentials,
    customizable_models=(LLM, TEXT_EMBEDDING, RERANK, SPEECH2TEXT, TTS),
    runtime=Xinference(embedding=JINA),
)
