"""Errors of servers lead to the right error of Dify, with advice that helps."""

import pytest
from dify_plugin.errors.model import (
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)
from emitted import Rerank, TextEmbedding
from runtime.reports.asking import BOTH, END, HELLO, ask
from under_sdk import bodies, credentials_for

from xinfer.testing.server.answer import DONE, as_json, event, refusal, stream


@pytest.mark.parametrize("streams", [True, False])
def test_a_busy_server_is_asked_again_whichever_way_it_says_so(server, streams):
    busy = {"error": "Rate limit reached for the model"}
    answer = stream([event(busy)]) if streams else as_json(busy)
    assert ask(server, answer, streams=streams, retries="2").text
    assert len(bodies(server, "/v1/chat/completions")) == 2
    with pytest.raises(InvokeRateLimitError, match=r"Try again later"):
        ask(server, answer, streams=streams)


WORDS = [
    ("CUDA out of memory. Tried to allocate", InvokeServerUnavailableError, "larger GPU", "显存"),
    (
        "Conversation roles must alternate user/assistant/user",
        InvokeBadRequestError,
        "in turn only",
        "交替",
    ),
    (
        "Model not found in the model list, uid: 72B-1-0",
        InvokeServerUnavailableError,
        "loads it again",
        "重新加载",
    ),
    (
        "Remote server 127.0.0.1:4 closed",
        InvokeServerUnavailableError,
        "relaunch the model",
        "重新启动模型",
    ),
    (
        "This model's maximum context length is 100 tokens.",
        InvokeBadRequestError,
        "lower Max Tokens",
        "调低最大生成长度",
    ),
    (
        "image input is not supported - hint: if this is unexpected, provide the mmproj",
        InvokeBadRequestError,
        "does not take images",
        "不支持图片",
    ),
    (
        '"auto" tool choice requires --enable-auto-tool-choice',
        InvokeBadRequestError,
        "without tools",
        "工具",
    ),
]


@BOTH
@pytest.mark.parametrize("status", [400, 500, None])
@pytest.mark.parametrize(("words", "error", "english", "chinese"), WORDS)
def test_the_servers_words_lead_to_the_right_advice(
    server, streams, status, words, error, english, chinese
):
    answer = refusal(status, words) if status else as_json({"error": {"message": words}})
    if streams and not status:
        answer = stream([event({"error": {"message": words}})])
    with pytest.raises(error) as raised:
        ask(server, answer, uid="72B", streams=streams, max_tokens=4000)
    told = str(raised.value)
    assert english in told.partition("\n")[0]
    assert chinese in told.partition("\n")[2]
    assert words[:20] in told.partition("\n")[2]
    assert ("Max Tokens" in told) == ("context length" in words)


def test_a_uid_that_looks_like_a_replica_is_a_uid(server):
    with pytest.raises(InvokeBadRequestError):
        ask(server, refusal(404, "Model not found in the model list, uid: 72B-1"), uid="72B-1")


@pytest.mark.parametrize("kind", [TextEmbedding, Rerank])
def test_texts_that_take_too_much_memory_are_to_be_fewer_or_shorter(server, kind):
    uid = "embed" if kind is TextEmbedding else "rerank"
    server.next_answer(refusal(500, "CUDA out of memory"), on=f"/v1/{uid}")
    asked = (["a"],) if kind is TextEmbedding else ("q", ["a"])
    with pytest.raises(InvokeServerUnavailableError, match="fewer or shorter texts"):
        kind([]).invoke("m", credentials_for(server, uid), *asked)


FLAT = {"object": "error", "message": "it broke", "code": 400}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (stream([event(HELLO), event(FLAT), event(DONE)]), InvokeBadRequestError, "it broke"),
        (stream([event({"error": FLAT, **END})]), InvokeBadRequestError, "it broke"),
        (
            stream([event({"choices": [], "usage": {"prompt_tokens": 9}}), event(DONE)]),
            InvokeServerUnavailableError,
            "answered nothing.*longer context",
        ),
        (stream([event(HELLO)]), InvokeConnectionError, "broke off in the middle"),
        (
            as_json({"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"}),
            InvokeBadRequestError,
            "does not offer this",
        ),
    ],
    ids=["flat", "both", "usage alone", "no end", "LM Studio"],
)
def test_no_error_passes_for_an_answer(server, answer, error, words):
    with pytest.raises(error, match=words):
        ask(server, answer)
