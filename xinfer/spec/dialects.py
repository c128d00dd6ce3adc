"""What differs between OpenAI-compatible servers, as data: where to ask, and what to send.

Answers are read alike whatever the dialect. A path is relative to the base URL; one that begins
with a slash is relative to the base URL without its version part. A server without a record of
its own is described with :func:`attrs.evolve` of the nearest one, or with ``Dialect(…)``.

Sources: the servers' own code, in the versions named at each record.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from attrs import field, frozen

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@frozen(kw_only=True)
class Question:
    """One request that asks about a model.

    :param path: with ``{model}`` where the model's name belongs.
    :param body: sent with POST, with ``{model}`` likewise; without one, the request is a GET.
    :param rows: the key under which a list has a row a model; empty where the answer is about
        the model, or about the server's only one.
    :param id: the key of a row that holds the model's name.
    """

    path: str
    body: Mapping[str, str] | None = field(default=None, hash=False)
    rows: str = ""
    id: str = "id"


@frozen(kw_only=True)
class Dialect:
    """How to speak to one kind of server.

    :param name: as a declaration names it.
    :param version: appended to a base URL that does not end in it, e.g. ``/v1``; empty where
        the base URL is taken as it is.
    :param owned_by: what the server writes as ``owned_by`` in its list of models; by it a server
        is recognised.
    :param signature: a path and a key of its answer that no other server has, for servers that
        name no owner.
    :param models: path of the list of models; ``None`` where there is none.
    :param model: path of one model's description, with ``{model}``; ``None`` where the list
        tells all there is.
    :param questions: where else the server tells of a model.
    :param loads_on_demand: a model is loaded by its first call, and only then does the server
        tell what it was loaded with.
    :param rerank: path; ``None`` where the server has no rerank.
    :param documents: the key of a rerank request's documents.
    :param top_n: the key of the number of results; ``None`` where the server takes none.
    :param rerank_body: sent with every rerank request.
    :param logits: rerank scores are logits of any size, not probabilities.
    :param speech_stream: whether speech may be asked for as it is made.
    :param speech_options: the key that holds a speech model's own options, as JSON text; ``None``
        where they stand in the body.
    :param clone: the field of a form that holds the recording of a voice to clone, and the option
        that holds what is spoken in it; ``None`` where the server takes none.
    :param instructions: the option that tells a model how to speak, by the beginning of its
        family; the empty one is for all others.
    :param encoding_format: how embeddings are asked for; ``None`` leaves the key out.
    :param truncate: the key that has the server cut a text at the model's limit if it is -1;
        ``None`` where there is none.
    :param largest_batch: how many texts one request for embeddings may hold, and documents one
        for rerank.
    :param stream_options: whether streams may be asked for their usage.
    :param count_tokens: path that counts a conversation's tokens, as Anthropic's protocol has it;
        ``None`` where there is none.
    :param thinking: what to send for each value of the parameter ``enable_thinking``.
    :param thinking_budget: the key of the greatest number of tokens to think, where there is one.
    :param reasoning_key: under which an earlier thought is sent back; ``None`` where the server
        takes none.
    :param parameters: the server's names of parameters; ``None`` for those it does not take.
    :param json_object: ``response_format`` for JSON of any shape.
    :param schema_key: the key of ``response_format`` that holds a JSON Schema.
    :param image: type of an image part, and the key that holds it.
    :param audio: likewise of audio; ``input_audio`` holds Base64 and a format.
    :param video: likewise of video; ``None`` where the server takes none.
    """

    name: str
    version: str = ""
    owned_by: tuple[str, ...] = ()
    signature: tuple[str, str] | None = None
    models: str | None = "models"
    model: str | None = None
    questions: tuple[Question, ...] = ()
    loads_on_demand: bool = False
    chat: str = "chat/completions"
    completions: str = "completions"
    embeddings: str = "embeddings"
    rerank: str | None = "rerank"
    documents: str = "documents"
    top_n: str | None = "top_n"
    rerank_body: Mapping[str, Any] = field(default=_NOTHING, hash=False)
    logits: bool = False
    speech: str = "audio/speech"
    speech_stream: bool = False
    speech_options: str | None = None
    clone: tuple[str, str] | None = None
    instructions: Mapping[str, str] = field(
        default=MappingProxyType({"": "instructions"}), hash=False
    )
    transcriptions: str = "audio/transcriptions"
    encoding_format: Literal["base64", "float"] | None = "base64"
    truncate: str | None = None
    largest_batch: int | None = None
    stream_options: bool = True
    count_tokens: str | None = None
    thinking: Mapping[bool, Mapping[str, Any]] = field(default=MappingProxyType({}), hash=False)
    thinking_budget: str | None = None
    reasoning_key: str | None = None
    parameters: Mapping[str, str | None] = field(default=MappingProxyType({}), hash=False)
    json_object: Mapping[str, Any] = field(
        default=MappingProxyType({"type": "json_object"}), hash=False
    )
    schema_key: str = "json_schema"
    image: tuple[str, str] = ("image_url", "image_url")
    audio: tuple[str, str] = ("input_audio", "input_audio")
    video: tuple[str, str] | None = ("video_url", "video_url")


def _template(name: str) -> Mapping[bool, Mapping[str, Any]]:
    """Switch thinking by a variable of the chat template."""
    return {on: {"chat_template_kwargs": {name: on}} for on in (True, False)}


_NO_EFFORT: Mapping[bool, Mapping[str, Any]] = {True: {}, False: {"reasoning_effort": "none"}}

OPENAI = Dialect(name="openai", owned_by=("openai", "system"), thinking=_NO_EFFORT)
"""The protocol itself, for any server of which nothing else is known."""

XINFERENCE = Dialect(
    name="xinference",
    owned_by=("xinference",),
    version="/v1",
    model="models/{model}",
    speech_stream=True,
    speech_options="kwargs",
    truncate="truncate_prompt_tokens",
    clone=("prompt_speech", "prompt_text"),
    instructions={"CosyVoice": "instruct_text", "VoxCPM": "instruct_text", "": "instruct"},
    count_tokens="messages/count_tokens",
    # The engines read the first; some versions of the server look for the second.
    thinking={
        on: {"chat_template_kwargs": {"enable_thinking": on}, "enable_thinking": on}
        for on in (True, False)
    },
    thinking_budget="thinking_token_budget",
    reasoning_key="reasoning_content",
    # Of this type, because the Transformers engine looks for it; the others look at the key.
    audio=("audio", "audio_url"),
)
"""Xinference, 0.16 to 4.1."""

VLLM = Dialect(
    name="vllm",
    truncate="truncate_prompt_tokens",
    owned_by=("vllm",),
    thinking=_template("enable_thinking"),
    thinking_budget="thinking_token_budget",
    reasoning_key="reasoning_content",
    audio=("audio_url", "audio_url"),
)
"""vLLM 0.33."""

SGLANG = Dialect(
    name="sglang",
    owned_by=("sglang",),
    questions=(Question(path="/model_info"),),
    rerank_body={"return_documents": False},
    thinking=_template("enable_thinking"),
    reasoning_key="reasoning_content",
    audio=("audio_url", "audio_url"),
)
"""SGLang 0.5.23."""

LLAMA_CPP = Dialect(
    name="llama.cpp",
    owned_by=("llamacpp",),
    questions=(Question(path="/props"),),
    logits=True,
    thinking=_template("enable_thinking"),
    thinking_budget="thinking_budget_tokens",
    reasoning_key="reasoning_content",
    parameters={"repetition_penalty": "repeat_penalty"},
)
"""llama.cpp's server, of summer 2026."""

