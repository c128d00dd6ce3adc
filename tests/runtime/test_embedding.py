"""Text embedding against the fake server: batches, order, usage, broken vectors, and the tasks."""

import pytest
from dify_plugin.entities.model import EmbeddingInputType, ModelPropertyKey
from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType
from dify_plugin.errors.model import (
    InvokeAuthorizationError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeServerUnavailableError,
)
from emitted import TextEmbedding
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import bodies, credentials_for

from xinfer.testing.server import FakeServer, Served, faults

_SMALL = {"model_type": "embedding", "abilities": ("embed",), "limits": {"dimensions": 4}}


def counted(text):
    """A vector that tells which text it is of."""
    return [float(len(text)), float(ord(text[0]) if text else 0), 0.0, 1.0]


@pytest.fixture(scope="module")
def server():
    numbered = Served(uid="counted", answer=counted, **_SMALL)
    jina = Served(uid="jina", name="jina-embeddings-v3", answer=counted, **_SMALL)
    wide = Served(
        uid="wide", model_type="embedding", abilities=("embed",), limits={"dimensions": 4096}
    )
    images = Served(
        uid="images",
        model_type="embedding",
        abilities=("embed", "vision"),
        limits={"dimensions": 4},
        answer=counted,
    )
    with FakeServer([numbered, jina, wide, images]) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def embed(server, texts, uid="counted", task=EmbeddingInputType.DOCUMENT, **more):
    return TextEmbedding([]).invoke(uid, credentials_for(server, uid, **more), texts, None, task)


