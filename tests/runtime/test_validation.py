"""Validation of each type: it tries the model, says what is wrong, and keeps what it learned."""

import json

import pytest
from attrs import evolve
from dify_plugin.errors.model import CredentialsValidateFailedError
from under_sdk import LLM, TTS, Rerank, Speech2Text, TextEmbedding, bodies, credentials_for, routes

from xinfer.testing.server import FakeServer, Served, faults

TYPES = {
    "chat": (LLM, "/v1/chat/completions"),
    "base": (LLM, "/v1/completions"),
    "embed": (TextEmbedding, "/v1/embeddings"),
    "rerank": (Rerank, "/v1/rerank"),
    "whisper": (Speech2Text, "/v1/audio/transcriptions"),
    "kokoro": (TTS, "/v1/audio/speech"),
}


@pytest.fixture
def server():
    with FakeServer() as started:
        yield started


def validate(kind, server, uid, **more):
    credentials = credentials_for(server, uid, **more)
    kind([]).validate_credentials("my model", credentials)
    return credentials


def refused(kind, server, uid, **more):
    with pytest.raises(CredentialsValidateFailedError) as error:
        validate(kind, server, uid, **more)
    return str(error.value)


@pytest.mark.parametrize("uid", TYPES)
def test_each_type_is_described_anew_and_tried(server, uid):
    kind, route = TYPES[uid]
    validate(kind, server, uid)
    validate(kind, server, uid)
    assert routes(server).count(f"GET /v1/models/{uid}") == 2
    assert len(bodies(server, route)) >= 2


def test_the_try_costs_one_token(server):
    validate(LLM, server, "chat")
    (body,) = bodies(server, "/v1/chat/completions")
    assert body["max_tokens"] == 1


@pytest.mark.parametrize("uid", TYPES)
def test_what_was_learned_is_stored_and_saves_every_question(server, uid):
    kind, _ = TYPES[uid]
    credentials = validate(kind, server, uid)
    assert set(credentials) == {*credentials_for(server, uid), "xinfer_learned"}
    assert json.loads(credentials["xinfer_learned"])["of"] == [server.url, uid]
    server.requests.clear()
    schema = kind([]).get_model_schema("my model", credentials)
    assert schema is not None
    assert schema.model_type.value == kind.model_type.value
    if kind is TTS:
        kind([]).get_tts_model_voices("my model", credentials)
    assert server.requests == []


def test_what_was_learned_of_another_model_is_not_believed(server):
    credentials = validate(LLM, server, "chat")
    credentials["model_uid"] = "qwen3-builtin"
    schema = LLM([]).get_model_schema("my model", credentials)
    assert {key.value: value for key, value in schema.model_properties.items()}[
        "context_size"
    ] == 40960


@pytest.mark.parametrize("learned", ["", "no json", "[]", "null", "3", '{"of": 3}', None, 5])
def test_what_was_learned_and_cannot_be_read_is_asked_again(server, learned):
    credentials = {**credentials_for(server, "chat"), "xinfer_learned": learned}
    assert LLM([]).get_model_schema("my model", credentials) is not None
    assert len(server.requests) <= 1


@pytest.mark.parametrize(
    ("kind", "uid", "right"),
    [
        (LLM, "embed", "Text Embedding"),
        (TextEmbedding, "rerank", "Rerank"),
        (Rerank, "chat", "LLM"),
        (Speech2Text, "kokoro", "TTS"),
        (TTS, "whisper", "Speech2text"),
    ],
)
def test_a_model_of_another_type_is_told_how_to_be_added(server, kind, uid, right):
    message = refused(kind, server, uid)
    assert repr(uid) in message
    assert f"Add it under the model type {right}." in message


def test_a_model_that_dify_has_no_use_for_is_said_to_be_one():
    video = Served(uid="video", described={"model_type": "video", "model_ability": ["text2video"]})
    with FakeServer([video]) as server:
        assert "for which Dify has no use" in refused(LLM, server, "video")


def test_an_unknown_uid_lists_what_runs_with_its_type(server):
    message = refused(LLM, server, "nobody")
    assert "nobody" in message
    assert "chat (LLM)" in message
    assert "embed (Text Embedding)" in message


def test_a_server_without_models_says_so():
    with FakeServer([]) as server:
        assert "runs no model yet" in refused(LLM, server, "chat")


def test_a_long_list_is_cut():
    many = [Served(uid=f"model-{number}") for number in range(60)]
    with FakeServer(many) as server:
        message = refused(LLM, server, "nobody")
    assert "model-19" in message
    assert "model-20" not in message
    assert "…" in message


def test_a_uid_with_a_slash_is_found_in_the_list():
    with FakeServer([Served(uid="qwen/2.5")]) as server:
        validate(LLM, server, "qwen/2.5")
        assert "GET /v1/models/qwen%2F2.5" in [f"{a.method} {a.path}" for a in server.requests]


def test_every_wrong_field_is_named_and_nothing_is_asked(server):
    message = refused(LLM, server, "", server_url="host:9997", invoke_timeout="soon")
    assert all(name in message for name in ("server_url", "model_uid", "invoke_timeout"))
    assert server.requests == []


def test_a_key_may_describe_a_model_and_not_use_it():
    with FakeServer(key="sk-all", limited={"sk-chat": ["chat"]}) as server:
        assert "embed" in refused(TextEmbedding, server, "embed", api_key="sk-chat")
        validate(TextEmbedding, server, "embed", api_key="sk-all")
        wrong = refused(TextEmbedding, server, "embed", api_key="sk-very-wrong")
        missing = refused(TextEmbedding, server, "embed")
    assert "sk-very-wrong" not in wrong
    assert "key" in wrong.lower()
    assert "key" in missing.lower()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.LOADING, "loading"),
        (faults.CRASHED, "something is wrong"),
        (faults.BAD_GATEWAY, "502"),
        (faults.LOGIN_PAGE, "is that of Xorbits Inference"),
        (faults.Closed(), "closed the connection"),
        (faults.EMPTY, "is that of Xorbits Inference"),
    ],
    ids=["loading", "crashed", "gateway", "login", "closed", "empty"],
)
@pytest.mark.parametrize("route", ["/v1/models", "/v1/embeddings"])
def test_what_the_server_says_reaches_the_user(server, route, fault, words):
    server.next_answer(fault, on=route)
    message = refused(TextEmbedding, server, "embed")
    assert words in message
    assert len(message) < 1000


def test_speech_without_any_sound_is_refused(server):
    def silent(answer):
        return evolve(answer, steps=())

    server.next_answer(silent, on="/v1/audio/speech", times=2)
    assert "without any sound" in refused(TTS, server, "cosyvoice")
