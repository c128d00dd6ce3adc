"""How other servers than Xinference answer, as data: one :class:`Shape` a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, field, frozen

from xinfer.testing.server.answer import DONE, Answer, as_json, event, stream, whole

type Ranked = list[tuple[int, float]]


def _nested(status: int, message: str) -> Answer:
    error = {"message": message, "type": "error", "param": None, "code": status}
    return as_json({"error": error}, status)


def _flat(status: int, message: str) -> Answer:
    return as_json({"object": "error", "message": message, "type": "Error", "code": status}, status)


def _text(status: int, message: str) -> Answer:
    return as_json({"error": message, "error_type": "validation"}, status)


def _detail(status: int, message: str) -> Answer:
    return as_json({"detail": message}, status)


def _bare(status: int, message: str) -> Answer:
    """Refuse a key as TEI does, without a body."""
    return whole(b"", "text/plain", status) if status == 401 else _text(status, message)


def _jina(ranked: Ranked, documents: list[str]) -> Any:
    results = [
        {"index": index, "document": {"text": documents[index]}, "relevance_score": score}
        for index, score in ranked
    ]
    return {"id": "rerank-1", "results": results, "usage": {"total_tokens": 5}}


def _cohere(ranked: Ranked, documents: list[str]) -> Any:
    results = [{"index": index, "relevance_score": score} for index, score in ranked]
    return {"id": "rerank-1", "results": results, "meta": {"tokens": {"input_tokens": 5}}}


def _array(ranked: Ranked, documents: list[str]) -> Any:
    return [
        {"score": score, "document": documents[index], "index": index} for index, score in ranked
    ]


def _probability(length: int) -> float:
    return 1 - 1 / (1 + length)


def _logit(length: int) -> float:
    return float(length - 12)


@frozen(kw_only=True)
class Shape:
    """How one kind of server answers.

    :param base: what its paths begin with.
    :param tells: the answers to questions about models, by route.
    :param listens: whether it transcribes and speaks.
    :param key_status: of a refused key.
    :param key: of thoughts; empty where they stand in the text between tags.
    :param marked: whether a delta of thoughts has a ``content`` key, as ``null``.
    :param objects: arguments of tool calls are objects instead of texts.
    :param whole_calls: streamed calls come in one piece.
    :param refuses: keys of a chat's body, or ``key=value``, and the words that refuse them.
    :param refusal: makes the answer of a status and words.
    :param too_long_words: of a prompt that does not fit.
    :param flat_events: an error within a stream is not wrapped in ``error``.
    """

    base: str = "/v1"
    tells: Mapping[str, Any] = field(factory=dict)
    chats: bool = True
    embeds: bool = True
    listens: bool = False
    rerank_route: str = ""
    documents: str = "documents"
    reranked: Callable[[Ranked, list[str]], Any] = _jina
    score: Callable[[int], float] = _probability
    key_status: int = 401
    key: str = "reasoning_content"
    marked: bool = False
    objects: bool = False
    whole_calls: bool = False
    refuses: Mapping[str, str] = field(factory=dict)
    refusal: Callable[[int, str], Answer] = _nested
    too_long_status: int = 400
    too_long_words: str = "This model's maximum context length is 4096 tokens"
    empty_when_too_long: bool = False
    unknown_model: str = "The model `{model}` does not exist."
    knows_names: bool = True
    unknown_is_200: bool = False
    flat_events: bool = False
    done_after_error: bool = True
    largest_batch: int | None = None
    first_delta: Mapping[str, Any] = field(factory=lambda: {"role": "assistant", "content": ""})

    def knows(self, model: str) -> bool:
        """Return whether the list of models has a name; some servers do not look."""
        rows = (row for told in self.tells.values() for row in told.get("data", ()))
        return not self.knows_names or any(row.get("id") == model for row in rows)

    def thought(self, text: str, *, whole: bool = False) -> dict[str, Any]:
        """Write a thought into a message or a delta."""
        if not self.key:
            return {"content": f"<think>{text}</think>" if whole else text}
        return {self.key: text, **({"content": None} if self.marked else {})}

    def too_long(self, streamed: bool) -> Answer:
        """Refuse a prompt that does not fit, each in its way."""
        if self.empty_when_too_long and streamed:
            usage = {"prompt_tokens": 5000, "completion_tokens": 0, "total_tokens": 5000}
            return stream(map(event, [{"choices": [], "usage": usage}, DONE]))
        return self.refusal(self.too_long_status, self.too_long_words)

    def error_event(self, message: str) -> Any:
        """Write an error within a stream."""
        if self.flat_events:
            return {"object": "error", "message": message, "code": 500}
        return {"error": {"message": message, "code": 500}}

    def unknown_route(self, method: str, route: str) -> Answer:
        """Refuse a path that the server does not have."""
        if self.unknown_is_200:
            return as_json({"error": f"Unexpected endpoint or method. ({method} {route})"})
        return self.refusal(404, "Not Found")


def _row(owner: str, **more: Any) -> dict[str, Any]:
    return {"id": "m", "object": "model", "created": 0, "owned_by": owner, **more}


def _list(*rows: Mapping[str, Any], path: str = "/v1/models") -> dict[str, Any]:
    return {path: {"object": "list", "data": list(rows)}}


_VLLM = Shape(
    tells=_list(_row("vllm", root="m", parent=None, max_model_len=8192)),
    rerank_route="/v1/rerank",
    key="reasoning",
    refuses={"chat_template_kwargs=text": "chat_template_kwargs must be an object"},
)


def _tei(model_type: Mapping[str, Any], *, embeds: bool = False, rerank_route: str = "") -> Shape:
    told = {
        "model_id": "BAAI/bge",
        "model_type": model_type,
        "max_input_length": 512,
        "max_client_batch_size": 32,
    }
    return Shape(
        tells={"/info": told},
        chats=False,
        embeds=embeds,
        rerank_route=rerank_route,
        documents="texts",
        reranked=_array,
        refusal=_bare,
        largest_batch=32,
        knows_names=False,
    )


SHAPES: Mapping[str, Shape] = {
    "openai": Shape(
        tells=_list(_row("openai")),
        refuses={
            "chat_template_kwargs": "Unrecognized request argument supplied",
            "enable_thinking": "Unrecognized request argument supplied",
        },
        rerank_route="/v1/rerank",
    ),
    "vllm": _VLLM,
    "sglang": Shape(
        tells={
            **_list(_row("sglang", max_model_len=16384)),
            "/model_info": {
                "model_path": "m",
                "is_generation": True,
                "has_image_understanding": True,
                "has_audio_understanding": False,
                "tool_call_parser": "qwen25",
                "reasoning_parser": None,
            },
        },
        rerank_route="/v1/rerank",
        reranked=_array,
        objects=True,
        refusal=_flat,
        flat_events=True,
        too_long_words=(
            "The input (5000 tokens) is longer than the model's context length (4096 tokens)."
        ),
        first_delta={
            "role": "assistant",
            "content": "",
            "reasoning_content": None,
            "tool_calls": None,
        },
    ),
    "llama.cpp": Shape(
        tells={
            "/v1/models": {
                "object": "list",
                "models": [{"name": "m", "capabilities": ["completion"]}],
                "data": [_row("llamacpp", meta={"n_ctx": 2048, "n_ctx_train": 32768})],
            },
            "/props": {
                "default_generation_settings": {"n_ctx": 2048},
                "modalities": {"vision": True, "audio": False},
                "chat_template_caps": {"supports_tools": True},
            },
        },
        rerank_route="/v1/rerank",
        reranked=_cohere,
        score=_logit,
        knows_names=False,
        done_after_error=False,
        too_long_words="request (5000 tokens) exceeds the available context size (2048 tokens)",
        first_delta={"role": "assistant", "content": None},
    ),
    "ollama": Shape(
        tells={
            **_list(_row("library")),
            "/api/show": {
                "capabilities": ["completion", "tools", "vision"],
                "model_info": {"qwen3.context_length": 262144},
            },
            "/api/ps": {"models": [{"name": "m", "model": "m", "context_length": 4096}]},
        },
        key="reasoning",
        whole_calls=True,
        unknown_model='model "{model}" not found, try pulling it first',
    ),
    "lm-studio": Shape(
        tells={
            **_list(_row("organization_owner")),
            "/api/v1/models": {
                "models": [
                    {
                        "key": "m",
                        "type": "llm",
                        "max_context_length": 262144,
                        "loaded_instances": [{"config": {"context_length": 4096}}],
                        "capabilities": {"vision": False, "trained_for_tool_use": True},
                    }
                ]
            },
        },
        embeds=False,
        key="reasoning",
        refusal=_text,
        refuses={
            "response_format.type=json_object": (
                "'response_format.type' must be 'json_schema' or 'text'"
            )
        },
        unknown_is_200=True,
        empty_when_too_long=True,
        too_long_words="Trying to keep the first 5000 tokens when context the overflows.",
    ),
    "localai": Shape(
        tells={
            **_list({"id": "m", "object": "model"}),
            "/.well-known/localai.json": {"version": "v4.9.0", "endpoints": {"tts": "/tts"}},
            "/v1/models/capabilities": {
                "data": [{"id": "m", "capabilities": ["chat", "vision"], "input_modalities": []}]
            },
        },
        key="reasoning",
        rerank_route="/v1/rerank",
    ),
    "gpustack": evolve(
        _VLLM,
        tells=_list(_row("gpustack", meta={"n_ctx": 8192, "voices": ["a"]})),
        unknown_model="Model not found",
    ),
    "tgi": Shape(
        tells={
            **_list(_row("m")),
            "/info": {"model_id": "m", "max_input_tokens": 4095, "max_total_tokens": 4096},
        },
        embeds=False,
        key="",
        refusal=_text,
        too_long_status=422,
        too_long_words="`inputs` tokens + `max_new_tokens` must be <= 4096",
        knows_names=False,
    ),
    "tei": _tei({"reranker": {"id2label": {"0": "LABEL_0"}}}, rerank_route="/rerank"),
    "tei-embedding": _tei({"embedding": {"pooling": "cls"}}, embeds=True),
    "litellm": Shape(
        tells={
            **_list(_row("openai", max_input_tokens=128000)),
            "/v1/model/info": {
                "data": [
                    {
                        "model_name": "m",
                        "model_info": {
                            "mode": None,
                            "max_input_tokens": 128000,
                            "supports_vision": True,
                            "supports_function_calling": True,
                        },
                    }
                ]
            },
        },
        rerank_route="/v1/rerank",
        reranked=_cohere,
        too_long_words="litellm.ContextWindowExceededError: OpenAIException - too many tokens",
    ),
    "infinity": Shape(
        base="",
        tells=_list(_row("infinity", capabilities=["embed", "rerank"]), path="/models"),
        chats=False,
        rerank_route="/rerank",
        reranked=_cohere,
        refusal=_detail,
        largest_batch=2048,
    ),
    "lmdeploy": Shape(tells=_list(_row("lmdeploy")), refusal=_flat, flat_events=True, embeds=False),
    "speaches": Shape(
        tells={
            **_list(
                _row("Systran", task="automatic-speech-recognition", language=["en"]),
                {**_row("hexgrad", task="text-to-speech"), "id": "voice"},
            ),
            "/v1/audio/models": {"object": "list", "models": []},
        },
        chats=False,
        embeds=False,
        listens=True,
        refusal=_detail,
        key_status=403,
    ),
}
"""Each server by its dialect's name; TEI serves one kind of model at a time."""
