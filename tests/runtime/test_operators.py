"""What operators ask for, each a field of the form: users, counts, headers, prefixes, prompts."""

import io

import pytest
import under_sdk
from attrs import evolve
from dify_plugin.entities.model import EmbeddingInputType
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    SystemPromptMessage,
    UserPromptMessage,
)
from emitted import LLM, Rerank, Speech2Text, TextEmbedding, fresh_server
from hypothesis import given
from hypothesis import strategies as st
from under_sdk import bodies, credentials_for, reply_of

import provider_spec
from xinfer.runtime.openai.tokens import cut, estimate
from xinfer.spec import DIALECTS
from xinfer.testing.server import Served
from xinfer.testing.server.answer import as_json
from xinfer.testing.server.silence import mp3

TALK = [
    SystemPromptMessage(content="Be brief."),
    UserPromptMessage(content="Hi"),
    AssistantPromptMessage(content="<think>\nHm.\n</think>\n\nHello!"),
    UserPromptMessage(content="And now?"),
]
COUNT = "/v1/messages/count_tokens"


@pytest.fixture
def server():
    logits = Served(
        uid="logits",
        model_type="rerank",
        abilities=("rerank",),
        answer=lambda query, document: len(document) - 10.0,
    )
    short = Served(uid="short", model_type="embedding", limits={"max_tokens": 20})
    models = [Served(uid="chat"), Served(uid="embed", model_type="embedding"), short, logits]
    whisper = Served(uid="whisper", model_type="audio", abilities=("audio2text",))
    with fresh_server([*models, whisper]) as started:
        yield started


def counted(server, messages, **more):
    return LLM([]).get_num_tokens("m", credentials_for(server, "chat", **more), messages)


def asked(server):
    return bodies(server, COUNT)


def test_tokens_are_estimated_without_a_request(server):
    assert 5 <= counted(server, TALK) <= 60
    assert asked(server) == []


def test_tokens_are_counted_by_the_server_once_if_the_user_says_so(server):
    server.next_answer(as_json({"input_tokens": 4242}), on=COUNT)
    assert counted(server, TALK, exact_tokens="true") == 4242
    assert counted(server, TALK, exact_tokens="true") == 4242
    (body,) = asked(server)
    assert body == {
        "model": "chat",
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Hello!"},
            {"role": "user", "content": "And now?"},
        ],
    }
    (request,) = [arrived for arrived in server.requests if arrived.route == COUNT]
    assert request.headers["anthropic-version"] == "2023-06-01"


@pytest.mark.parametrize(
    "answer", [as_json({"error": "no"}, 501), as_json({"input_tokens": "many"}), as_json([])]
)
def test_a_server_that_cannot_count_leaves_it_at_the_estimate(server, answer):
    estimate = counted(server, TALK)
    server.next_answer(answer, on=COUNT)
    assert counted(server, TALK, exact_tokens="true") == estimate


def test_credentials_that_are_wrong_leave_it_at_the_estimate(server):
    assert LLM([]).get_num_tokens("m", {"server_url": "nowhere"}, TALK) == counted(server, TALK)


@pytest.mark.parametrize(("send_user", "sent"), [("true", "someone"), ("false", None), ("", None)])
def test_the_end_user_is_told_if_the_operator_says_so(server, send_user, sent):
    credentials = credentials_for(server, "chat", send_user=send_user)
    reply_of(LLM([]).invoke("m", credentials, TALK, {}, stream=False, user="someone"))
    assert bodies(server, "/v1/chat/completions")[-1].get("user") == sent


def test_extra_headers_go_with_every_request(server):
    credentials = credentials_for(server, "chat", extra_headers="X-Team: search; X-Env: prod")
    LLM([]).validate_credentials("m", credentials)
    assert server.requests
    for arrived in server.requests:
        assert (arrived.headers["x-team"], arrived.headers["x-env"]) == ("search", "prod")


