"""Parameters as the user set them: nothing more, nothing changed, or a clear refusal."""

import json

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import InvokeBadRequestError
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import LLM, bodies, credentials_for, reply_of

from xinfer.testing.server import FakeServer, Served

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@pytest.fixture(scope="module")
def server():
    with FakeServer([Served(uid="chat"), Served(uid="base", abilities=("generate",))]) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def sent(server, stop=None, *, uid="chat", stream=False, **parameters):
    server.requests.clear()
    messages = [UserPromptMessage(content="Hi")]
    answer = reply_of(
        LLM([]).invoke("m", credentials_for(server, uid), messages, parameters, None, stop, stream)
    )
    route = "/v1/chat/completions" if uid == "chat" else "/v1/completions"
    (body,) = bodies(server, route)
    return body, answer


def test_nothing_is_sent_that_nobody_set(server):
    body, _ = sent(server)
    assert set(body) == {"model", "messages"}
    body, _ = sent(server, stream=True)
    assert set(body) == {"model", "messages", "stream", "stream_options"}


@given(
    set_=st.fixed_dictionaries(
        {},
        optional={
            "temperature": st.sampled_from([0, 0.5, 1, 1.75, 2]),
            "top_p": st.sampled_from([0.1, 1]),
            "top_k": st.integers(1, 100),
            "min_p": st.sampled_from([0, 0.05, 1]),
            "repetition_penalty": st.sampled_from([0.5, 1.1, 2]),
            "presence_penalty": st.sampled_from([-2, 0, 1.5]),
            "frequency_penalty": st.sampled_from([-2, 0.25, 2]),
            "seed": st.integers(0, 2**31 - 1),
            "max_tokens": st.integers(1, 4096),
        },
    )
)
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("uid", ["chat", "base"])
def test_what_was_set_is_sent_unchanged(server, uid, set_):
    body, _ = sent(server, uid=uid, **set_)
    assert {name: body.get(name) for name in set_} == set_
    assert set(body) - set(set_) <= {"model", "messages", "prompt"}


@pytest.mark.parametrize(
    ("name", "value"), [("temperature", 3), ("max_tokens", 5000), ("top_p", 7), ("seed", "x")]
)
def test_what_is_out_of_bounds_is_refused_and_not_clamped(server, name, value):
    with pytest.raises((ValueError, InvokeBadRequestError), match=name):
        sent(server, **{name: value})
    assert not [a for a in server.requests if a.method == "POST"]


def test_stop_words_are_sent(server):
    assert sent(server, ["END", "\n"])[0]["stop"] == ["END", "\n"]
    assert sent(server, ["", "END"])[0]["stop"] == ["END"]
    assert "stop" not in sent(server, [])[0]
    assert "stop" not in sent(server, [""])[0]


@pytest.mark.parametrize("kind", ["text", "json_object"])
def test_a_format_is_sent_by_its_name(server, kind):
    assert sent(server, response_format=kind)[0]["response_format"] == {"type": kind}


@pytest.mark.parametrize(
    "written", [SCHEMA, {"name": "place", "schema": SCHEMA}], ids=["bare", "wrapped"]
)
def test_a_schema_travels_in_the_format(server, written):
    body, answer = sent(server, response_format="json_schema", json_schema=json.dumps(written))
    wrapped = body["response_format"]["json_schema"]
    assert body["response_format"]["type"] == "json_schema"
    assert wrapped["schema"] == SCHEMA
    assert wrapped["name"]
    assert "json_schema" not in body
    assert set(json.loads(answer.text)) == {"city"}


def test_a_schema_alone_changes_nothing(server):
    assert "json_schema" not in json.dumps(sent(server, json_schema=json.dumps(SCHEMA))[0])


@pytest.mark.parametrize("wrong", [None, "", "{", "[]", "3"])
def test_a_schema_that_is_none_is_explained(server, wrong):
    parameters = {} if wrong is None else {"json_schema": wrong}
    with pytest.raises(InvokeBadRequestError, match="json_schema"):
        sent(server, response_format="json_schema", **parameters)
    assert not [a for a in server.requests if a.method == "POST"]
