"""Xinference for Dify, declared once.

Edit this file and run ``uv run build.py``: the manifest, the credential form, the check of what
users enter and the models' parameters all follow from it.
"""

from datetime import UTC, datetime
from typing import Literal

from xinfer.spec import (
    Condition,
    Credentials,
    CustomizableModel,
    Embedding,
    EndUser,
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
    Rerank,
    Secret,
    Speech,
    Tag,
    Template,
    VariablePricing,
    Xinference,
    ability,
    always,
    api_key,
    at_least,
    base_url,
    bearer_key,
    between,
    body,
    ca_certificate,
    choose,
    cloned_voices,
    engine,
    first_of,
    gt,
    headers,
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


CHOICE = (
    Option("auto", I18n("As the server tells", zh_Hans="以服务器返回为准")),
    Option("yes", I18n("Yes", zh_Hans="是")),
    Option("no", I18n("No", zh_Hans="否")),
)
LLM_ONLY = {"__model_type": "llm"}
EMBEDDING_ONLY = {"__model_type": "text-embedding"}
SPEECH_ONLY = {"__model_type": "tts"}


class XinferenceCredentials(Credentials):
    """What a user enters to add one Xinference model."""

    model_type: str | None = select(
        label=I18n("Model type", zh_Hans="模型类型"),
        options=[
            Option("text-generation", I18n("Language Model", zh_Hans="语言模型")),
            Option("embeddings", I18n("Text Embedding", zh_Hans="文本嵌入（Text Embedding）")),
            Option("reranking", I18n("Rerank", zh_Hans="重排序（Rerank）")),
            Option("speech2text", I18n("Speech to Text", zh_Hans="语音转文字")),
            Option("tts", I18n("Text to Speech", zh_Hans="文字转语音")),
        ],
        default=None,
        required=True,
        asked_by_dify=True,
    )
    model_name: str | None = text_input(
        label=I18n("Model name", zh_Hans="模型名称"),
        placeholder=I18n("The name shown in Dify", zh_Hans="在 Dify 中显示的名称"),
        default=None,
        required=True,
        asked_by_dify=True,
    )
    server_url: str = text_input(
        label=I18n("Server URL", zh_Hans="服务器 URL"),
        placeholder=I18n(
            "URL of Xinference, e.g. http://192.168.1.100:9997",
            zh_Hans="Xinference 的 URL，如 http://192.168.1.100:9997",
        ),
        converter=http_url(without=PASTED_ALONG),
        sets=base_url,
    )
    model_uid: str = text_input(
        label=I18n("Model UID", zh_Hans="模型 UID"),
        placeholder=I18n(
            "The UID that xinference list shows, e.g. bge-m3",
            zh_Hans="xinference list 输出的 UID，如 bge-m3",
        ),
        sets=model,
    )
    api_key: Secret | None = secret_input(
        label=I18n("API key", zh_Hans="API 密钥"),
        placeholder=I18n(
            "Only if the server has authentication switched on",
            zh_Hans="仅在服务器启用认证时填写",
        ),
        default=None,
        converter=bearer_key,
        sets=api_key,
    )
    invoke_timeout: float = text_input(
        label=I18n("Timeout in seconds", zh_Hans="超时时间（秒）"),
        placeholder=I18n(
            "Seconds to wait for the server to respond; 60 by default",
            zh_Hans="无响应的最长等待时间，并非总时长；默认 60",
        ),
        default=60.0,
        validator=gt(0),
        sets=timeout,
    )
    max_retries: int = text_input(
        label=I18n("Retries", zh_Hans="重试次数"),
        placeholder=I18n(
            "If the connection fails or the server answers 429, 502, 503 or 504; 3 by default",
            zh_Hans="连接失败或服务器返回 429、502、503、504 时重试；默认 3",
        ),
        default=3,
        validator=between(0, 10),
        sets=max_retries,
    )
    verify_tls: bool = radio(
        label=I18n("Verify the TLS certificate", zh_Hans="验证 TLS 证书"),
        options=[
            Option("true", I18n("Yes (default)", zh_Hans="是（默认）")),
            Option("false", I18n("No", zh_Hans="否")),
        ],
        default=True,
        sets=verify_tls,
    )
    ca_certificate: str | None = text_input(
        label=I18n("CA certificate", zh_Hans="CA 证书"),
        placeholder=I18n(
            "PEM, if the server's certificate is from a private authority",
            zh_Hans="服务器使用私有 CA 签发的证书时填写，PEM 格式",
        ),
        default=None,
        converter=pem,
        sets=ca_certificate,
    )
    extra_headers: Secret | None = secret_input(
        label=I18n("Extra headers", zh_Hans="附加请求头"),
        placeholder=I18n(
            "For a gateway, e.g. X-Team: search; X-Env: prod",
            zh_Hans="供网关使用，如 X-Team: search; X-Env: prod",
        ),
        default=None,
        sets=headers,
    )
    context_size: int | None = text_input(
        label=I18n("Context size in tokens", zh_Hans="上下文长度（token）"),
        placeholder=I18n("As the server tells if empty", zh_Hans="留空则以服务器返回的值为准"),
        default=None,
        validator=gt(0),
        show_on=LLM_ONLY,
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
    structured_output: Literal["auto", "yes", "no"] = select(
        label=I18n("Structured output", zh_Hans="结构化输出"),
        options=CHOICE,
        default="auto",
        show_on=LLM_ONLY,
    )
    thinking: Literal["auto", "yes", "no"] = select(
        label=I18n("Thinking can be switched", zh_Hans="可切换思考模式"),
        options=CHOICE,
        default="auto",
        show_on=LLM_ONLY,
    )
    input_price: float | None = text_input(
        label=I18n("Input price", zh_Hans="输入价格"),
        placeholder=I18n("Of as many tokens as below", zh_Hans="按下方的计价单位"),
        default=None,
        validator=at_least(0),
        show_on=LLM_ONLY,
    )
    output_price: float | None = text_input(
        label=I18n("Output price", zh_Hans="输出价格"),
        placeholder=I18n("Of as many tokens as below", zh_Hans="按下方的计价单位"),
        default=None,
        validator=at_least(0),
        show_on=LLM_ONLY,
    )
    price_unit: str = select(
        label=I18n("Prices are for", zh_Hans="计价单位"),
        options=[
            Option("0.000001", I18n("1,000,000 tokens (default)", zh_Hans="100 万 token（默认）")),
            Option("0.001", I18n("1,000 tokens", zh_Hans="1000 token")),
        ],
        default="0.000001",
        show_on=LLM_ONLY,
    )
    currency: str = text_input(
        label=I18n("Currency", zh_Hans="货币"),
        placeholder=I18n("USD by default", zh_Hans="默认 USD"),
        default="USD",
        show_on=LLM_ONLY,
    )
    exact_tokens: bool = radio(
        label=I18n("Count tokens on the server", zh_Hans="由服务器计算 token 数"),
        options=[
            Option("true", I18n("Yes, one more request a call", zh_Hans="是，每次调用多一次请求")),
            Option("false", I18n("No, estimate (default)", zh_Hans="否，使用估算值（默认）")),
        ],
        default=False,
        show_on=LLM_ONLY,
    )
    send_user: bool = radio(
        label=I18n("Send the end user's ID", zh_Hans="发送终端用户 ID"),
        options=[
            Option("true", I18n("Yes, as user", zh_Hans="是，作为 user 参数")),
            Option("false", I18n("No (default)", zh_Hans="否（默认）")),
        ],
        default=False,
        show_on=LLM_ONLY,
    )
    max_chunks: int | None = text_input(
        label=I18n("Texts per embedding call", zh_Hans="单次嵌入的文本数量"),
        placeholder=I18n(
            "At most 64 if empty, fewer for long vectors",
            zh_Hans="留空则最多 64，向量维度较高时自动减少",
        ),
        default=None,
        validator=between(1, 2048),
        show_on=EMBEDDING_ONLY,
    )
    query_prefix: str | None = text_input(
        label=I18n("Query prefix", zh_Hans="查询前缀"),
        placeholder=I18n(
            "For e5 and other instruction models, e.g. query:",
            zh_Hans="用于 e5 等指令模型，如 query:",
        ),
        default=None,
        show_on=EMBEDDING_ONLY,
    )
    document_prefix: str | None = text_input(
        label=I18n("Document prefix", zh_Hans="文档前缀"),
        placeholder=I18n("E.g. passage:", zh_Hans="如 passage:"),
        default=None,
        show_on=EMBEDDING_ONLY,
    )
    truncate: bool = radio(
        label=I18n("Texts that are too long", zh_Hans="过长的文本"),
        options=[
            Option("true", I18n("Cut at the model's limit", zh_Hans="截断到模型上限")),
            Option("false", I18n("Send as they are (default)", zh_Hans="原样发送（默认）")),
        ],
        default=False,
        show_on=EMBEDDING_ONLY,
    )
    scores: Literal["server", "sigmoid"] = select(
        label=I18n("Rerank scores", zh_Hans="重排序得分"),
        options=[
            Option(
                "server",
                I18n("As the server gives them (default)", zh_Hans="使用服务器返回的得分（默认）"),
            ),
            Option("sigmoid", I18n("Logits, brought to 0 to 1", zh_Hans="将 logits 换算到 0 到 1")),
        ],
        default="server",
        show_on={"__model_type": "rerank"},
    )
    language: str | None = text_input(
        label=I18n("Language of the audio", zh_Hans="音频语言"),
        placeholder=I18n("E.g. en or zh; detected if empty", zh_Hans="如 zh、en；留空则自动识别"),
        default=None,
        converter=language_code,
        sets=body("language"),
        show_on={"__model_type": "speech2text"},
    )
    prompt: str | None = text_input(
        label=I18n("Transcription prompt", zh_Hans="转写提示词"),
        placeholder=I18n(
            "Names and terms that occur, e.g. Dify, Xinference",
            zh_Hans="可能出现的名称和术语，如 Dify、Xinference",
        ),
        default=None,
        sets=body("prompt"),
        show_on={"__model_type": "speech2text"},
    )
    voices: str | None = text_input(
        label=I18n("Voices", zh_Hans="音色"),
        placeholder=I18n(
            "Separated by commas; those of the model's family if empty",
            zh_Hans="以逗号分隔；留空则使用该模型系列的音色",
        ),
        default=None,
        show_on=SPEECH_ONLY,
    )
    cloned_voices: str | None = text_input(
        label=I18n("Cloned voices", zh_Hans="克隆音色"),
        placeholder=I18n(
            "Name = URL of a recording | the words in it; separated by ;",
            zh_Hans="名称 = 参考音频的 URL | 音频中的文字；以 ; 分隔",
        ),
        default=None,
        validator=cloned_voices,
        show_on=SPEECH_ONLY,
    )
    instructions: str | None = text_input(
        label=I18n("Speaking instructions", zh_Hans="语音指令"),
        placeholder=I18n(
            "If the model takes them, e.g. Speak slowly and warmly",
            zh_Hans="模型支持时填写，如：语速放慢，语气温和",
        ),
        default=None,
        show_on=SPEECH_ONLY,
    )
    speed: float | None = text_input(
        label=I18n("Speed", zh_Hans="语速"),
        placeholder=I18n(
            "0.25 to 4; 1 by default, if the model can", zh_Hans="0.25 到 4；默认 1（需模型支持）"
        ),
        default=None,
        validator=between(0.25, 4),
        sets=body("speed"),
        show_on=SPEECH_ONLY,
    )


def can(field: str, otherwise: Condition) -> Condition:
    """Let the user overrule what the server tells."""
    return (setting(field) == "yes") | (~(setting(field) == "no") & otherwise)


CONTEXT = first_of(setting("context_size"), limit("context_length"), 4096)
TOOLS = can("tools", ability("tools"))
HYBRID = can("thinking", ability("hybrid"))

LLM = CustomizableModel(
    model_type=ModelType.LLM,
    features={
        Feature.AGENT_THOUGHT: always,
        Feature.TOOL_CALL: TOOLS,
        Feature.MULTI_TOOL_CALL: TOOLS,
        Feature.STREAM_TOOL_CALL: TOOLS,
        Feature.VISION: can("vision", ability("vision") | ability("omni")),
        Feature.AUDIO: ability("audio") | ability("omni"),
        Feature.VIDEO: ability("omni"),
        # Transformers takes the parameter and writes whatever it likes.
        Feature.STRUCTURED_OUTPUT: can(
            "structured_output", ability("chat") & ~engine("transformers")
        ),
    },
    properties={
        # Of a model whose abilities an older server does not tell, most are for chat.
        "mode": choose(ability("generate") & ~ability("chat"), "completion", otherwise="chat"),
        "context_size": CONTEXT,
    },
    pricing=VariablePricing(
        input=setting("input_price"),
        output=setting("output_price"),
        unit=setting("price_unit"),
        currency=setting("currency"),
    ),
    parameter_rules=(
        ParameterRule(
            name="temperature",
            use_template=Template.TEMPERATURE,
            label=I18n("Temperature", zh_Hans="温度"),
            help=I18n(
                "Higher values make answers more varied, lower ones more predictable",
                zh_Hans="值越高，回答越多样；越低，越确定",
            ),
            default=0.7,
            max=2,
        ),
        ParameterRule(
            name="top_p",
            use_template=Template.TOP_P,
            label=I18n("Top P", zh_Hans="Top P"),
            help=I18n(
                "Samples from the most probable tokens that together reach this probability",
                zh_Hans="只从累计概率达到该值的候选 token 中采样",
            ),
        ),
        ParameterRule(
            name="top_k",
            use_template=Template.TOP_K,
            label=I18n("Top K", zh_Hans="Top K"),
            help=I18n(
                "Samples from the K most probable tokens",
                zh_Hans="只从概率最高的 K 个 token 中采样",
            ),
        ),
        ParameterRule(
            name="min_p",
            type=ParameterType.FLOAT,
            label=I18n("Min P", zh_Hans="Min P"),
            help=I18n(
                "Leaves out tokens less probable than this share of the highest probability",
                zh_Hans="过滤概率低于「最高概率 × 该值」的 token",
            ),
            min=0,
            max=1,
            precision=2,
        ),
        ParameterRule(
            name="max_tokens",
            use_template=Template.MAX_TOKENS,
            label=I18n("Max Tokens", zh_Hans="最大生成长度"),
            help=I18n(
                "Most tokens in one answer; together with the prompt at most the context size",
                zh_Hans="单次回答最多生成的 token 数；与提示词之和不能超过上下文长度",
            ),
            min=1,
            max=CONTEXT,
            default=512,
        ),
        ParameterRule(
            name="presence_penalty",
            use_template=Template.PRESENCE_PENALTY,
            label=I18n("Presence Penalty", zh_Hans="存在惩罚"),
            help=I18n(
                "Penalizes tokens that have occurred; higher values favor new topics",
                zh_Hans="已出现过的 token 受到的惩罚，值越高越倾向新话题",
            ),
            min=-2,
            max=2,
        ),
        ParameterRule(
            name="frequency_penalty",
            use_template=Template.FREQUENCY_PENALTY,
            label=I18n("Frequency Penalty", zh_Hans="频率惩罚"),
            help=I18n(
                "Penalizes tokens by how often they have occurred; higher values repeat less",
                zh_Hans="按 token 已出现的次数惩罚，值越高越少重复",
            ),
            min=-2,
            max=2,
        ),
        ParameterRule(
            name="repetition_penalty",
            type=ParameterType.FLOAT,
            label=I18n("Repetition Penalty", zh_Hans="重复惩罚"),
            help=I18n(
                "Above 1 discourages repetition, below 1 encourages it",
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
                "The same seed, prompt and parameters give the same answer, if the engine can",
                zh_Hans="在推理引擎支持时，相同的种子、提示词和参数会得到相同的回答",
            ),
        ),
        ParameterRule(
            name="response_format",
            type=ParameterType.STRING,
            label=I18n("Response Format", zh_Hans="回复格式"),
            help=I18n(
                "JSON of any shape, or of the JSON Schema below, if the engine can",
                zh_Hans="任意结构的 JSON，或符合下方 JSON Schema 的 JSON（需推理引擎支持）",
            ),
            options=("text", "json_object", "json_schema"),
            when=ability("chat"),
        ),
        ParameterRule(
            name="json_schema",
            use_template=Template.JSON_SCHEMA,
            label=I18n("JSON Schema", zh_Hans="JSON Schema"),
            help=I18n(
                "Required if the response format is json_schema",
                zh_Hans="「回复格式」为 json_schema 时必填",
            ),
            when=ability("chat"),
        ),
        ParameterRule(
            name="enable_thinking",
            type=ParameterType.BOOLEAN,
            label=I18n("Thinking", zh_Hans="思考模式"),
            help=I18n(
                "Whether the model thinks before it answers; the model decides if unset",
                zh_Hans="模型回答前是否进行思考；未设置时由模型决定",
            ),
            when=HYBRID,
        ),
        ParameterRule(
            name="thinking_budget",
            type=ParameterType.INT,
            label=I18n("Thinking budget", zh_Hans="思考长度上限"),
            help=I18n(
                "Most tokens to think, if the engine can",
                zh_Hans="思考过程最多使用的 token 数（需推理引擎支持）",
            ),
            min=0,
            when=HYBRID | ability("reasoning"),
        ),
        ParameterRule(
            name="reasoning_effort",
            type=ParameterType.STRING,
            label=I18n("Reasoning effort", zh_Hans="思考强度"),
            help=I18n(
                "How deeply the model thinks, if its chat template can, as that of gpt-oss",
                zh_Hans="回答前思考的深度（需模型的对话模板支持，如 gpt-oss）",
            ),
            options=("low", "medium", "high"),
            when=HYBRID | ability("reasoning"),
        ),
        ParameterRule(
            name="extra_body",
            type=ParameterType.TEXT,
            label=I18n("Extra parameters", zh_Hans="额外参数"),
            help=I18n(
                'A JSON object that is added to the request, e.g. {"guided_choice": ["a", "b"]}',
                zh_Hans='添加到请求中的 JSON 对象，例如 {"guided_choice": ["a", "b"]}',
            ),
        ),
    ),
)

TEXT_EMBEDDING = CustomizableModel(
    model_type=ModelType.TEXT_EMBEDDING,
    features={Feature.VISION: ability("embed_vision")},
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
    features={Feature.VISION: ability("rerank_vision")},
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
    truncate=setting("truncate"),
    models=("jina-embeddings-v*",),
)
"""The models that tell queries from documents when asked to; others fail on the word."""

PREFIXED = Embedding(
    query_prefix=setting("query_prefix"),
    document_prefix=setting("document_prefix"),
    truncate=setting("truncate"),
)

project = Project(
    manifest=Manifest(
        name="xinference",
        version="0.1.0",
        author="xinfer",
        label=I18n("Xorbits Inference"),
        description=I18n(
            "Models that you host yourself with Xinference: language, embedding, rerank, "
            "speech to text and text to speech.",
            zh_Hans="使用 Xinference 自部署的语言、嵌入、重排序、语音转文字和文字转语音模型。",
        ),
        icon="icon_s_en.svg",
        icon_dark="icon_s_dark_en.svg",
        created_at=datetime(2026, 11, 23, tzinfo=UTC),
        meta=Meta(minimum_dify_version="1.0.0"),
        tags=(Tag.RAG, Tag.AGENT),
        privacy="PRIVACY.md",
        repo="https://github.com/xinfer/xinfer",
        contact="maintainers@example.org",
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
            url=I18n(
                "https://github.com/xorbitsai/inference",
                zh_Hans="https://inference.readthedocs.io/zh-cn/latest/",
            ),
        ),
    ),
    credentials=XinferenceCredentials,
    customizable_models=(LLM, TEXT_EMBEDDING, RERANK, SPEECH2TEXT, TTS),
    runtime=Xinference(
        embedding=(JINA, PREFIXED),
        rerank=Rerank(scores=setting("scores")),
        speech=Speech(clones=setting("cloned_voices"), instructions=setting("instructions")),
        user=EndUser(when=setting("send_user")),
        exact_tokens=setting("exact_tokens"),
    ),
)
