"""What ``runtime=`` declares is what is sent: parameters, messages, users, prefixes, hooks."""

import json
import re

import pytest
from dify_plugin.entities.model import EmbeddingInputType
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessageTool,
    SystemPromptMessage,
    UserPromptMessage,
)
from dify_plugin.errors.model import InvokeBadRequestError, InvokeError
from runtime.declared import Account, serving
from under_sdk import bodies, reply_of

from xinfer.runtime.dify import llm, rerank, text_embedding
from xinfer.spec import (
    Add,
    Drop,
    Embedding,
    EndUser,
    Map,
    Messages,
    ModelType,
    OpenAICompatible,
    ParseJson,
    Rename,
    Rerank,
)
from xinfer.testing.server.answer import as_json
from xinfer.testing.server.dialects import DialectServer

TOOL = PromptMessageTool(name="t", description="", parameters={"type": "object"})


@pytest.fixture
def server():
    # Names are not checked: several are used below.
    with DialectServer("llama.cpp") as started:
        yield started


def chat_body(server, name="m", messages=None, *, tools=None, user=None, **runtime):
    parameters = runtime.pop("parameters", {})
    chat = serving(llm.LargeLanguageModel, server, **runtime)
    asked = messages or [UserPromptMessage(content="Hi")]
    reply_of(chat.invoke(name, {"url": ""}, asked, parameters, tools, None, False, user))
    return bodies(server, "/v1/chat/completions")[-1]


SENDS = (
    Rename("max_tokens", "max_completion_tokens", models=("o1*",)),
    Rename("reasoning_effort", "reasoning.effort"),
    Drop("temperature", models=("O1-*",)),
    Map(
        "enable_thinking",
        {True: {"thinking": {"type": "enabled"}}, False: {"thinking": {"type": "disabled"}}},
    ),
    ParseJson("search"),
    Add({"safe": True, "top_p": 0.5}),
)


@pytest.mark.parametrize(
    ("name", "parameters", "sent"),
    [
        ("m", {"max_tokens": 5}, {"max_tokens": 5}),
        ("o1-mini", {"max_tokens": 5, "temperature": 1}, {"max_completion_tokens": 5}),
        ("m", {"temperature": 1}, {"temperature": 1}),
        ("m", {"enable_thinking": False}, {"thinking": {"type": "disabled"}}),
        ("m", {"reasoning_effort": "low"}, {"reasoning": {"effort": "low"}}),
        ("m", {"search": '{"mode": "on"}'}, {"search": {"mode": "on"}}),
        ("m", {"top_p": 1}, {"top_p": 1}),
        ("m", {"extra_body": '{"reasoning": {"x": 1}, "safe": false}'}, {"reasoning": {"x": 1}}),
        (
            "m",
            {"reasoning_effort": "low", "extra_body": '{"reasoning": {"x": 1}}'},
            {"reasoning": {"effort": "low", "x": 1}},
        ),
    ],
)
def test_parameters_are_renamed_mapped_dropped_and_added(server, name, parameters, sent):
    body = chat_body(server, name, sends=SENDS, parameters=parameters)
    extra = json.loads(parameters.get("extra_body", "{}"))
    expected = {"safe": extra.get("safe", True), "top_p": 0.5, **sent}
    assert {k: v for k, v in body.items() if k not in ("model", "messages")} == expected


@pytest.mark.parametrize(
    ("parameter", "text"), [("search", "{"), ("extra_body", "[1]"), ("extra_body", "x")]
)
def test_a_parameter_that_must_be_json_is_refused_by_name(server, parameter, text):
    with pytest.raises(InvokeBadRequestError, match=f"The parameter {parameter} "):
        chat_body(server, sends=SENDS, parameters={parameter: text})


def test_the_end_user_is_not_told_unless_declared(server):
    assert "user" not in chat_body(server, user="someone")


def test_the_end_user_is_cut(server):
    chat = serving(llm.LargeLanguageModel, server, user=EndUser(key="user_id", max_length=7))
    reply_of(
        chat.invoke("m", {}, [UserPromptMessage(content="Hi")], {}, None, None, False, "someone")
    )
    reply_of(
        chat.invoke("m", {}, [UserPromptMessage(content="Hi")], {}, None, None, False, "x" * 40)
    )
    reply_of(chat.invoke("m", {}, [UserPromptMessage(content="Hi")], {}, None, None, False, None))
    sent = [body.get("user_id") for body in bodies(server, "/v1/chat/completions")]
    assert sent == ["someone", "x" * 7, None]


