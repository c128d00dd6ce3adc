"""What a server refuses is asked for in the way that it takes."""

import pytest
from dify_plugin.entities.model.message import AssistantPromptMessage, SystemPromptMessage
from dify_plugin.errors.model import InvokeError, InvokeServerUnavailableError
from runtime.reports.asking import BOTH, HI, LOOK, ask, called
from under_sdk import bodies

from xinfer.testing.server.answer import Hold, event, refusal, stream

NO_STREAMED_TOOLS = "Streaming support for tool calls is available only when using vLLM."


@pytest.mark.parametrize(
    "refused",
    [refusal(400, NO_STREAMED_TOOLS), stream([event({"error": NO_STREAMED_TOOLS})])],
    ids=["status", "event"],
)
def test_tools_that_are_not_streamed_are_asked_for_at_once_and_that_is_remembered(server, refused):
    assert called(ask(server, refused, tools=[LOOK]))
    assert called(ask(server, tools=[LOOK]))
    sent = [bool(body.get("stream")) for body in bodies(server, "/v1/chat/completions")]
    assert sent == [True, False, False]
    assert ask(server).text  # without tools it streams
    assert bodies(server, "/v1/chat/completions")[-1]["stream"]


SYSTEM = [*HI, SystemPromptMessage(content="Be kind."), SystemPromptMessage(content="Be short.")]


@BOTH
@pytest.mark.parametrize("status", [400, 500])
def test_a_system_message_that_must_come_first_is_moved_there_and_that_is_remembered(
    server, streams, status
):
    refused = refusal(status, "System message must be at the beginning.")
    assert ask(server, refused, streams=streams, messages=SYSTEM).text
    assert ask(server, streams=streams, messages=SYSTEM).text
    first, *others = bodies(server, "/v1/chat/completions")
    assert [message["role"] for message in first["messages"]] == ["user", "system", "system"]
    for body in others:
        assert body["messages"][0] == {"role": "system", "content": "Be kind.\n\nBe short."}
        assert len(body["messages"]) == 2
    assert len(others) == 2


@pytest.mark.parametrize("words", ["Unknown field stream_options", "include_usage not supported"])
def test_a_gateway_that_knows_no_usage_in_streams_is_asked_without(server, words):
    assert ask(server, refusal(400, words)).text
    sent = bodies(server, "/v1/chat/completions")
    assert ["stream_options" in body for body in sent] == [True, False]


@BOTH
def test_thoughts_that_a_server_does_not_take_back_are_left_out(server, streams):
    refused = refusal(
        422, [{"loc": ["reasoning_content"], "msg": "Extra inputs are not permitted"}]
    )
    messages = [*HI, AssistantPromptMessage(content="<think>\nhm\n</think>\n\nHello!"), *HI]
    assert ask(server, refused, streams=streams, messages=messages).text
    first, second = bodies(server, "/v1/chat/completions")
    assert "reasoning_content" in first["messages"][1]
    assert "reasoning_content" not in second["messages"][1]


@BOTH
def test_what_fails_by_a_fault_of_the_server_is_asked_for_in_the_other_way_once(server, streams):
    fault = refusal(500, "'async_generator' object has no attribute 'get'")
    assert ask(server, fault, streams=streams).text
    sent = [bool(body.get("stream")) for body in bodies(server, "/v1/chat/completions")]
    assert sent == [streams, not streams]
    server.requests.clear()
    with pytest.raises(InvokeServerUnavailableError, match="async_generator"):
        ask(server, fault, refusal(500, "KeyError: 'x'"), streams=streams)
    assert len(bodies(server, "/v1/chat/completions")) == 2


def test_what_has_begun_to_be_shown_is_not_asked_for_again(server):
    told = event({"choices": [{"delta": {"content": "Hel"}}]})
    begun = stream([told, Hold(0.2), event({"error": NO_STREAMED_TOOLS})])
    with pytest.raises(InvokeError, match="Streaming support"):
        ask(server, begun, tools=[LOOK])
    assert len(bodies(server, "/v1/chat/completions")) == 1
