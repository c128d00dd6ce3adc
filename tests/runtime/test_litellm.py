"""Answers of a real LiteLLM proxy, in front of a vLLM-shaped server and of llama.cpp."""

import json
from pathlib import Path

import pytest
from dify_plugin.entities.model import ModelFeature, ModelPropertyKey
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeBadRequestError,
    InvokeServerUnavailableError,
)
from test_dialects import WEATHER, Chat, Embedder, Ranker, ask, dialect_of
from under_sdk import reply_of

from xinfer.testing.server import FakeServer
from xinfer.testing.server.answer import as_json, whole

RECORDED = json.loads((Path(__file__).parents[1] / "data/litellm/answers.json").read_text("utf-8"))


def recorded(name):
    row = RECORDED[name]
    if "json" in row:
        return as_json(row["json"], row["status"])
    return whole(row["text"].encode(), row["type"], row["status"])


class LiteLLM(FakeServer):
    """Gives the answer that was recorded for the same request."""

    def _routed(self, arrived):
        if arrived.headers.get("authorization") == "Bearer sk-wrong":
            return recorded("wrong key")
        if arrived.method == "GET":
            name = next(
                (n for n, r in RECORDED.items() if r["request"] == f"GET {arrived.path}"), ""
            )
            return recorded(name or "capabilities")
        body = arrived.body
        if arrived.route == "/v1/embeddings":
            return recorded("embedding" if len(body["input"]) == 1 else "embeddings")
        if arrived.route == "/v1/rerank":
            behind = "" if body["model"] == "mr" else "llama.cpp, "
            return recorded(f"{behind}rerank{' of one' if len(body['documents']) == 1 else ''}")
        text = body["messages"][-1]["content"]
        streamed = ", streamed" if body.get("stream") else ""
        if body["model"] == "llama-chat":
            return recorded("llama.cpp, too long" if text == "LONG" else f"llama.cpp{streamed}")
        return recorded("unknown model" if body["model"] == "other" else text + streamed)


@pytest.fixture
def server():
    with LiteLLM() as started:
        yield started


def added(kind, server, model, key="sk-right"):
    credentials = {"url": f"{server.url}/v1", "key": key, "served_as": model}
    kind([]).validate_credentials("shown", credentials)
    return credentials


def test_it_is_recognised_and_tells_of_its_models(server):
    credentials = added(Chat, server, "m")
    assert dialect_of(credentials) == "litellm"
    schema = Chat([]).get_model_schema("shown", credentials)
    assert schema.model_properties[ModelPropertyKey.CONTEXT_SIZE] == 8192
    assert ModelFeature.VISION in schema.features


def test_a_model_of_another_type_is_refused(server):
    with pytest.raises(CredentialsValidateFailedError, match="is for Text Embedding, not for LLM"):
        added(Chat, server, "me")


@pytest.mark.parametrize("stream", [True, False])
def test_answers_thoughts_and_tools(server, stream):
    credentials = added(Chat, server, "m")
    answer = ask(credentials, "Hi", stream=stream)
    assert answer.text == "You said: Hi"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)
    assert ask(credentials, "think", stream=stream).text == "<think>\nI think.\n</think>\n\nDone."
    calls = ask(credentials, "weather", tools=[WEATHER], stream=stream).calls
    assert [call.function.arguments for call in calls] == [
        '{"city": "Oslo"}',
        '{"city": "Rome"}',
    ]


@pytest.mark.parametrize("stream", [True, False])
def test_its_errors_are_told_with_their_status(server, stream):
    credentials = added(Chat, server, "m")
    with pytest.raises(InvokeServerUnavailableError, match="The GPU is on fire"):
        ask(credentials, "fail", stream=stream)
    with pytest.raises(InvokeBadRequestError, match="lower Max Tokens, or shorten the prompt"):
        ask(credentials, "too long", stream=stream)


def test_texts_and_documents(server):
    credentials = added(Embedder, server, "me")
    assert (
        Embedder([]).invoke("shown", credentials, ["a", "b"]).embeddings == [[0.25, -0.5, 1.0]] * 2
    )
    ranked = Ranker([]).invoke("shown", added(Ranker, server, "mr"), "q", ["a", "bbb"])
    assert [(doc.index, doc.score) for doc in ranked.docs] == [(1, 0.75), (0, 0.5)]


def test_llama_cpp_behind_it(server):
    credentials = added(Chat, server, "llama-chat")
    reply = reply_of(Chat([]).invoke("shown", credentials, [UserPromptMessage(content="Hi")], {}))
    assert (reply.reason, reply.usage.completion_tokens) == ("length", 5)
    with pytest.raises(InvokeBadRequestError, match=r"512 tokens.*lower Max Tokens"):
        ask(credentials, "LONG")
    ranked = Ranker([]).invoke("shown", added(Ranker, server, "llama-rerank"), "q", ["a", "bbb"])
    assert [doc.index for doc in ranked.docs] == [0, 1]


def test_a_wrong_key_and_a_wrong_name(server):
    with pytest.raises(CredentialsValidateFailedError, match="accepts only its master key"):
        added(Chat, server, "m", key="sk-wrong")
    with pytest.raises(CredentialsValidateFailedError, match="Invalid model name passed in"):
        added(Chat, server, "other")
