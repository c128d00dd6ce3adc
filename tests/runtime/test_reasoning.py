"""Thoughts: one pair of tags around them, however a server sends them, and no answer lost."""

import json

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from under_sdk import LLM, bodies, credentials_for, reply_of

from xinfer.testing.server import Call, FakeServer, Reasoning, Reply, Served, faults

THOUGHT, TEXT = "Let me think.\nTwice.", "The answer."
THINKS = ("chat", "reasoning", "hybrid", "tools")
TOOL = PromptMessageTool(name="look", description="", parameters={"type": "object"})


def answers(body):
    text = str(body["messages"][-1]["content"])
    if "call" in text:
        return Reply(reasoning=THOUGHT, calls=(Call("look", {}),))
    if (body.get("chat_template_kwargs") or {}).get("enable_thinking") is False:
        return Reply(text=TEXT)
    if "only" in text:
        return Reply(reasoning=THOUGHT)
    return Reply(reasoning=THOUGHT, text=TEXT)


def served(uid, reasoning, engine="Transformers"):
    return Served(
        uid=uid,
        abilities=THINKS,
        family="qwen3",
        engine=engine,
        reasoning=reasoning,
        thinks=True,
        answer=answers,
    )


@pytest.fixture(scope="module")
def server():
    models = [
        served("parsed", Reasoning.PARSED),
        served("inline", Reasoning.INLINE),
        served("swallowing", Reasoning.SWALLOWING, "llama.cpp"),
        served("streamed", Reasoning.STREAMED, "llama.cpp"),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def ask(server, uid, text="Hi", *, stream=True, tools=None, **parameters):
    messages = [UserPromptMessage(content=text)]
    return reply_of(
        LLM([]).invoke("m", credentials_for(server, uid), messages, parameters, tools, None, stream)
    )


def parts(text):
    thought, tag, answer = text.rpartition("</think>")
    return (thought.removeprefix("<think>").strip(), answer.strip()) if tag else ("", text.strip())


@pytest.mark.parametrize("uid", ["parsed", "inline", "swallowing", "streamed"])
def test_a_stream_shows_thoughts_in_one_pair_of_tags_and_the_answer_behind(server, uid):
    answer = ask(server, uid)
    assert answer.text.count("<think>") == answer.text.count("</think>") == 1
    assert parts(answer.text) == (THOUGHT, TEXT)


@pytest.mark.parametrize("uid", ["parsed", "inline", "swallowing", "streamed"])
def test_an_answer_at_once_is_not_lost(server, uid):
    answer = ask(server, uid, stream=False)
    assert answer.text.count("<think>") == answer.text.count("</think>") <= 1
    assert parts(answer.text)[1] == TEXT or uid == "swallowing"
    assert TEXT in answer.text or THOUGHT in answer.text


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", ["parsed", "inline", "swallowing", "streamed"])
def test_a_model_asked_not_to_think_answers_once_and_without_tags(server, uid, stream):
    assert ask(server, uid, stream=stream, enable_thinking=False).text == TEXT


def test_the_other_spelling_of_the_key_is_read(server):
    server.next_answer(faults.REASONING_KEY, on="/v1/chat")
    assert parts(ask(server, "parsed").text) == (THOUGHT, TEXT)


def test_thoughts_are_closed_before_the_calls_of_tools(server):
    answer = ask(server, "parsed", "call", tools=[TOOL])
    assert answer.text.count("<think>") == answer.text.count("</think>") == 1
    assert [call.function.name for call in answer.calls] == ["look"]
    closed = next(i for i, p in enumerate(answer.pieces) if "</think>" in p.delta.message.content)
    calls = next(i for i, p in enumerate(answer.pieces) if p.delta.message.tool_calls)
    assert closed <= calls
    assert parts(answer.text) == (THOUGHT, "")


def test_an_answer_that_came_only_as_thought_is_said_too(server):
    answer = ask(server, "parsed", "only")
    assert parts(answer.text) == (THOUGHT, THOUGHT)


def test_a_thought_that_was_cut_stays_a_thought(server):
    answer = ask(server, "parsed", max_tokens=4)
    assert answer.reason == "length"
    assert answer.text.count("<think>") == answer.text.count("</think>") == 1
    assert parts(answer.text)[1] == ""


@pytest.mark.parametrize(("state", "sent"), [(None, None), (True, True), (False, False)])
def test_the_switch_has_three_states(server, state, sent):
    answer = ask(server, "parsed", **({} if state is None else {"enable_thinking": state}))
    (body,) = bodies(server, "/v1/chat/completions")
    if sent is None:
        assert "enable_thinking" not in json.dumps(body)
    else:
        assert body["chat_template_kwargs"] == {"enable_thinking": sent}
        assert body["enable_thinking"] is sent
    assert ("<think>" in answer.text) == (state is not False)
