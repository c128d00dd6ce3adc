"""Xinference for Dify, declared once: edit this file, then run ``uv run build.py``.

Manifest, credential form, the check of what users enter and the models' parameters follow from it.
"""

from datetime import UTC, datetime
from typing import Literal

from xinfer.spec import (
    Credentials,
    CustomizableModel,
    Embedding,
    EndUser,
    Feature,
    Help,
    I18n,
    Manifest,
    ModelType,
    Option,
    Override,
    Project,
    Provider,
    Rerank,
    Resource,
    Secret,
    Speech,
    Tag,
    VariablePricing,
    Xinference,
    ability,
    always,
    api_key_input,
    at_least,
    base_url_input,
    between,
    body,
    ca_certificate_input,
    choose,
    cloned_voices,
    context_size_input,
    document_prefix_input,
    engine,
    first_of,
    headers_input,
    http_url,
    language_input,
    limit,
    listed,
    max_retries_input,
    model,
    overridable,
    override_input,
    parameter,
    query_prefix_input,
    radio,
    select,
    setting,
    text_input,
    texts_per_call,
    timeout_input,
    verify_tls_input,
)

PASTED_ALONG = ("/v1", "/ui", "/docs", "/v1/models", "/v1/chat/completions", "/v1/embeddings")
"""Paths of a server that people copy with its URL."""

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
    server_url: str = base_url_input(
        label=I18n("Server URL", zh_Hans="服务器 URL"),
        placeholder=I18n(
            "URL of Xinference, e.g. http://192.168.1.100:9997",
            zh_Hans="Xinference 的 URL，如 http://192.168.1.100:9997",
        ),
        converter=http_url(without=PASTED_ALONG),
    )
    model_uid: str = text_input(
        label=I18n("Model UID", zh_Hans="模型 UID"),
        placeholder=I18n(
            "The UID that xinference list shows, e.g. bge-m3",
            zh_Hans="xinference list 输出的 UID，如 bge-m3",
        ),
        sets=model,
    )
    api_key: Secret | None = api_key_input(default=None)
    invoke_timeout: float = timeout_input()
    max_retries: int = max_retries_input()
    verify_tls: bool = verify_tls_input()
    ca_certificate: str | None = ca_certificate_input()
    extra_headers: Secret | None = headers_input()
    context_size: int | None = context_size_input(show_on=LLM_ONLY)
    tools: Override = override_input(label=I18n("Tool calls", zh_Hans="工具调用"), show_on=LLM_ONLY)
    vision: Override = override_input(label=I18n("Images", zh_Hans="图片输入"), show_on=LLM_ONLY)
    structured_output: Override = override_input(
        label=I18n("Structured output", zh_Hans="结构化输出"), show_on=LLM_ONLY
    )
    thinking: Override = override_input(
        label=I18n("Thinking can be switched", zh_Hans="可切换思考模式"), show_on=LLM_ONLY
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
    query_prefix: str | None = query_prefix_input(show_on=EMBEDDING_ONLY)
    document_prefix: str | None = document_prefix_input(show_on=EMBEDDING_ONLY)
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
    language: str | None = language_input(show_on={"__model_type": "speech2text"})
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
        max_length=2_000_000,  # of recordings in data: URLs
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


CONTEXT = first_of(setting("context_size"), limit("context_length"), 4096)
TOOLS = overridable(ability("tools"), by="tools")
HYBRID = overridable(ability("hybrid"), by="thinking")

LLM = CustomizableModel(
    model_type=ModelType.LLM,
    features={
        Feature.AGENT_THOUGHT: always,
        Feature.TOOL_CALL: TOOLS,
        Feature.MULTI_TOOL_CALL: TOOLS,
        Feature.STREAM_TOOL_CALL: TOOLS,
        Feature.VISION: overridable(ability("vision") | ability("omni"), by="vision"),
        Feature.AUDIO: ability("audio") | ability("omni"),
        Feature.VIDEO: ability("omni"),
        # Transformers takes the parameter and writes whatever it likes.
        Feature.STRUCTURED_OUTPUT: overridable(
            ability("chat") & ~engine("transformers"), by="structured_output"
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
        parameter("temperature", default=0.7),
        parameter("top_p"),
        parameter("top_k"),
        parameter("min_p"),
        parameter("max_tokens", max=CONTEXT, default=512),
        parameter("presence_penalty"),
        parameter("frequency_penalty"),
        parameter("repetition_penalty"),
        parameter("seed"),
        parameter("response_format", when=ability("chat")),
        parameter("json_schema", when=ability("chat")),
        parameter("enable_thinking", when=HYBRID),
        parameter("thinking_budget", when=HYBRID | ability("reasoning")),
        parameter("reasoning_effort", when=HYBRID | ability("reasoning")),
        parameter("extra_body"),
    ),
)

TEXT_EMBEDDING = CustomizableModel(
    model_type=ModelType.TEXT_EMBEDDING,
    features={Feature.VISION: ability("embed_vision")},
    properties={
        "context_size": first_of(limit("max_tokens"), 512),
        "max_chunks": texts_per_call(),
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
        # Two recordings of 24 MB at once, as the SDK hands them on: hexadecimal text and bytes.
        resource=Resource(memory=512 * 1024 * 1024),
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
