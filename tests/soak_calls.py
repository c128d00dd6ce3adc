"""Calls of every kind, each with what its answer must be, so that a swapped answer shows."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from attrs import field, frozen
from every_type import text_of

from xinfer.daemon.session import CallError, PluginError
from xinfer.testing.server import silence
from xinfer.testing.server.vectors import bag, likeness

_WORDS = ("river", "stone", "cloud", "lamp", "wheel", "paper", "salt")
_TOOL = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}


@frozen(kw_only=True)
class Call:
    """One request.

    :param right: says whether the payloads of its answer are what they must be.
    :param error: the kind of error, and a word in it, that it must end with instead.
    """

    action: str
    model_type: str
    uid: str
    fields: dict[str, Any]
    right: Callable[[list[Any]], bool] = bool
    error: tuple[str, str] | None = None
    settings: dict[str, str] = field(factory=dict)

    def send(self, plugin, url):
        """Return the payloads of the answer as they come."""
        return plugin.call(
            self.action,
            provider="xinference",
            model_type=self.model_type,
            model="mine",
            credentials={"server_url": url, "model_uid": self.uid, **self.settings},
            **self.fields,
        )

    def outcome(self, plugin, url):
        """Make the call; say what became of it: right, meant, wrong or lost, and why."""
        try:
            pieces = list(self.send(plugin, url))
        except CallError as error:
            return self.of_error(error)
        except PluginError as error:
            return "lost", f"{self.action} of {self.uid}: {error}"
        if self.error or not self._is_right(pieces):
            return "wrong", f"{self.action} of {self.uid} answered {str(pieces)[:300]}"
        return "right", ""

    def _is_right(self, pieces):
        try:
            return self.right(pieces)
        except (LookupError, TypeError, ValueError):  # not even of the shape it must have
            return False

    def of_error(self, error):
        """Say whether a call was to end so."""
        if self.error and error.kind == self.error[0] and self.error[1] in str(error):
            return "meant", str(error)
        return "wrong", f"{self.action} of {self.uid} ended with {error}"


class Tally(Counter):
    """How many calls became what, and the first few that should not have."""

    def __init__(self):
        super().__init__()
        self.complaints = []

    def note(self, outcome):
        become, why = outcome
        self[become] += 1
        if become in ("wrong", "lost"):
            self.complaints = [*self.complaints, why][:10]


def chat(content, uid="chat", *, stream=True, tools=None, **more):
    message = {"role": "user", "content": content, "name": "", "tool_calls": []}
    fields = {
        "prompt_messages": [message],
        "model_parameters": {},
        "stop": None,
        "tools": tools,
        "stream": stream,
    }
    return Call(action="invoke_llm", model_type="llm", uid=uid, fields=fields, **more)


def counting(last, uid="chat", **more):
    """Have a model count: its answer shows a missing, doubled or foreign piece."""
    numbers = " ".join(map(str, range(1, last + 1)))

    def right(pieces):
        return text_of(pieces) == numbers and pieces[-1]["delta"]["usage"]["completion_tokens"] > 0

    return chat(f"count to {last}", uid, right=right, **more)


def _thinking(number):
    def right(pieces):
        text = text_of(pieces)
        thought, closed, answer = text.partition("</think>")
        counted = " ".join(map(str, range(1, 4 + number % 5)))
        return thought.startswith("<think>") and closed and answer.strip() == counted

    return chat(f"count to {3 + number % 5}", "reason", right=right)


def _tools(number):
    def right(pieces):
        calls = [call for piece in pieces for call in piece["delta"]["message"]["tool_calls"]]
        (call,) = calls
        return (
            call["function"]["name"] == "get_weather"
            and "city" in json.loads(call["function"]["arguments"])
            and pieces[-1]["delta"]["finish_reason"] == "tool_calls"
        )

    return chat(f"the weather in town {number}, please", tools=[_TOOL], right=right)


def _embedding(number):
    texts = [f"{word} {number}" for word in _WORDS]

    def right(pieces):
        vectors = pieces[0]["embeddings"]
        meant = [bag(text, 384) for text in texts]
        return len(vectors) == len(meant) and all(
            abs(a - b) < 1e-6
            for ours, theirs in zip(vectors, meant, strict=True)
            for a, b in zip(ours, theirs, strict=True)
        )

    return Call(
        action="invoke_text_embedding",
        model_type="text-embedding",
        uid="embed",
        fields={"texts": texts, "input_type": "document"},
        right=right,
    )


def _rerank(number):
    query = f"{_WORDS[number % 7]} {number}"
    documents = [f"{word} {number}" for word in _WORDS]

    def right(pieces):
        docs = pieces[0]["docs"]
        return (
            docs[0]["text"] == query
            and {doc["text"] for doc in docs} == set(documents)
            and all(abs(doc["score"] - likeness(query, doc["text"])) < 1e-6 for doc in docs)
        )

    return Call(
        action="invoke_rerank",
        model_type="rerank",
        uid="rerank",
        fields={"query": query, "docs": documents, "score_threshold": 0, "top_n": 0},
        right=right,
    )


def _transcription(number):
    recording = silence.wav(0.1 + number % 50 / 100)
    return Call(
        action="invoke_speech2text",
        model_type="speech2text",
        uid="whisper",
        fields={"file": recording.hex()},
        right=lambda pieces: f"heard {len(recording)} bytes" in pieces[0]["result"],
    )


def _speech(number):
    text = f"Here is sentence number {number}."
    size = len(silence.mp3(len(text) * 0.06))
    return Call(
        action="invoke_tts",
        model_type="tts",
        uid="kokoro",
        fields={"content_text": text, "voice": "", "tenant_id": "t"},
        right=lambda pieces: sum(len(piece["result"]) // 2 for piece in pieces) == size,
    )


def _tokens(number):
    call = chat("word " * (1 + number % 200))
    fields = {name: call.fields[name] for name in ("prompt_messages", "tools")}
    return Call(
        action="get_llm_num_tokens",
        model_type="llm",
        uid="chat",
        fields=fields,
        right=lambda pieces: pieces[0]["num_tokens"] >= 1 + number % 200,
    )


def _schema(number):
    return Call(
        action="get_ai_model_schemas",
        model_type="llm",
        uid="qwen3-builtin",
        fields={},
        right=lambda pieces: pieces[0]["model_schema"]["model_properties"]["context_size"] == 40960,
    )


def _validation(number):
    return Call(
        action="validate_model_credentials",
        model_type="rerank",
        uid="rerank",
        fields={},
        right=lambda pieces: pieces[0]["result"] is True,
    )


def _unknown(number):
    return chat("Hi", f"nobody-{number % 300}", error=("InvokeBadRequestError", "nobody-"))


KINDS = (
    lambda number: counting(1 + number % 60),
    _embedding,
    lambda number: counting(1 + number % 60, stream=False),
    _rerank,
    lambda number: counting(1 + number % 60, "chat-gguf"),
    _tokens,
    _thinking,
    _transcription,
    _tools,
    _speech,
    _schema,
    _unknown,
    _validation,
)


def mixed(number):
    """Return the call with a number; kinds follow one another."""
    return KINDS[number % len(KINDS)](number)
