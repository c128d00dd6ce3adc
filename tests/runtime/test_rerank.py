"""Rerank against the fake server: order, Dify's zeros, odd scores and documents, faults."""

import math

import pytest
from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType
from dify_plugin.errors.model import (
    InvokeBadRequestError,
    InvokeError,
    InvokeServerUnavailableError,
)
from emitted import Rerank
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import bodies, credentials_for

from xinfer.testing.server import FakeServer, Served, faults

_TYPE = {"model_type": "rerank", "abilities": ("rerank",)}


def length(query, document):
    return len(document) / 1000


@pytest.fixture(scope="module")
def server():
    longest_first = Served(uid="longest", answer=length, **_TYPE)
    sees = Served(uid="sees", model_type="rerank", abilities=("rerank", "vision"), answer=length)
    with FakeServer([longest_first, sees]) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def rerank(server, documents, threshold=None, top_n=None, uid="longest", **more):
    return Rerank([]).invoke(
        uid, credentials_for(server, uid, **more), "q", documents, threshold, top_n
    )


@given(
    documents=st.lists(st.text(max_size=30), max_size=12),
    threshold=st.none() | st.floats(0, 0.03),
    top_n=st.none() | st.integers(0, 15),
)
@settings(max_examples=60, deadline=None)
def test_the_best_come_first_with_their_own_text(server, documents, threshold, top_n):
    docs = rerank(server, documents, threshold, top_n).docs
    assert all(documents[doc.index] == doc.text for doc in docs)
    assert [doc.score for doc in docs] == sorted((doc.score for doc in docs), reverse=True)
    # Zero is what Dify sends for a threshold or a number that nobody set.
    expected = sorted(map(len, documents), reverse=True)[: top_n or None]
    assert [len(doc.text) for doc in docs] == [
        n for n in expected if not threshold or n / 1000 >= threshold
    ]


def test_no_documents_need_no_request(server):
    assert rerank(server, []).docs == []
    assert server.requests == []


def test_nothing_is_sent_that_nobody_set(server):
    rerank(server, ["a", "bb"], 0, 0)
    rerank(server, ["a", "bb"], 0.5, 1)
    plain, limited = bodies(server, "/v1/rerank")
    assert plain == {"model": "longest", "query": "q", "documents": ["a", "bb"]}
    assert limited["top_n"] == 1
    assert "score_threshold" not in limited


@pytest.mark.parametrize(
    "documents",
    [
        faults.PLAIN_DOCUMENTS,
        faults.Edited(lambda value: [result.pop("document", None) for result in value["results"]]),
    ],
    ids=["strings", "missing"],
)
def test_the_text_is_ours_whatever_the_server_sends_back(server, documents):
    server.next_answer(documents, on="/v1/rerank")
    assert [doc.text for doc in rerank(server, ["a", "bb"]).docs] == ["bb", "a"]


def test_scores_written_as_text_are_numbers(server):
    server.next_answer(faults.Scores("0.25", "0.75"), on="/v1/rerank")
    assert [doc.score for doc in rerank(server, ["a", "bb"]).docs] == [0.75, 0.25]


@pytest.mark.parametrize("score", [None, "high", math.nan], ids=["null", "word", "nan"])
def test_a_score_that_is_none_counts_as_zero(server, score):
    server.next_answer(faults.Scores(score, 0.5), on="/v1/rerank")
    assert [doc.score for doc in rerank(server, ["a", "bb"]).docs] == [0.5, 0.0]


@pytest.mark.parametrize(
    "index", [7, -1, "0", None, True], ids=["beyond", "negative", "text", "null", "bool"]
)
def test_an_index_of_no_document_is_an_error_that_names_the_model(server, index):
    change = faults.Edited(lambda value: value["results"][0].update(index=index))
    server.next_answer(change, on="/v1/rerank")
    with pytest.raises(InvokeError, match="longest"):
        rerank(server, ["a", "bb"])


def test_images_and_texts_side_by_side(server):
    picture = MultiModalContent(content="aGVsbG8=", content_type=MultiModalContentType.IMAGE)
    text = MultiModalContent(content="a cat", content_type=MultiModalContentType.TEXT)
    result = Rerank([]).invoke_multimodal(
        "sees", credentials_for(server, "sees"), text, [picture, text]
    )
    assert sorted(doc.index for doc in result.docs) == [0, 1]
    (body,) = bodies(server, "/v1/rerank")
    assert body["documents"][0]["image"].startswith("data:image/")


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.CRASHED, InvokeServerUnavailableError, "something is wrong"),
        (faults.OTHER_JSON, InvokeError, "longest"),
        (faults.LOGIN_PAGE, InvokeError, "is that of Xorbits Inference"),
        (faults.EMPTY_ERROR, InvokeServerUnavailableError, "500"),
    ],
    ids=["crashed", "other", "login", "empty"],
)
def test_what_goes_wrong_is_one_of_difys_errors(server, fault, error, words):
    server.next_answer(fault, on="/v1/rerank")
    with pytest.raises(error, match=words):
        rerank(server, ["a"])


def test_an_unknown_uid_is_a_bad_request_that_names_those_that_run(server):
    for _ in range(2):  # the server says it once only
        with pytest.raises(InvokeBadRequestError, match="longest"):
            rerank(server, ["a"], uid="nobody")
