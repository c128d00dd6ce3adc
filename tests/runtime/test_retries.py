"""What is tried again, how often, and what never is; by every type of model."""

import io

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import InvokeError
from under_sdk import LLM, TTS, Rerank, Speech2Text, TextEmbedding, credentials_for

from xinfer.testing.server import FakeServer, faults
from xinfer.testing.server.answer import refusal
from xinfer.testing.server.silence import mp3

NOW = refusal(503, "loading", **{"retry-after": "0"})
BUSY = refusal(429, "busy", **{"retry-after": "0"})


def chat(credentials, *, stream=False):
    # The SDK hands out a generator either way.
    asked = [UserPromptMessage(content="Hi")]
    return list(LLM([]).invoke("m", credentials, asked, {}, stream=stream))


CALLS = {
    "llm": ("chat", "/v1/chat/completions", chat),
    "stream": ("chat", "/v1/chat/completions", lambda c: chat(c, stream=True)),
    "embedding": ("embed", "/v1/embeddings", lambda c: TextEmbedding([]).invoke("m", c, ["a"])),
    "rerank": ("rerank", "/v1/rerank", lambda c: Rerank([]).invoke("m", c, "q", ["a"])),
    "transcription": (
        "whisper",
        "/v1/audio/transcriptions",
        lambda c: Speech2Text([]).invoke("m", c, io.BytesIO(mp3(0.2))),
    ),
    "speech": (
        "cosyvoice",
        "/v1/audio/speech",
        lambda c: list(TTS([]).invoke("m", "tenant", c, "Hi.", "")),
    ),
}


@pytest.fixture
def server():
    with FakeServer() as started:
        yield started


def count(server, route):
    return sum(arrived.route == route for arrived in server.requests)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    "fault",
    [
        NOW,
        BUSY,
        faults.BAD_GATEWAY,
        refusal(504, "late", **{"retry-after": "0"}),
        refusal(503, "loading", **{"retry-after": "soon"}),
        faults.Closed(),
        faults.Closed(reset=True),
    ],
    ids=["503", "429", "502", "504", "unreadable", "closed", "reset"],
)
def test_every_type_tries_again_what_never_began(server, name, fault):
    uid, route, call = CALLS[name]
    server.next_answer(fault, on=route)
    assert call(credentials_for(server, uid, max_retries="1"))
    assert count(server, route) == 2


def test_a_second_and_a_third_try_come_later(server):
    uid, route, call = CALLS["llm"]
    server.next_answer(NOW, on=route, times=2)
    assert call(credentials_for(server, uid, max_retries="2"))
    assert count(server, route) == 3


@pytest.mark.parametrize("name", CALLS)
def test_no_type_tries_more_often_than_the_user_said(server, name):
    uid, route, call = CALLS[name]
    server.next_answer(NOW, on=route, times=9)
    with pytest.raises(InvokeError, match="loading"):
        call(credentials_for(server, uid, max_retries="1"))
    assert count(server, route) == 2
    with pytest.raises(InvokeError, match="loading"):
        call(credentials_for(server, uid, max_retries="0"))
    assert count(server, route) == 3


@pytest.mark.parametrize(
    "fault",
    [
        refusal(401, "no"),
        refusal(403, "no"),
        refusal(400, "no"),
        refusal(422, "no"),
        refusal(500, "no"),
        faults.LOGIN_PAGE,
        refusal(429, "come back tomorrow", **{"retry-after": "86400"}),
        refusal(503, "come back tomorrow", **{"retry-after": "Fri, 01 Jan 2100 00:00:00 GMT"}),
    ],
    ids=["401", "403", "400", "422", "500", "login", "later", "date"],
)
@pytest.mark.parametrize("name", CALLS)
def test_what_would_not_change_is_not_tried_again(server, name, fault):
    uid, route, call = CALLS[name]
    server.next_answer(fault, on=route, times=9)
    with pytest.raises(InvokeError):
        call(credentials_for(server, uid, max_retries="3"))
    assert count(server, route) == 1


@pytest.mark.parametrize("name", CALLS)
def test_a_server_that_is_at_work_is_not_asked_twice(server, name):
    uid, route, call = CALLS[name]
    server.next_answer(faults.Stall(20), on=route, times=9)
    with pytest.raises(InvokeError, match="in time"):
        call(credentials_for(server, uid, max_retries="3", invoke_timeout="0.2"))
    assert count(server, route) == 1


@pytest.mark.parametrize(
    "fault",
    [faults.Cut(after=2), faults.Cut(after=2, reset=True), faults.ErrorEvent()],
    ids=["cut", "reset", "error"],
)
def test_a_stream_that_began_is_not_begun_again(server, fault):
    uid, route, call = CALLS["stream"]
    server.next_answer(fault, on=route)
    with pytest.raises(InvokeError):
        call(credentials_for(server, uid, max_retries="3"))
    assert count(server, route) == 1


def test_a_server_that_is_back_is_used(server):
    uid, route, call = CALLS["embedding"]
    gone = credentials_for(server, uid, max_retries="1")
    server.next_answer(faults.Closed(), on=route, times=2)
    with pytest.raises(InvokeError):
        call(gone)
    assert call(gone).embeddings
