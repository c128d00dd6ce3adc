"""A call of each model type, asked as Dify asks, and what the fake server makes of it."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xinfer.daemon.invocation import Invocation
from xinfer.daemon.session import CallError
from xinfer.spec import ModelType
from xinfer.testing.server import FakeServer, silence
from xinfer.testing.server.faults import Stall


def recording(folder: Path) -> str:
    path = folder / "recording.wav"
    path.write_bytes(silence.wav(0.5))
    return str(path)


def text_of(pieces):
    return "".join(piece["delta"]["message"]["content"] for piece in pieces)


def _counted(pieces):
    assert text_of(pieces) == "1 2 3 4 5"
    assert pieces[-1]["delta"]["usage"]["completion_tokens"] > 0
    assert pieces[-1]["delta"]["finish_reason"] == "stop"


def _two_vectors(pieces):
    (answer,) = pieces
    assert [len(vector) for vector in answer["embeddings"]] == [384, 384]


def _ranked(pieces):
    (answer,) = pieces
    assert sorted(doc["text"] for doc in answer["docs"]) == ["a cat", "a dog"]
    scores = [doc["score"] for doc in answer["docs"]]
    assert scores == sorted(scores, reverse=True)


def _written(pieces):
    (answer,) = pieces
    assert answer["result"]


def _spoken(pieces):
    assert bytes.fromhex("".join(piece["result"] for piece in pieces))[:2] == b"\xff\xf3"
    assert {piece["mime_type"] for piece in pieces} == {"audio/mpeg"}


EVERY_TYPE = {
    ModelType.LLM: ("chat", ("count to 5",), _counted),
    ModelType.TEXT_EMBEDDING: ("embed", ("one", "two"), _two_vectors),
    ModelType.RERANK: ("rerank", ("a cat", "a dog", "a cat"), _ranked),
    ModelType.SPEECH2TEXT: ("whisper", None, _written),
    ModelType.TTS: ("kokoro", ("Hello.",), _spoken),
}


def check(plugin, server, kind, folder):
    """Validate a model of a type through a plugin, use it, and look at its answer."""
    uid, inputs, right = EVERY_TYPE[kind]
    asked = Invocation(
        provider="xinference",
        model_type=kind,
        model="mine",
        credentials={"server_url": server.url, "model_uid": uid},
        inputs=inputs or (recording(folder),),
        parameters={},
    )
    right(list(asked.run(plugin)))


def llm_call(server, content, uid="chat", **credentials):
    """The fields of a chat call beside its action."""
    return {
        "provider": "xinference",
        "model_type": "llm",
        "model": "mine",
        "credentials": {
            "server_url": server.url,
            "model_uid": uid,
            "max_retries": "0",
            **credentials,
        },
        "prompt_messages": [{"role": "user", "content": content, "name": "", "tool_calls": []}],
        "model_parameters": {},
        "stop": None,
        "tools": None,
        "stream": True,
    }


def check_stream(plugin):
    """Stop a server in the middle of its answer: what came before is out, and an error follows."""
    with FakeServer() as server:
        server.next_answer(Stall(60, after=3), on="/v1/chat/completions")
        pieces = plugin.call("invoke_llm", **llm_call(server, "count to 9"))
        assert text_of([next(pieces)])
    with pytest.raises(CallError, match="broke off in the middle") as error:
        list(pieces)
    assert error.value.kind == "InvokeConnectionError"


def check_calls_at_once(plugin, server):
    """Make calls at the same time, and find each answer with its own call."""
    numbers = range(3, 15)

    def ask(number):
        return text_of(plugin.call("invoke_llm", **llm_call(server, f"count to {number}")))

    with ThreadPoolExecutor(len(numbers)) as pool:
        answers = list(pool.map(ask, numbers))
    assert answers == [" ".join(map(str, range(1, number + 1))) for number in numbers]
