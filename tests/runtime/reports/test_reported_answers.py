"""Answers of unusual forms lose nothing."""

import json

import pytest
from emitted import Rerank
from runtime.reports.asking import END, HELLO, ask, streamed
from under_sdk import credentials_for

from xinfer.testing.server.answer import DONE, Answer, as_json, event, stream, whole


def raw(body, kind="text/event-stream") -> Answer:
    return whole(body if isinstance(body, bytes) else body.encode(), kind)


@pytest.mark.parametrize(
    "answer",
    [
        raw(f"\ufeffdata: {json.dumps(HELLO)}\n\ndata: {json.dumps(END)}\n\n"),
        raw(
            f"data: {json.dumps(HELLO, indent=1)}\n".replace("\n", "\ndata: ", 9)
            + f"\n\ndata: {json.dumps(END)}\n\n"
        ),
        raw(f"data: {json.dumps(HELLO)}\r\rdata: {json.dumps(END)}\r\r"),
        raw(f"data:{json.dumps(HELLO)}\ndata:{json.dumps(END)}\n"),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}}]}), ""),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}}]}), "text/plain"),
        raw(
            "\n\n " + json.dumps({"choices": [{"message": {"content": "Hello"}}]}),
            "application/json",
        ),
    ],
    ids=["BOM", "several lines", "CR", "LF", "JSON", "no type", "text", "blanks"],
)
def test_odd_streams_lose_nothing(server, answer):
    assert ask(server, answer).text == "Hello"


RANKINGS = {
    "Jina": {
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    },
    "Cohere": {"results": [{"index": 1, "relevance_score": 0.9, "document": "b"}, {"index": 0}]},
    "SGLang": [{"score": 0.9, "index": 1, "document": "b"}, {"score": 0.1, "index": 0}],
    "data": {"data": [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]},
}


@pytest.mark.parametrize("form", RANKINGS)
def test_rankings_of_every_form_are_read(server, form):
    server.next_answer(as_json(RANKINGS[form]), on="/v1/rerank")
    docs = Rerank([]).invoke("m", credentials_for(server, "rerank"), "q", ["a", "b"]).docs
    assert [(doc.index, doc.text) for doc in docs] == [(1, "b"), (0, "a")]
    assert docs[0].score == 0.9


def test_the_first_count_beside_a_finish_reason_is_the_bill(server):
    counted = {"prompt_tokens": 9, "completion_tokens": 8}
    later = {
        "choices": [{"delta": {}, "finish_reason": "stop"}],
        "usage": {**counted, "completion_tokens": 17},
    }
    first = streamed({"content": "Hello"}, done=False, usage=counted)
    answer = stream([*first.steps, event(later), event(DONE)])
    assert ask(server, answer).usage.completion_tokens == 8
