"""What a model cannot do is said with the cure, where the server's own words name none."""

import io

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import (
    InvokeBadRequestError,
    InvokeError,
)
from emitted import LLM, TTS, Rerank, Speech2Text, TextEmbedding, fresh_server
from under_sdk import credentials_for, reply_of

from xinfer.testing.server import MODELS, Served, faults
from xinfer.testing.server.answer import refusal
from xinfer.testing.server.silence import mp3

HI = [UserPromptMessage(content="Hi")]
LONG = [UserPromptMessage(content="word " * 90)]
TOOL = PromptMessageTool(name="look", description="", parameters={"type": "object"})
OVERFLOW = r"prompt \(about \d+ tokens\) and Max Tokens \(64\) are more than .* 100 tokens"


@pytest.fixture
def server():
    served = [model for model in MODELS if model.uid != "base"]
    short = Served(uid="short", limits={"context_length": 100})
    base = Served(uid="base", abilities=("generate",))
    with fresh_server([short, base, *served]) as started:
        yield started


def ask(server, uid, messages=HI, set_=None, *, stream=False, **more):
    credentials = credentials_for(server, uid)
    return reply_of(LLM([]).invoke("m", credentials, messages, set_ or {}, stream=stream, **more))


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "fault",
    [faults.CRASHED, refusal(400, "This model's maximum context length is 100 tokens.")],
    ids=["crashed", "vLLM"],
)
def test_more_than_the_context_holds_is_said(server, stream, fault):
    server.next_answer(fault, on="/v1/chat")
    with pytest.raises(InvokeBadRequestError, match=OVERFLOW) as raised:
        ask(server, "short", LONG, {"max_tokens": 64}, stream=stream)
    assert "上下文长度（100）" in str(raised.value)


@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        (HI, faults.CRASHED),
        (LONG, refusal(503, "loading")),
        (LONG, faults.BAD_GATEWAY),
        (LONG, faults.Closed()),
        (LONG, refusal(400, "unknown parameter")),
        (LONG, refusal(401, "token")),
    ],
    ids=["short", "loading", "gateway", "closed", "parameter", "key"],
)
@pytest.mark.parametrize("stream", [True, False])
def test_what_fails_for_another_reason_is_not_called_too_long(server, stream, messages, fault):
    server.next_answer(fault, on="/v1/chat")
    with pytest.raises(InvokeError) as raised:
        ask(server, "short", messages, {"max_tokens": 64}, stream=stream)
    assert "Max Tokens" not in str(raised.value)


CALLS = {
    "LLM": lambda s, uid: ask(s, uid),
    "stream": lambda s, uid: ask(s, uid, stream=True),
    "Text Embedding": lambda s, uid: TextEmbedding([]).invoke("m", credentials_for(s, uid), ["a"]),
    "Rerank": lambda s, uid: Rerank([]).invoke("m", credentials_for(s, uid), "q", ["a"]),
    "Speech2text": lambda s, uid: Speech2Text([]).invoke(
        "m", credentials_for(s, uid), io.BytesIO(mp3(0.2))
    ),
    "TTS": lambda s, uid: list(TTS([]).invoke("m", "tenant", credentials_for(s, uid), "Hi.", "")),
}
RUNNING = {
    "LLM": "chat",
    "stream": "chat",
    "Text Embedding": "embed",
    "Rerank": "rerank",
    "Speech2text": "whisper",
    "TTS": "kokoro",
}
UIDS = {"LLM": "chat", "Text Embedding": "embed", "Rerank": "rerank"}


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize("uid", UIDS.values())
def test_a_uid_that_became_another_types_is_told_at_the_call(server, kind, uid):
    is_for = next(name for name in UIDS if UIDS[name] == uid)
    if is_for == kind or (is_for, kind) == ("LLM", "stream"):
        return
    with pytest.raises(InvokeError, match=f"Add it under the model type {is_for}") as raised:
        CALLS[kind](server, uid)
    assert f"请在模型类型 {is_for} 下添加" in str(raised.value)


@pytest.mark.parametrize("kind", CALLS)
@pytest.mark.parametrize(
    "fault",
    [faults.BAD_GATEWAY, refusal(503, "loading"), faults.Closed()],
    ids=["gateway", "loading", "closed"],
)
def test_a_server_that_cannot_answer_is_not_asked_what_the_model_is(server, kind, fault):
    CALLS[kind](server, RUNNING[kind])
    server.requests.clear()
    server.next_answer(fault, on="/v1/")
    with pytest.raises(InvokeError):
        CALLS[kind](server, RUNNING[kind])
    assert [arrived.method for arrived in server.requests] == ["POST"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_completion_model_takes_no_tools(server, stream):
    with pytest.raises(InvokeBadRequestError, match="takes no tools: choose a chat model"):
        ask(server, "base", stream=stream, tools=[TOOL])


@pytest.mark.parametrize("stream", [True, False])
def test_a_completion_model_needs_something_to_go_on_with(server, stream):
    with pytest.raises(InvokeBadRequestError, match="The prompt is empty"):
        ask(server, "base", [UserPromptMessage(content="")], stream=stream)


def test_an_empty_recording_is_said_to_be_one(server):
    with pytest.raises(InvokeBadRequestError, match="empty"):
        Speech2Text([]).invoke("m", credentials_for(server, "whisper"), io.BytesIO(b""))
    assert not server.requests