def test_names_headers_and_queries_are_the_servers(server):
    chat_body(
        server,
        model_names={"m": "vendor/m-v2"},
        headers={"X-Source": "dify"},
        query={"api-version": "1"},
    )
    arrived = server.requests[-1]
    assert arrived.body["model"] == "vendor/m-v2"
    assert arrived.headers["x-source"] == "dify"
    assert arrived.path.endswith("?api-version=1")


THOUGHT = "<think>\nHm.\n</think>\n\nHello!"
TALK = [
    SystemPromptMessage(content="A"),
    UserPromptMessage(content="1"),
    UserPromptMessage(content="2"),
    AssistantPromptMessage(content=THOUGHT),
    AssistantPromptMessage(content=""),
    SystemPromptMessage(content="B"),
    UserPromptMessage(content="3"),
]


def short(messages):
    return [f"{message['role'][0]}:{message['content']}" for message in messages]


@pytest.mark.parametrize(
    ("policy", "sent"),
    [
        (Messages(), ["s:A", "u:1", "u:2", "a:Hello!", "a:", "s:B", "u:3"]),
        (Messages(drop_empty=True), ["s:A", "u:1", "u:2", "a:Hello!", "s:B", "u:3"]),
        (Messages(system="first"), ["s:A\n\nB", "u:1", "u:2", "a:Hello!", "a:", "u:3"]),
        (Messages(system="none", merge=True), ["u:1\n\n2", "a:Hello!", "u:3"]),
        (
            Messages(system="user", merge=True, drop_empty=True),
            ["u:A\n\n1\n\n2", "a:Hello!", "u:B\n\n3"],
        ),
        (
            (Messages(system="none", models=("o1*",)), Messages(system="first")),
            ["s:A\n\nB", "u:1", "u:2", "a:Hello!", "a:", "u:3"],
        ),
    ],
)
def test_messages_are_arranged(server, policy, sent):
    chat = serving(llm.LargeLanguageModel, server, messages=policy)
    reply_of(chat.invoke("m", {}, TALK, {}, None, None, False))
    assert short(bodies(server, "/v1/chat/completions")[-1]["messages"]) == sent


@pytest.mark.parametrize(
    ("reasoning", "dialect", "tools", "sent"),
    [
        ("auto", "openai", None, None),
        ("auto", "vllm", None, "Hm."),
        ("always", "openai", None, "Hm."),
        ("with_tools", "openai", None, None),
        ("with_tools", "openai", [TOOL], "Hm."),
        ("never", "vllm", [TOOL], None),
    ],
)
def test_thoughts_leave_the_text_and_go_back_as_the_server_demands(
    server, reasoning, dialect, tools, sent
):
    policy = Messages(reasoning=reasoning)
    chat = serving(llm.LargeLanguageModel, server, messages=policy, dialect=dialect)
    reply_of(chat.invoke("m", {}, TALK, {}, tools, None, False))
    answer = bodies(server, "/v1/chat/completions")[-1]["messages"][3]
    assert answer["content"] == "Hello!"
    assert answer.get("reasoning_content") == sent


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>a</think>b<think>c</think>", "b<think>c</think>"),
        ("<think>a</think>\n\nb\n<think>c</think>\n\nd", "b\nd"),
        ("<think>\nnever ended", ""),
        ("Write <think> before you answer.", "Write <think> before you answer."),
    ],
)
def test_several_thoughts_unended_ones_and_words_about_them(server, text, answer):
    asked = [UserPromptMessage(content="1"), AssistantPromptMessage(content=text)]
    assert chat_body(server, messages=asked)["messages"][1]["content"] == answer


def test_a_completion_model_continues_text_without_thoughts(server):
    chat = serving(llm.LargeLanguageModel, server)
    asked = [UserPromptMessage(content="1"), AssistantPromptMessage(content=THOUGHT)]
    assert reply_of(chat.invoke("writer", {}, asked, {}, stream=False)).text == " and so on"
    assert bodies(server, "/v1/completions")[-1]["prompt"] == "1\n\nHello!"