def test_parameters_have_xinferences_spelling(server):
    credentials = credentials_for(server, "chat", thinking="yes")
    parameters = {
        "enable_thinking": False,
        "thinking_budget": 9,
        "reasoning_effort": "low",
        "extra_body": '{"guided_choice": ["a"]}',
    }
    reply_of(LLM([]).invoke("m", credentials, TALK, parameters, stream=False))
    body = bodies(server, "/v1/chat/completions")[-1]
    sent = {key: body[key] for key in body if key not in ("model", "messages")}
    assert sent == {
        "chat_template_kwargs": {"enable_thinking": False},
        "enable_thinking": False,
        "thinking_token_budget": 9,
        "reasoning_effort": "low",
        "guided_choice": ["a"],
    }
    assert body["messages"][2] == {
        "role": "assistant",
        "content": "Hello!",
        "reasoning_content": "Hm.",
    }


@pytest.mark.parametrize(
    ("prefix", "sent"), [("query:", "query: a"), ("查询：", "查询：a"), ("", "a"), ("Q\n", "Q a")]
)
def test_prefixes_stand_in_front_of_each_text(server, prefix, sent):
    credentials = credentials_for(server, "embed", query_prefix=prefix)
    for kind in (EmbeddingInputType.QUERY, EmbeddingInputType.DOCUMENT):
        TextEmbedding([]).invoke("m", credentials, ["a"], input_type=kind)
    texts = [body["input"] for body in bodies(server, "/v1/embeddings")]
    assert texts == [[sent], ["a"]]


@pytest.mark.parametrize(("truncate", "sent"), [("true", -1), ("false", None), ("", None)])
def test_texts_that_are_too_long_are_cut_by_the_server_if_the_operator_says_so(
    server, truncate, sent
):
    TextEmbedding([]).invoke(
        "m", credentials_for(server, "embed", truncate=truncate), ["word " * 9000]
    )
    (body,) = bodies(server, "/v1/embeddings")
    assert body.get("truncate_prompt_tokens") == sent
    assert body["input"] == ["word " * 9000]


class _Uncutting(under_sdk.TextEmbedding):
    """On a server that cuts nothing itself."""

    project = evolve(
        provider_spec.project,
        runtime=evolve(
            provider_spec.project.runtime, dialect=evolve(DIALECTS["xinference"], truncate=None)
        ),
    )


@pytest.mark.parametrize(("truncate", "is_cut"), [("true", True), ("false", False)])
def test_texts_are_cut_here_where_the_server_cuts_none(server, truncate, is_cut):
    text = "word " * 9000
    credentials = credentials_for(server, "short", truncate=truncate, document_prefix="passage:")
    _Uncutting([]).invoke("m", credentials, [text, "fits"])
    (body,) = bodies(server, "/v1/embeddings")
    long, short = body["input"]
    assert short == "passage: fits"
    assert f"passage: {text}".startswith(long)
    assert (estimate(long) <= 20) == is_cut
    assert "truncate_prompt_tokens" not in body


@given(st.text(max_size=400), st.integers(1, 60))
def test_a_text_is_cut_at_a_number_of_tokens(text, most):
    left = cut(text, most)
    assert text.startswith(left)
    assert not left or estimate(left) <= most
    assert estimate(text) > most or left == text


@pytest.mark.parametrize(("scores", "highest"), [("server", 10.0), ("sigmoid", 0.9999546)])
def test_logits_are_brought_to_the_range_of_difys_threshold(server, scores, highest):
    credentials = credentials_for(server, "logits", scores=scores)
    ranked = Rerank([]).invoke("m", credentials, "q", ["a", "b" * 20])
    assert [doc.index for doc in ranked.docs] == [1, 0]
    assert ranked.docs[0].score == pytest.approx(highest)


def test_a_transcription_has_a_prompt_and_a_language(server):
    credentials = credentials_for(server, "whisper", language="en-US", prompt="Dify, Xinference")
    Speech2Text([]).invoke("m", credentials, io.BytesIO(mp3(0.2)))
    body = bodies(server, "/v1/audio/transcriptions")[-1]
    assert (body["language"], body["prompt"]) == ("en", "Dify, Xinference")
