"""Streams against the fake server: every odd form gives the same answer, every break one error."""

import itertools
import json

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import (
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import LLM, bodies, credentials_for, reply_of

from xinfer.testing.server import FakeServer, Served, faults
from xinfer.testing.server.answer import Answer, event, stream

TEXT = 'He wrote "hi" — 你好 😀\nand left.'
FORMS = {
    "as it is": [],
    "LF": [faults.LineEnds("\n")],
    "comments and fields": [faults.commented],
    "no end": [faults.without_done],
    "byte by byte": [faults.Split(1)],
    "odd sizes": [faults.Split(7, 3, 11)],
    "at once": [faults.Split(100_000)],
    "a broken line": [faults.BrokenLine()],
    "no chunks": [faults.until_close],
    "all": [faults.commented, faults.BrokenLine(), faults.LineEnds("\n"), faults.Split(5, 2)],
}


@pytest.fixture(scope="module")
def server():
    models = [
        Served(uid="chat", answer=TEXT),
        Served(uid="chat-gguf", answer=TEXT, engine="llama.cpp"),
        Served(uid="base", abilities=("generate",), answer=TEXT),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def ask(server, uid="chat", *, stream=True, **more):
    messages = [UserPromptMessage(content="Hi")]
    return reply_of(
        LLM([]).invoke("m", credentials_for(server, uid, **more), messages, {}, stream=stream)
    )


@pytest.mark.parametrize("uid", ["chat", "chat-gguf", "base"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_stream_gives_the_same_answer(server, uid, form):
    if FORMS[form]:
        server.next_answer(*FORMS[form], on="/v1/c")
    answer = ask(server, uid)
    assert answer.text == TEXT
    assert answer.reason == "stop"
    assert answer.usage.completion_tokens > 0


@given(sizes=st.lists(st.integers(1, 80), min_size=1, max_size=8))
@settings(max_examples=40, deadline=None)
def test_any_cut_of_the_bytes_gives_the_same_answer(server, sizes):
    server.next_answer(faults.Split(*sizes), on="/v1/chat")
    assert ask(server).text == TEXT


@pytest.mark.parametrize("uid", ["chat", "chat-gguf", "base"])
def test_an_answer_at_once_is_the_same_as_in_pieces(server, uid):
    whole, pieces = ask(server, uid, stream=False), ask(server, uid)
    assert whole.text == pieces.text
    assert whole.usage.prompt_tokens == pieces.usage.prompt_tokens


def test_usage_is_asked_for_and_said_once_with_the_first_finish_reason(server):
    answer = ask(server)
    (body,) = bodies(server, "/v1/chat/completions")
    assert body["stream_options"] == {"include_usage": True}
    assert sum(piece.delta.usage is not None for piece in answer.pieces) == 1
    assert [p.delta.finish_reason for p in answer.pieces if p.delta.finish_reason] == ["stop"]
    assert answer.pieces[-1].delta.usage is not None


def test_the_first_finish_reason_counts(server):
    messages = [UserPromptMessage(content="Hi")]
    result = LLM([]).invoke("m", credentials_for(server, "chat"), messages, {"max_tokens": 3})
    answer = reply_of(result)
    assert answer.reason == "length"
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize("stream", [True, False])
def test_usage_is_estimated_where_the_server_gives_none(server, stream):
    server.next_answer(faults.WITHOUT_USAGE, on="/v1/chat")
    usage = ask(server, stream=stream).usage
    assert usage.prompt_tokens > 0
    assert 5 <= usage.completion_tokens <= 40


def test_text_is_handed_on_as_soon_as_it_has_arrived(server):
    server.next_answer(faults.Stall(20, after=4), on="/v1/chat")
    messages = [UserPromptMessage(content="Hi")]
    credentials = credentials_for(server, "chat", invoke_timeout="0.4")
    pieces = LLM([]).invoke("m", credentials, messages, {})
    heard = [next(pieces).delta.message.content]
    assert TEXT.startswith(heard[0])
    with pytest.raises(InvokeConnectionError, match="did not answer in time"):
        heard.extend(pieces)
    assert server.requests[-1].route == "/v1/chat/completions"


def test_what_arrived_together_may_be_handed_on_together(server):
    server.next_answer(faults.Split(100_000), on="/v1/chat")
    assert len(ask(server).pieces) < len(TEXT.split())


BREAKS = {
    "dropped": ([faults.Cut(after=3)], InvokeConnectionError, "broke off"),
    "reset": ([faults.Cut(after=3, reset=True)], InvokeConnectionError, "broke off"),
    "ended early": (
        [faults.without_done, faults.Edited(lambda v: v.update(choices=[]))],
        InvokeConnectionError,
        "broke off",
    ),
    "error text": ([faults.ErrorEvent("CUDA out of memory")], InvokeServerUnavailableError, "CUDA"),
    "error object": (
        [faults.ErrorEvent({"message": "CUDA out of memory", "code": 500})],
        InvokeServerUnavailableError,
        "CUDA out of memory",
    ),
    "error without words": ([faults.ErrorEvent({})], InvokeConnectionError, "broke off"),
    "rate limit": ([faults.rate_limited], InvokeRateLimitError, "[Rr]ate limit"),
    "login page": ([faults.LOGIN_PAGE], InvokeServerUnavailableError, "without any event"),
    "other JSON": ([faults.OTHER_JSON], InvokeServerUnavailableError, "without choices"),
    "empty": ([faults.EMPTY], InvokeServerUnavailableError, "without any event"),
    "crashed": ([faults.CRASHED], InvokeServerUnavailableError, "something is wrong"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_every_break_is_one_of_difys_errors_in_the_servers_words(server, name):
    answers, error, words = BREAKS[name]
    server.next_answer(*answers, on="/v1/chat")
    with pytest.raises(error, match=words) as raised:
        ask(server)
    assert "'chat'" in str(raised.value)


def test_a_server_that_answers_at_once_though_asked_to_stream_is_understood(server):
    whole = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}
    body = json.dumps(whole).encode()
    answer = Answer(headers={"content-type": "application/json"}, steps=(body,))
    server.next_answer(answer, on="/v1/chat")
    assert ask(server).text == TEXT


def test_an_unknown_uid_is_a_bad_request_that_names_those_that_run(server):
    with pytest.raises(InvokeBadRequestError, match="chat-gguf"):
        ask(server, "nobody")


def test_whoever_goes_away_leaves_no_answer_running(server):
    server.next_answer(faults.Paced(0.05), on="/v1/chat")
    messages = [UserPromptMessage(content="Hi")]
    pieces = LLM([]).invoke("m", credentials_for(server, "chat"), messages, {})
    next(pieces)
    pieces.close()
    assert ask(server).text == TEXT


DELTAS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "content": st.none() | st.text(max_size=4) | st.sampled_from(["<tool_call>", "\n"]),
            "reasoning_content": st.none() | st.text(max_size=4),
            "tool_calls": st.lists(
                st.fixed_dictionaries(
                    {"function": st.fixed_dictionaries({"arguments": st.text(max_size=3)})},
                    optional={"index": st.integers(0, 2), "id": st.sampled_from(["a", "b"])},
                ),
                max_size=2,
            ),
            "role": st.just("assistant"),
        },
    ),
    max_size=10,
)


@given(deltas=DELTAS, reason=st.sampled_from(["stop", "length", "tool_calls"]))
@settings(max_examples=150, deadline=None)
def test_any_sequence_of_deltas_closes_its_thoughts_once(server, deltas, reason):
    choices = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    events = [event({"choices": [choice]}) for choice in choices]
    server.next_answer(stream([*events, event("[DONE]")]), on="/v1/chat")
    typed = "".join(delta.get("content") or "" for delta in deltas)
    answer = ask(server)
    opened = answer.text.count("<think>")
    assert answer.text.count("</think>") == opened
    thought = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    # Blanks that stand beside the call of a tool are left out.
    if not opened:
        assert answer.text.split() == typed.split() or "tool_calls" in str(deltas)
    for letter in "".join((thought + typed).split()):
        assert letter in answer.text


RAW = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        [b"data: ", b"\n", b"\r\n\r\n", b"{}", b"[DONE]", b'{"choices": [{"delta": ']
    ),
    max_size=20,
).map(b"".join)


@given(
    body=RAW, cut=st.integers(1, 40), kind=st.sampled_from(["text/event-stream", "", "text/html"])
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_whatever_make_anything_but_a_result_or_an_invoke_error(server, body, cut, kind):
    pieces = itertools.batched(body, cut)
    server.next_answer(stream(map(bytes, pieces), kind), on="/v1/chat")
    try:
        answer = ask(server)
    except InvokeError:
        return
    assert answer.reason