@given(texts=st.lists(st.text(max_size=20), max_size=40), size=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_vectors_come_in_the_order_of_the_texts_in_batches_of_the_users_size(server, texts, size):
    server.requests.clear()
    result = embed(server, texts, max_chunks=str(size))
    assert result.embeddings == [counted(text) for text in texts]
    sent = [body["input"] for body in bodies(server, "/v1/embeddings")]
    assert [text for batch in sent for text in batch] == texts
    assert all(len(batch) == size for batch in sent[:-1])


def test_no_texts_need_no_request(server):
    assert embed(server, []).embeddings == []
    assert bodies(server, "/v1/embeddings") == []


def test_a_batch_is_as_large_as_one_answer_can_carry(server):
    schema = TextEmbedding([]).get_model_schema("wide", credentials_for(server, "wide"))
    most = schema.model_properties[ModelPropertyKey.MAX_CHUNKS]
    assert most >= 1
    # A number takes up to 22 bytes in the line for the daemon, which ends at 5 MiB.
    assert most * 4096 * 22 < 5 * 1024 * 1024
    result = embed(server, ["a"] * most, uid="wide")
    assert len(result.model_dump_json()) < 5 * 1024 * 1024
    assert len(bodies(server, "/v1/embeddings")) == 1


def test_more_than_one_line_can_carry_is_refused_with_the_number_that_fits(server):
    with pytest.raises(InvokeBadRequestError, match="at most 48 as Texts per embedding call"):
        embed(server, ["a"] * 60, uid="wide")


@pytest.mark.parametrize(("size", "used"), [("2", 2), ("500", 19)])
def test_a_size_that_the_user_entered_is_used_where_one_answer_can_carry_it(server, size, used):
    assert embed(server, ["a"] * 40, uid="wide", max_chunks=size).embeddings
    sent = [len(body["input"]) for body in bodies(server, "/v1/embeddings")]
    assert max(sent) == used


def test_usage_is_the_servers_count_of_all_batches(server):
    result = embed(server, ["one two", "three"], max_chunks="1")
    assert result.usage.tokens == result.usage.total_tokens > 0
    alone = embed(server, ["one two"]).usage.tokens
    assert result.usage.tokens > alone


def test_usage_is_estimated_where_the_server_gives_none(server):
    server.next_answer(faults.WITHOUT_USAGE, on="/v1/embeddings")
    assert embed(server, ["one two three four"]).usage.tokens > 0


def test_vectors_are_put_in_order_by_their_index(server):
    server.next_answer(faults.REVERSED_VECTORS, on="/v1/embeddings")
    assert embed(server, ["a", "bb", "ccc"]).embeddings == [counted(t) for t in ("a", "bb", "ccc")]


@pytest.mark.parametrize(
    "fault",
    [faults.MISSING_VECTOR, faults.EXTRA_VECTOR, faults.NAN_VECTOR, faults.NULL_VECTOR],
    ids=["missing", "extra", "nan", "null"],
)
def test_what_is_not_one_vector_a_text_is_an_error_that_names_the_model(server, fault):
    server.next_answer(fault, on="/v1/embeddings")
    with pytest.raises(InvokeError, match="counted"):
        embed(server, ["a", "bb"])


@pytest.mark.parametrize(
    ("task", "word"),
    [
        (EmbeddingInputType.QUERY, "retrieval.query"),
        (EmbeddingInputType.DOCUMENT, "retrieval.passage"),
    ],
)
def test_only_models_that_use_it_are_told_what_the_vectors_are_for(server, task, word):
    embed(server, ["a"], uid="jina", task=task)
    embed(server, ["a"], uid="counted", task=task)
    told, untold = bodies(server, "/v1/embeddings")
    assert told["task"] == word
    assert "task" not in untold


def test_images_and_texts_are_asked_for_apart_and_joined_in_order(server):
    """Xinference 4.1 refuses a request that mixes both."""
    contents = [
        MultiModalContent(content="a cat", content_type=MultiModalContentType.TEXT),
        MultiModalContent(content="aGVsbG8=", content_type=MultiModalContentType.IMAGE),
        MultiModalContent(content="a dog", content_type=MultiModalContentType.TEXT),
    ]
    result = TextEmbedding([]).invoke_multimodal(
        "images", credentials_for(server, "images"), contents
    )
    texts, images = (body["input"] for body in bodies(server, "/v1/embeddings"))
    assert texts == ["a cat", "a dog"]
    assert [image["image"][:11] for image in images] == ["data:image/"]
    plain = TextEmbedding([]).invoke(
        "images", credentials_for(server, "images"), ["a cat", "a dog"]
    )
    assert [result.embeddings[0], result.embeddings[2]] == plain.embeddings


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.LOADING, InvokeServerUnavailableError, "loading"),
        (faults.CRASHED, InvokeServerUnavailableError, "something is wrong"),
        (faults.BAD_GATEWAY, InvokeServerUnavailableError, "502"),
        (faults.Closed(), InvokeConnectionError, "counted"),
        (faults.LOGIN_PAGE, InvokeError, "is that of Xorbits Inference"),
        (faults.OTHER_JSON, InvokeError, "counted"),
        (faults.EMPTY, InvokeError, "is that of Xorbits Inference"),
    ],
    ids=["loading", "crashed", "gateway", "closed", "login", "other", "empty"],
)
def test_what_goes_wrong_is_one_of_difys_errors(server, fault, error, words):
    server.next_answer(fault, on="/v1/embeddings")
    with pytest.raises(error, match=words):
        embed(server, ["a"])


def test_a_key_without_right_is_an_authorization_error():
    with FakeServer(key="sk-all", limited={"sk-chat": ["chat"]}) as server:
        with pytest.raises(InvokeAuthorizationError, match="embed"):
            embed(server, ["a"], uid="embed", api_key="sk-chat")
        with pytest.raises(InvokeAuthorizationError) as refused:
            embed(server, ["a"], uid="embed", api_key="sk-wrong")
        assert "sk-wrong" not in str(refused.value)


def test_tokens_of_each_text(server):
    counts = TextEmbedding([]).get_num_tokens(
        "counted", credentials_for(server, "counted"), ["", "a b c"]
    )
    assert counts[0] == 0
    assert counts[1] >= 1
    assert server.requests == []
