"""Reasoning that goes wrong in public with self-hosted models in Dify, and goes right here."""

import pytest
from dify_plugin.entities.model.message import AssistantPromptMessage
from runtime.reports.asking import BOTH, HI, ask, either, streamed
from under_sdk import bodies

SHOWN = "<think>\n{}\n</think>\n\n{}"


@BOTH
@pytest.mark.parametrize(
    ("history", "sent", "thought"),
    [
        ("<think>\nhm\n</think>\n\nHello!", "Hello!", "hm"),
        ("<think>a</think>\n\nOne<think>\nb\n</think>\n\nTwo", "OneTwo", "a\n\nb"),
        ("<think>\ncut off", "", "cut off"),
        ("hm, hm</think>\n\nHello!", "Hello!", "hm, hm"),
        ("<think>\n\n</think>\n\nHello!", "Hello!", None),
        ("The tag `<think>` and its end `</think>` are text.",) * 2 + (None,),
        ("a < b", "a < b", None),
    ],
)
def test_earlier_thoughts_are_sent_as_thoughts(server, streams, history, sent, thought):
    messages = [*HI, AssistantPromptMessage(content=history), *HI]
    ask(server, streams=streams, messages=messages)
    (body,) = bodies(server, "/v1/chat/completions")
    assert body["messages"][1]["content"] == sent
    assert body["messages"][1].get("reasoning_content") == thought


@BOTH
def test_earlier_thoughts_are_taken_out_of_the_text_that_is_continued(server, streams):
    messages = [*HI, AssistantPromptMessage(content="<think>\nhm\n</think>\n\nHello!"), *HI]
    ask(server, uid="base", streams=streams, messages=messages, on="/v1/completions")
    (body,) = bodies(server, "/v1/completions")
    assert "hm" not in body["prompt"]
    assert "Hello!" in body["prompt"]


@pytest.mark.parametrize(
    ("uid", "streams", "text"),
    [
        ("chat", False, SHOWN.format("hm, hm", "Hello!")),
        ("thinker", False, SHOWN.format("hm, hm", "Hello!")),
        ("thinker", True, SHOWN.format("hm, hm", "Hello!")),
        ("chat", True, "hm, hm</think>\n\nHello!"),  # nothing tells that a thought begins
    ],
)
def test_a_text_may_begin_inside_a_thought(server, uid, streams, text):
    assert (
        ask(server, either("hm, hm</think>\n\nHello!")[streams], uid=uid, streams=streams).text
        == text
    )


@BOTH
def test_a_model_that_always_thinks_and_did_not_is_heard_all_the_same(server, streams):
    assert ask(server, either("Hello!")[streams], uid="hybrid", streams=streams).text == "Hello!"
    told = streamed({"reasoning_content": "hm"}, {"content": "Hello!"})
    assert ask(server, told, uid="thinker").text == SHOWN.format("hm", "Hello!")


@BOTH
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('<think>\n\n</think>\n\n{"a": 1}', '{"a": 1}'),
        ('<think></think>{"a": 1}', '{"a": 1}'),
        ('\n<think>\n\n</think>\n\n{"a": 1}', '{"a": 1}'),
        ('{"a": "<think>"}', '{"a": "<think>"}'),
        ("<think>\nhm\n</think>\n\nHello!", SHOWN.format("hm", "Hello!")),
        ("<thin", "<thin"),
        ("It is <think>…</think> here", "It is <think>…</think> here"),
    ],
)
def test_no_empty_thought_is_shown(server, streams, content, text):
    assert ask(server, either(content)[streams], streams=streams).text == text


@pytest.mark.parametrize("first", ["<think>\n", "<think>", "\n<think>\n"])
def test_a_tag_in_front_of_a_parsed_thought_is_shown_once(server, first):
    told = streamed({"reasoning_content": first + "hm"}, {"content": "Hello!"})
    assert ask(server, told).text == SHOWN.format("hm", "Hello!")
