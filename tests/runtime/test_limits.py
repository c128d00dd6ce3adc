"""Every limit holds on both its sides, and the work below it grows with the length."""

import json

import pytest

from xinfer.runtime.dify.thinking import Thinking
from xinfer.runtime.openai import Client, Server, ServerUnavailable, calls, limits
from xinfer.runtime.openai.answers import ChatChunk
from xinfer.runtime.openai.calls import Call
from xinfer.runtime.openai.events import Events, TooLong
from xinfer.runtime.openai.framing import Chunks
from xinfer.runtime.openai.reasoning import Reasoning
from xinfer.runtime.openai.tool_text import ToolCallText
from xinfer.testing.server import FakeServer
from xinfer.testing.server.answer import DONE, event, stream

HI = [{"role": "user", "content": "Hi"}]


def test_a_line_of_a_stream_may_be_as_long_as_an_event():
    events = Events()
    start = b'data: "'
    assert events.feed(start + b"x" * (limits.EVENT - len(start))) == []
    assert len(events.feed(b'"\n')[0]) == limits.EVENT - len(start)
    assert events.feed(b"x" * limits.EVENT) == []
    with pytest.raises(TooLong):
        events.feed(b"x")


def test_an_event_of_many_lines_may_be_as_long_as_one_of_one():
    events = Events()
    line = b"data: [" + b"x" * 1000 + b"\n"
    assert events.feed(line * (limits.EVENT // 1100)) == []
    with pytest.raises(TooLong):
        events.feed(line * (limits.EVENT // 1000))


def test_the_frame_of_a_chunk_may_be_as_long_as_its_limit():
    assert Chunks().feed(b"3;" + b"x" * (limits.FRAME - 100)) == b""
    with pytest.raises(ValueError, match="without a size"):
        Chunks().feed(b"3;" + b"x" * limits.FRAME)


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_may_have_as_many_tool_calls_as_the_limit(more):
    deltas = [
        {"index": n, "id": f"i{n}", "function": {"name": "look", "arguments": "{}"}}
        for n in range(limits.TOOL_CALLS + more)
    ]
    end = {"choices": [{"delta": {"tool_calls": deltas}, "finish_reason": "stop"}]}
    with FakeServer() as server:
        server.next_answer(stream([event(end), event(DONE)]), on="/v1/chat")
        client = Client(Server(base_url=server.url + "/v1", max_retries=0))
        groups = client.stream_chat("chat", HI, {})
        if more:
            with pytest.raises(ServerUnavailable, match="more tool calls than any agent"):
                list(groups)
        else:
            assert sum(len(chunk.tool_calls) for group in groups for chunk in group) == 256


@pytest.mark.parametrize("length", [limits.WORDS, limits.WORDS + 1])
def test_the_servers_words_are_cut_where_they_are_too_long(length):
    error = Call(label="It", url="http://h/").answered_error("x" * length)
    assert ("…" in error.words) == (length > limits.WORDS)
    assert len(error.words) == limits.WORDS


@pytest.mark.parametrize("length", [limits.NAME, limits.NAME + 1])
def test_names_are_cut_where_they_are_too_long(length):
    error = Call(label="It", url="http://h/", model="m" * length).answered_error("no")
    assert ("…" in error.english) == (length > limits.NAME)


def test_words_are_looked_for_in_what_is_left_of_a_page_only():
    """Patterns that try again from every place would take minutes for this."""
    for page in (b"<title>" * 1200, b"<" * 8192, b"<a " * 2700, b"[" * 8192, b"\xff" * 8192):
        assert calls.server_words(page[: limits.ERROR])


BLANKS = 300_000


def test_the_time_for_blanks_grows_with_their_number():
    """Held back and copied with each further one, they would take hours."""
    reasoning, tools, thinking = Reasoning(), ToolCallText({"look": {}}), Thinking()
    chunk = ChatChunk(text=" ")
    for _ in range(BLANKS):
        reasoning.sort(chunk)
        tools.feed(" ")
        thinking.feed(" ", "")
    behind = ToolCallText({"look": {}})
    behind.feed('<tool_call>{"name": "look"}</tool_call>')
    for _ in range(BLANKS):
        behind.feed("\n")
    assert behind.feed("Hello")[0] == "Hello"


def test_the_time_for_lines_that_are_no_json_grows_with_their_number():
    events = Events()
    many = b"data: {\n" * 1_000_000
    with pytest.raises(TooLong):
        events.feed(many)


def test_an_object_on_several_lines_is_read():
    parts = json.dumps({"a": ["b", 1, None]}, indent=1).splitlines()
    lines = "".join(f"data: {part}\n" for part in parts)
    assert Events().feed(f"{lines}\n".encode()) == [{"a": ["b", 1, None]}]