OLLAMA = Dialect(
    name="ollama",
    owned_by=("library",),
    questions=(
        # What is loaded; the length that a model was trained with is not what answers.
        Question(path="/api/ps", rows="models", id="model"),
        Question(path="/api/show", body={"model": "{model}"}),
    ),
    loads_on_demand=True,
    rerank=None,
    thinking=_NO_EFFORT,
    parameters={"top_k": None, "min_p": None, "repetition_penalty": None},
    video=None,
)
"""Ollama 0.33."""

LM_STUDIO = Dialect(
    name="lm-studio",
    owned_by=("organization_owner",),
    questions=(Question(path="/api/v1/models", rows="models", id="key"),),
    loads_on_demand=True,
    rerank=None,
    parameters={"repetition_penalty": "repeat_penalty", "min_p": None},
    json_object={
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}},
    },
    video=None,
)
"""LM Studio 0.4."""

LOCALAI = Dialect(
    name="localai",
    signature=("/.well-known/localai.json", "endpoints"),
    questions=(Question(path="models/capabilities", rows="data"),),
    thinking=_NO_EFFORT,
    reasoning_key="reasoning_content",
    parameters={"repetition_penalty": "repeat_penalty"},
)
"""LocalAI 4.9."""

GPUSTACK = Dialect(
    name="gpustack",
    owned_by=("gpustack",),
    models="models?with_meta=true",
    thinking=_template("enable_thinking"),
    reasoning_key="reasoning_content",
)
"""GPUStack 2.3; behind it stand vLLM, SGLang or llama.cpp."""

TGI = Dialect(
    name="tgi",
    signature=("/info", "max_total_tokens"),
    questions=(Question(path="/info"),),
    rerank=None,
    parameters={"top_k": None, "min_p": None, "repetition_penalty": None},
    schema_key="value",
    video=None,
)
"""Text Generation Inference 3.3."""

TEI = Dialect(
    name="tei",
    signature=("/info", "max_client_batch_size"),
    models=None,
    questions=(Question(path="/info"),),
    rerank="/rerank",
    documents="texts",
    top_n=None,
    largest_batch=32,
)
"""Text Embeddings Inference 1.9: embeddings and rerank."""

LITELLM = Dialect(
    name="litellm",
    signature=("/v1/model/info", "data"),
    questions=(Question(path="/v1/model/info", rows="data", id="model_name"),),
)
"""LiteLLM's proxy 1.110."""

INFINITY = Dialect(name="infinity", owned_by=("infinity",), largest_batch=2048)
"""Infinity 0.0.77."""

LMDEPLOY = Dialect(
    name="lmdeploy",
    owned_by=("lmdeploy",),
    rerank=None,
    thinking=_template("enable_thinking"),
    reasoning_key="reasoning_content",
)
"""LMDeploy 0.16."""

SPEACHES = Dialect(name="speaches", signature=("audio/models", "models"), rerank=None)
"""Speaches 0.9: transcription and speech."""

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        XINFERENCE,
        VLLM,
        SGLANG,
        LLAMA_CPP,
        OLLAMA,
        LM_STUDIO,
        LOCALAI,
        GPUSTACK,
        TGI,
        TEI,
        LITELLM,
        INFINITY,
        LMDEPLOY,
        SPEACHES,
    )
}
"""Every dialect by its name."""
