"""The fake server in other servers' shapes: vLLM, SGLang, llama.cpp, Ollama, TEI and so on.

.. code-block:: python

    with DialectServer("sglang") as server:
        requests.post(f"{server.base_url}/chat/completions", json={"model": "m", ...})

What differs between them is a :class:`Shape`. The shapes are those of the servers' sources, in the
versions that :mod:`xinfer.spec.dialects` names. The last message of a chat decides the answer:
``think`` has a thought, ``weather`` calls the first tool twice, ``too long`` and ``fail`` are
refused before and within the answer, ``silence`` ends without one; anything else is repeated.
"""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Mapping
from typing import Any, Self

from xinfer.testing.server.answer import DONE, Answer, Refused, as_json, event, stream, whole
from xinfer.testing.server.arrived import Arrived
from xinfer.testing.server.dialect_shapes import SHAPES, Shape
from xinfer.testing.server.server import FakeServer
from xinfer.testing.server.silence import mp3

MODEL = "m"
"""The name of the only model."""
VECTOR = (0.25, -0.5, 1.0)
_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


class DialectServer(FakeServer):
    """A server of another kind than Xinference, with one model.

    :param dialect: its name in :data:`xinfer.spec.dialects.DIALECTS`.
    :param key: an API key that every request needs.
    :param port: 0 for any that is free.
    """

    def __init__(self, dialect: str, *, key: str | None = None, port: int = 0) -> None:
        super().__init__((), key=None, port=port)
        self._shape = SHAPES[dialect]
        self._key = key

    @property
    def base_url(self) -> str:
        """What a user enters: up to the version part, where the server has one."""
        return self.url + self._shape.base

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def _routed(self, arrived: Arrived) -> Answer:
        shape = self._shape
        if self._key and arrived.headers.get("authorization") != f"Bearer {self._key}":
            return shape.refusal(shape.key_status, "Invalid API key")
        if arrived.route in shape.tells:
            return as_json(shape.tells[arrived.route])
        served = {
            f"{shape.base}/chat/completions": _chat if shape.chats else None,
            f"{shape.base}/completions": _completion if shape.chats else None,
            f"{shape.base}/embeddings": _embeddings if shape.embeds else None,
            f"{shape.base}/audio/transcriptions": _transcription if shape.listens else None,
            f"{shape.base}/audio/speech": _speech if shape.listens else None,
            shape.rerank_route: _rerank,
        }
        answer = served.get(arrived.route) if arrived.method == "POST" else None
        if answer is None:
            return shape.unknown_route(arrived.method, arrived.route)
        body = arrived.body if isinstance(arrived.body, dict) else {}
        for key, words in shape.refuses.items():
            if _holds(body, key):
                return shape.refusal(400, words)
        if "model" in body and not shape.knows(body["model"]):
            return shape.refusal(404, shape.unknown_model.format(model=body["model"]))
        return answer(shape, body)


def _holds(body: Mapping[str, Any], path: str) -> bool:
    """Return whether a body has a key; ``a.b=c`` looks below it and at the value."""
    path, _, wanted = path.partition("=")
    value: Any = body
    for key in path.split("."):
        if not isinstance(value, dict) or key not in value:
            return False
        value = value[key]
    return not wanted or value == wanted


def _last(body: Mapping[str, Any]) -> str:
    content = body["messages"][-1].get("content") or ""
    if isinstance(content, str):
        return content
    return " and ".join(part.get("text") or part["type"] for part in content)


def _chat(shape: Shape, body: Mapping[str, Any]) -> Answer:
    asked = _last(body)
    if asked == "too long":
        return shape.too_long(bool(body.get("stream")))
    if body.get("stream"):
        return _chat_stream(shape, body, asked)
    message: dict[str, Any] = {"role": "assistant", "content": f"You said: {asked}"}
    reason = "stop"
    if asked == "think":
        message |= shape.thought("I think.", whole=True)
        message["content"] = "Done."
    if asked == "weather" and body.get("tools"):
        message |= {"content": None, "tool_calls": list(_calls(shape, body))}
        reason = "tool_calls"
    if asked == "fail":
        return shape.refusal(500, "The GPU is on fire")
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return as_json({"object": "chat.completion", "choices": [choice], "usage": _USAGE})


