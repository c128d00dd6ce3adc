"""Any bytes in any kind of answer: a result that can be written, or one error, and an end."""

import io
import json

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import InvokeError
from hypothesis import example, given, settings
from hypothesis import strategies as st
from under_sdk import LLM, TTS, Rerank, Speech2Text, TextEmbedding, credentials_for

from xinfer.testing.server import FakeServer
from xinfer.testing.server.answer import whole

LINE = 5 * 1024 * 1024
HI = [UserPromptMessage(content="Hi")]
LOOK = PromptMessageTool(name="look", description="", parameters={"type": "object"})


def chat(uid, *, stream, tools=()):
    def call(server):
        credentials = credentials_for(server, uid)
        return list(LLM([]).invoke("m", credentials, HI, {}, list(tools), None, stream))

    return call


CALLS = {
    "stream": chat("chat", stream=True),
    "stream with tools": chat("chat", stream=True, tools=[LOOK]),
    "whole": chat("chat", stream=False, tools=[LOOK]),
    "thinking": chat("reason", stream=True),
    "completion": chat("base", stream=True),
    "embed": lambda s: [TextEmbedding([]).invoke("m", credentials_for(s, "embed"), ["a"])],
    "rerank": lambda s: [Rerank([]).invoke("m", credentials_for(s, "rerank"), "q", ["a", "b"])],
    "transcribe": lambda s: [
        Speech2Text([]).invoke("m", credentials_for(s, "whisper"), io.BytesIO(b"x"))
    ],
    "speak": lambda s: list(TTS([]).invoke("m", "t", credentials_for(s, "cosyvoice"), "Hi.", "")),
    "schema": lambda s: [LLM([]).get_customizable_model_schema("m", credentials_for(s, "chat"))],
}
TEXTS = st.text(max_size=8) | st.sampled_from(
    [
        *("<think>", "</think>", "<tool_call>", "</tool_call>", '{"name": "look", "arguments": {'),
        *("<function=look>", "[TOOL_CALLS]", "<｜tool▁calls▁begin｜>", "\ud83d", "\ude00", "\0"),
    ]
)
VALUES = st.recursive(
    st.none() | st.integers() | st.floats() | TEXTS | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=6,
)
FUNCTIONS = st.fixed_dictionaries(
    {}, optional={"name": TEXTS | VALUES, "arguments": TEXTS | VALUES}
)
TOOL_CALLS = st.fixed_dictionaries(
    {}, optional={"index": st.integers(-1, 2) | VALUES, "id": TEXTS | VALUES, "function": FUNCTIONS}
)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "content": TEXTS | VALUES,
        "reasoning_content": TEXTS | VALUES,
        "tool_calls": st.lists(TOOL_CALLS, max_size=3) | VALUES,
    },
)
CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "delta": MESSAGES | VALUES,
        "message": MESSAGES | VALUES,
        "text": TEXTS | VALUES,
        "finish_reason": st.sampled_from(["stop", "length", "tool_calls", None, ""]) | VALUES,
    },
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(CHOICES, max_size=2) | VALUES,
        "usage": st.fixed_dictionaries({"prompt_tokens": VALUES, "completion_tokens": VALUES})
        | VALUES,
        "error": VALUES,
        "object": st.sampled_from(["error", "list"]),
        "data": st.lists(st.fixed_dictionaries({"index": VALUES, "embedding": VALUES}), max_size=2),
        "results": st.lists(
            st.fixed_dictionaries({"index": VALUES, "relevance_score": VALUES}), max_size=2
        ),
        "text": TEXTS | VALUES,
        "model_type": TEXTS,
        "model_ability": VALUES,
        "context_length": VALUES,
    },
)
BODIES = st.binary(max_size=120) | (ANSWERS | VALUES).map(lambda value: json.dumps(value).encode())
STREAMS = st.lists(BODIES, max_size=4).map(
    lambda bodies: b"".join(b"data: %s\n\n" % body for body in bodies)
)


@pytest.fixture(scope="module")
def server():
    with FakeServer() as started:
        yield started


@pytest.mark.parametrize("kind", CALLS)
@given(
    body=BODIES | STREAMS,
    content_type=st.sampled_from(["application/json", "text/event-stream", "audio/mpeg", ""]),
    status=st.sampled_from([200, 200, 200, 400, 401, 404, 429, 500]),
)
@example(body=b"data: {}\n\n" * 3, content_type="", status=200)
@settings(max_examples=60, deadline=None)
def test_a_result_that_can_be_written_or_one_error(server, kind, body, content_type, status):
    server.next_answer(
        whole(body, content_type, status), on="/v1/models" if kind == "schema" else "/v1/"
    )
    error, results = None, []
    try:
        results = CALLS[kind](server)
    except InvokeError as raised:
        error = raised
    if error is not None:
        assert type(error) is not InvokeError, "an error that nobody expected"
        assert len(json.dumps(str(error))) < 12_000
        assert str(error).encode()
        return
    for result in results:
        if isinstance(result, str):
            assert len(result.encode()) < LINE
        elif not isinstance(result, bytes):
            assert len(result.model_dump_json().encode()) < LINE
    if "stream" in kind or kind in ("thinking", "completion"):
        assert results[-1].delta.finish_reason
