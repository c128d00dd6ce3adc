"""Calls that servers refuse, and what to do about it; data only.

English and Chinese say the same. A name in braces is filled in where the error is made.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from attrs import frozen

from xinfer.runtime.openai import limits
from xinfer.runtime.openai.errors import (
    BadRequest,
    CallError,
    NotAuthorized,
    RateLimited,
    ServerUnavailable,
)


@frozen
class Text:
    """A part of a sentence in two languages."""

    english: str
    chinese: str

    def format(self, **values: object) -> Text:
        """Fill in the names in braces, each text in its language."""
        english = {key: v.english if isinstance(v, Text) else v for key, v in values.items()}
        chinese = {key: v.chinese if isinstance(v, Text) else v for key, v in values.items()}
        return Text(self.english.format(**english), self.chinese.format(**chinese))


def in_both(text: str | Text) -> Text:
    """Return a text as it is; a name is the same in both languages."""
    return text if isinstance(text, Text) else Text(text, text)


@frozen(kw_only=True)
class Case:
    """One way in which servers refuse a call: how to recognize it, and what to do.

    :param fix: a sentence.
    :param statuses: of the answer; none for any, and for an error inside a stream.
    :param words: a pattern for the server's own words, whatever their case; empty for any. It may
        hold ``{model}`` for the name of the model.
    :param kinds: of calls, by the names of their paths in a dialect; none for any.
    :param error: what to raise where the status alone would say something else.
    :param too_long: the input, or the answer asked for, is longer than the model takes.
    """

    fix: Text
    statuses: Collection[int] = ()
    words: str = ""
    kinds: Collection[str] = ()
    error: type[CallError] | None = None
    too_long: bool = False

    def fits(self, status: int | None, words: str, kind: str, model: str) -> bool:
        """Compare with an answer."""
        if self.statuses and status not in self.statuses:
            return False
        if self.kinds and kind not in self.kinds:
            return False
        pattern = self.words
        if "{model}" in pattern:
            if len(model) > limits.NAME:
                return False
            pattern = pattern.replace("{model}", re.escape(model))
        return not pattern or bool(re.search(pattern, words, re.IGNORECASE))


CHECK_URL = Text(
    "Check that the server URL is that of {label}.",
    "请检查服务器 URL 指向的是否为 {label}。",
)

LATER = Text("later", "稍后")
IN_MINUTES = Text("in {minutes} minutes", "在 {minutes} 分钟后")

_TALK = ("chat", "completions")
_TEXTS = ("embeddings", "rerank")

# Where the words come from: vLLM 0.33, SGLang 0.5, llama.cpp, Ollama 0.33, LM Studio 0.4, TGI 3.3,
# TEI 1.9, LiteLLM 1.110; those of other servers are beside them.
_TOO_LONG = "|".join(
    (
        "maximum context length",
        "context length is",
        "longer than the model's context length",
        "exceeds the available context size",
        "larger than the max(imum)? context size",
        "context size has been exceeded",
        "exceed_context_size",
        "context_length_exceeded",
        "contextwindowexceeded",
        "context window",
        "trying to keep the first",
        "n_keep",
        r"`inputs` tokens \+ `max_new_tokens`",
        r"must have less than \d+ tokens",
        "input length exceeds",
        "too large to process",
        "max_model_len",
        "max_completion_tokens is too large",
        "prompt is too long",
        "exceeds? (the )?context limit",
        "input tokens exceed",
        r"requested tokens \(\d+\) exceed",
    )
)
_OUT_OF_MEMORY = (
    r"out of memory|outofmemory|\boom\b|not enough memory|insufficient memory"
    r"|failed to allocate|cublas_status_alloc_failed"
)

CASES: tuple[Case, ...] = (
    Case(
        words=_TOO_LONG,
        kinds=_TALK,
        error=BadRequest,
        too_long=True,
        fix=Text(
            "The prompt and Max Tokens are more than the model's context holds: lower Max Tokens, "
            "or shorten the prompt.",
            "提示词与最大生成长度之和超出了模型的上下文长度：请调低最大生成长度，或缩短提示词。",
        ),
    ),
    Case(
        words=_TOO_LONG,
        error=BadRequest,
        too_long=True,
        fix=Text(
            "A text is longer than the model takes: split it into shorter ones.",
            "文本超出了模型可接受的长度：请拆分为较短的文本。",
        ),
    ),
    Case(
        words=_OUT_OF_MEMORY,
        kinds=_TEXTS,
        error=ServerUnavailable,
        fix=Text(
            "The server is out of memory: send fewer or shorter texts at once.",
            "服务器显存或内存不足：请减少单次请求的文本数量，或缩短文本。",
        ),
    ),
    Case(
        words=_OUT_OF_MEMORY,
        error=ServerUnavailable,
        fix=Text(
            "The server is out of memory: start the model with a shorter context, or on a larger "
            "GPU.",
            "服务器显存或内存不足：请以更小的上下文长度启动模型，或换用更大的显存。",
        ),
    ),
    Case(
        words="roles? must alternate|alternate user/assistant|must alternate between user",
        error=BadRequest,
        fix=Text(
            "The model takes messages of the user and the assistant in turn only: remove the "
            "messages in between, or choose another model.",
            "该模型只接受用户与助手交替的消息：请移除多余的消息，或换用其他模型。",
        ),
    ),
    Case(
        words="image input is not supported|does not support (image|vision|multimodal)"
        "|not a multimodal model|no (multimodal )?processor|mmproj",
        error=BadRequest,
        fix=Text(
            "The model does not take images as the server runs it: remove them, or start the model "
            "with its vision part.",
            "服务器上运行的该模型不支持图片：请移除图片，或启动模型的视觉部分。",
        ),
    ),
    Case(
        words="does not support tools|tool choice requires|enable-auto-tool-choice|--jinja",
        error=BadRequest,
        fix=Text(
            "The server runs the model without tools: start it with tool calling switched on, or "
            "choose another model.",
            "服务器启动该模型时未启用工具调用：请启用后重新启动，或换用其他模型。",
        ),
    ),
    Case(
        kinds=("transcriptions",),
        words="soundfile|not in the correct format|malformed|invalid data found"
        "|could not (be )?decoded?|error opening|format not recognised|failed to load audio"
        "|unsupported (audio|file)",
        error=BadRequest,
        fix=Text(
            "The server cannot read this recording: convert it to WAV or MP3.",
            "服务器无法读取该音频：请转换为 WAV 或 MP3。",
        ),
    ),
    Case(
        kinds=("speech",),
        words=r"(expects?|requires?|must contain) (an? )?(non-empty )?"
        r"(prompt_speech|reference audio)(?! transcript)",
        error=BadRequest,
        fix=Text(
            "The model speaks with cloned voices only: enter one, with the URL of a recording.",
            "该模型只能使用克隆音色：请填写一个，并附参考音频的 URL。",
        ),
    ),
    Case(
        kinds=("speech",),
        words=r"(prompt_text|transcript)\b.*(empty|required)|requires?\b.*(prompt_text|transcript)",
        error=BadRequest,
        fix=Text(
            "The model needs the words that are spoken in the recording of the voice: enter them "
            "behind its URL.",
            "该模型需要参考音频中所说的文字：请填写在其 URL 之后。",
        ),
    ),
    Case(
        kinds=("speech",),
        words="invalid prompt_speech|failed to decode reference",
        error=BadRequest,
        fix=Text(
            "The server cannot read the recording of the voice: convert it to WAV or MP3.",
            "服务器无法读取该音色的参考音频：请转换为 WAV 或 MP3。",
        ),
    ),
    Case(
        kinds=("speech",),
        words="unexpected keyword argument '(prompt|instruct|reference)"
        "|does not support (prompt|instruct)_",
        error=BadRequest,
        fix=Text(
            "The model has no use for cloned voices or speaking instructions: clear the field.",
            "该模型不支持克隆音色或语音指令：请清空对应字段。",
        ),
    ),
    Case(
        kinds=("speech",),
        words="ffmpeg",
        fix=Text("Install FFmpeg where the server runs.", "请在服务器所在的环境中安装 FFmpeg。"),
    ),
    Case(
        kinds=("embeddings", "rerank"),
        words=r"cannot identify image|invalid image|failed to (load|download|fetch).*image",
        error=BadRequest,
        fix=Text(
            "The server cannot load an image: set FILES_URL of Dify to an address that the server "
            "reaches, or send a PNG or JPEG.",
            "服务器无法加载图片：请将 Dify 的 FILES_URL 设为服务器可访问的地址，或使用 PNG、JPEG。",
        ),
    ),
    Case(
        kinds=("embeddings", "rerank"),
        words=r"modality '\w+' is not supported",
        error=BadRequest,
        fix=Text(
            "The model takes texts only: remove the images, or choose a model that takes them.",
            "该模型仅支持文本：请移除图片，或换用支持图片的模型。",
        ),
    ),
    Case(
        kinds=("chat",),
        words="failed to (load|download|fetch).*(image|url|media)|cannot identify image"
        "|invalid image|no such file or directory.*files",
        error=BadRequest,
        fix=Text(
            "The server cannot load a file of the message: set FILES_URL of Dify to an address "
            "that the server reaches, or send files as Base64.",
            "服务器无法加载消息中的文件：请将 Dify 的 FILES_URL 设为服务器可访问的地址，"
            "或以 Base64 发送文件。",
        ),
    ),
    Case(
        words="unexpected endpoint or method|not_supported_error|this server does not support"
        "|endpoint (is )?not (found|supported)",
        error=BadRequest,
        fix=Text(
            "The server does not offer this as it was started: look at its start options, or "
            "choose another server.",
            "服务器当前的启动方式不提供此功能：请检查其启动参数，或换用其他服务器。",
        ),
    ),
    Case(
        words="no running instances|model is (still )?loading|loading model|being loaded",
        error=ServerUnavailable,
        fix=Text(
            "The model is not ready yet: try again in a moment.", "模型尚未就绪：请稍后重试。"
        ),
    ),
    Case(
        words="no connected db",
        error=NotAuthorized,
        fix=Text(
            "LiteLLM without a database accepts only its master key: enter that.",
            "未连接数据库的 LiteLLM 只接受其主密钥（master key）：请填写该密钥。",
        ),
    ),
    Case(
        statuses={401},
        fix=Text(
            "Enter a valid API key; leave it empty if the server has authentication switched off.",
            "请填写有效的 API 密钥；服务器未启用认证时请留空。",
        ),
    ),
    Case(
        statuses={403},
        fix=Text(
            "Give the API key the right to use this model, or enter another key.",
            "API 密钥无权使用此模型：请在服务器上授权，或换用其他密钥。",
        ),
    ),
    Case(statuses={405}, fix=CHECK_URL),
    Case(
        statuses={407},
        fix=Text("Check HTTP_PROXY and HTTPS_PROXY.", "请检查 HTTP_PROXY 和 HTTPS_PROXY。"),
    ),
    Case(
        statuses={413},
        fix=Text(
            "Raise the size limit of the reverse proxy in front of the server, which nginx calls "
            "client_max_body_size.",
            "请调大服务器前的反向代理的请求大小限制（nginx 的 client_max_body_size）。",
        ),
    ),
    Case(statuses={429}, fix=Text("Try again {later}.", "请{later}重试。")),
    Case(
        words="rate limit|too many requests",
        error=RateLimited,
        fix=Text("Try again {later}.", "请{later}重试。"),
    ),
    Case(
        statuses={502},
        fix=Text(
            "The reverse proxy does not reach {label}: check that it runs.",
            "反向代理无法连接 {label}：请检查其是否正在运行。",
        ),
    ),
    Case(
        statuses={503},
        fix=Text(
            "The model may still be loading: try again in a moment.",
            "模型可能仍在加载：请稍后重试。",
        ),
    ),
    Case(
        statuses={504},
        fix=Text(
            "Raise the timeout of the reverse proxy in front of the server, which nginx calls "
            "proxy_read_timeout.",
            "请调大服务器前的反向代理的超时时间（nginx 的 proxy_read_timeout）。",
        ),
    ),
)
"""The first that fits applies; those of a dialect come before these."""

RECORDING: tuple[Case, ...] = (
    Case(
        statuses=range(400, 600),
        fix=Text(
            "Check that the URL of the recording can be opened without signing in.",
            "请确认该参考音频的 URL 无需登录即可打开。",
        ),
    ),
)
"""For the host of a recording, which is not the model's server."""