def _calls(shape: Shape, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    name = body["tools"][0]["function"]["name"]
    return [
        {
            "index": index,
            "id": f"call-{index}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": {"city": city} if shape.objects else json.dumps({"city": city}),
            },
        }
        for index, city in enumerate(("Oslo", "Rome"))
    ]


def _chat_stream(shape: Shape, body: Mapping[str, Any], asked: str) -> Answer:
    deltas: list[Mapping[str, Any]] = [shape.first_delta]
    reason = "stop"
    if asked == "think":
        deltas += [shape.thought("I "), shape.thought("think."), {"content": "Done."}]
    elif asked == "weather" and body.get("tools"):
        deltas += _call_deltas(shape, body)
        reason = "tool_calls"
    elif asked == "fail":
        deltas += [{"content": "Hel"}]
    elif asked != "silence":
        deltas += [{"content": "You "}, {"content": f"said: {asked}"}]
    events: list[Any] = [_event({"delta": delta, "finish_reason": None}) for delta in deltas]
    if asked == "fail":
        ended = [DONE] if shape.done_after_error else []
        return stream(map(event, [*events, shape.error_event("The GPU is on fire"), *ended]))
    if asked == "silence":
        events = []
    else:
        events.append(_event({"delta": {}, "finish_reason": reason}))
    if (body.get("stream_options") or {}).get("include_usage"):
        events.append({"object": "chat.completion.chunk", "choices": [], "usage": _USAGE})
    return stream(map(event, [*events, DONE]))


def _event(choice: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": "chat.completion.chunk", "choices": [{"index": 0, **choice}]}


def _call_deltas(shape: Shape, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    calls = _calls(shape, body)
    if shape.whole_calls:
        return [{"tool_calls": [call]} for call in calls]
    deltas = []
    for call in calls:
        function = call["function"]
        deltas.append({"tool_calls": [call | {"function": function | {"arguments": ""}}]})
        piece = {"index": call["index"], "function": {"arguments": function["arguments"]}}
        deltas.append({"tool_calls": [piece]})
    return deltas


def _completion(_: Shape, body: Mapping[str, Any]) -> Answer:
    choice = {"index": 0, "text": " and so on", "finish_reason": "stop"}
    if body.get("stream"):
        return stream(map(event, [{"choices": [choice]}, DONE]))
    return as_json({"choices": [choice], "usage": _USAGE})


def _embeddings(shape: Shape, body: Mapping[str, Any]) -> Answer:
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if shape.largest_batch and len(texts) > shape.largest_batch:
        raise Refused(
            shape.refusal(
                422, f"batch size {len(texts)} > maximum allowed batch size {shape.largest_batch}"
            )
        )
    written: Any = list(VECTOR)
    if body.get("encoding_format") == "base64":
        written = base64.b64encode(array("f", VECTOR).tobytes()).decode()
    rows = [
        {"object": "embedding", "index": index, "embedding": written} for index in range(len(texts))
    ]
    usage = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return as_json({"object": "list", "data": rows, "usage": usage})


def _transcription(_: Shape, body: Mapping[str, Any]) -> Answer:
    return as_json({"text": f"{len(body['file'].content)} bytes were spoken."})


def _speech(_: Shape, body: Mapping[str, Any]) -> Answer:
    return whole(mp3(0.1), "audio/mpeg")


def _rerank(shape: Shape, body: Mapping[str, Any]) -> Answer:
    documents = body[shape.documents]
    if shape.largest_batch and len(documents) > shape.largest_batch:
        return shape.refusal(422, f"batch size {len(documents)} > maximum allowed batch size")
    if "top_n" in body and not (isinstance(body["top_n"], int) and body["top_n"] > 0):
        return shape.refusal(400, "top_n must be at least 1")
    # The longer a document, the better.
    scores = [shape.score(len(text)) for text in documents]
    ranked = sorted(enumerate(scores), key=lambda scored: -scored[1])[: body.get("top_n")]
    return as_json(shape.reranked(ranked, documents))