def test_a_json_schema_is_written_into_the_prompt(server):
    parameters = {"response_format": "json_schema", "json_schema": '{"type": "object"}'}
    body = chat_body(server, json_schema="prompt", parameters=parameters)
    assert "response_format" not in body
    assert body["messages"][0]["role"] == "system"
    assert '{"type": "object"}' in body["messages"][0]["content"]
    body = chat_body(server, parameters=parameters)
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_embeddings_have_prefixes_bodies_and_an_encoding_by_model(server):
    declared = (
        Embedding(models=("other",), query_prefix="no"),
        Embedding(
            query={"input_type": "query"},
            document={"input_type": "passage"},
            query_prefix="query: ",
            encoding_format="float",
        ),
    )
    embedder = serving(text_embedding.TextEmbeddingModel, server, embedding=declared)
    for kind in (EmbeddingInputType.QUERY, EmbeddingInputType.DOCUMENT):
        answer = embedder.invoke("m", {}, ["a", "b", "c"], input_type=kind)
        assert len(answer.embeddings) == 3
    sent = bodies(server, "/v1/embeddings")
    assert [body["input"] for body in sent] == [
        ["query: a", "query: b"],
        ["query: c"],
        ["a", "b"],
        ["c"],
    ]
    assert [body["input_type"] for body in sent] == ["query"] * 2 + ["passage"] * 2
    assert {body["encoding_format"] for body in sent} == {"float"}


def test_rerank_has_a_body_and_its_scores_in_range(server):
    ranker = serving(rerank.RerankModel, server, rerank=Rerank(scores="sigmoid", body={"x": 1}))
    ranked = ranker.invoke("m", {}, "q", ["a", "b" * 40])
    assert [doc.index for doc in ranked.docs] == [1, 0]
    assert all(0 <= doc.score <= 1 for doc in ranked.docs)
    assert bodies(server, "/v1/rerank")[-1]["x"] == 1


class Odd(llm.LargeLanguageModel[Account]):
    def request(self, body, call):
        return body | {"asked_by": call.user, "key": call.credentials.key.reveal()}

    def headers(self, call):
        return {"X-Model": call.name}

    def path(self, kind, model):
        return f"{model}/{kind}/completions" if kind == "chat" else None


class Failing(llm.LargeLanguageModel[Account]):
    def request(self, body, call):
        return {}["missing"]


def test_hooks_take_and_return_plain_data(server):
    shape = server._shape
    chat = serving(Odd, server)
    server.next_answer(as_json({"choices": [{"message": {"content": "ok"}}]}), on="/v1/m/chat")
    asked = [UserPromptMessage(content="Hi")]
    answer = reply_of(chat.invoke("m", {"key": "k-12345"}, asked, {}, stream=False, user="u"))
    assert answer.text == "ok"
    arrived = server.requests[-1]
    assert arrived.route == f"{shape.base}/m/chat/completions"
    assert (arrived.body["asked_by"], arrived.body["key"]) == ("u", "k-12345")
    assert arrived.headers["x-model"] == "m"


@pytest.mark.parametrize("stream", [True, False])
def test_a_mistake_in_own_code_reaches_the_log_with_its_line_and_the_user_with_its_words(
    server, caplog, stream
):
    chat = serving(Failing, server)
    with pytest.raises(InvokeError, match=r"KeyError: 'missing' \(test_declared_runtime\.py, line"):
        reply_of(chat.invoke("m", {}, [UserPromptMessage(content="Hi")], {}, stream=stream))
    log = caplog.text
    assert "test_declared_runtime.py" in log
    assert "Traceback" in log
    assert log.count("Traceback") == 1


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"dialect": "vlm"}, "there is no dialect 'vlm': did you mean 'vllm'?"),
        (
            {"dialect": "zzz"},
            "there is no dialect 'zzz': the dialects are openai, xinference, vllm",
        ),
        ({"classes": {ModelType.LLM: "own.Model"}}, "write the module and the class"),
    ],
)
def test_a_runtime_that_names_nothing_is_refused_where_it_is_declared(declared, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        OpenAICompatible(**declared)
