"""Tools: what is offered, calls joined from deltas or found in text, and what comes back."""

import json

import pytest
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    PromptMessageTool,
    ToolPromptMessage,
    UserPromptMessage,
)
from dify_plugin.errors.model import InvokeError
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import LLM, bodies, credentials_for, reply_of

from xinfer.runtime.openai.answers import ToolCallDelta
from xinfer.runtime.openai.tool_calls import ToolCalls
from xinfer.runtime.openai.tool_text import ToolCallText
from xinfer.testing.server import Call, FakeServer, Reply, Served

WEATHER = PromptMessageTool(
    name="get_weather",
    description="Tells the weather",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)
PARIS, LONDON = (Call("get_weather", {"city": city}) for city in ("Paris", "伦敦"))


def answers(body):
    text = str(body["messages"][-1]["content"])
    calls = tuple(call for word, call in (("one", PARIS), ("two", LONDON)) if word in text)
    return Reply(text="Let me see." if "say" in text else "", calls=calls)


@pytest.fixture(scope="module")
def server():
    both = ("chat", "tools")
    models = [
        Served(uid="transformers", abilities=both, answer=answers),
        Served(uid="llama", abilities=both, answer=answers, engine="llama.cpp"),
        Served(uid="plain", answer='<tool_call>\n{"name": "x"}\n</tool_call>'),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def ask(server, uid, *messages, stream=True, tools=(WEATHER,)):
    prompt = [UserPromptMessage(content=m) if isinstance(m, str) else m for m in messages]
    return reply_of(
        LLM([]).invoke("m", credentials_for(server, uid), prompt, {}, list(tools), None, stream)
    )


def called(answer):
    return [(c.function.name, json.loads(c.function.arguments)) for c in answer.calls]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", ["transformers", "llama"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one", [("get_weather", {"city": "Paris"})]),
        ("say one", [("get_weather", {"city": "Paris"})]),
        ("one two", [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "伦敦"})]),
        ("nothing", []),
    ],
)
def test_calls_come_whole_on_every_engine(server, uid, stream, text, expected):
    answer = ask(server, uid, text, stream=stream)
    assert called(answer) == expected
    assert len({call.id for call in answer.calls}) == len(expected)
    assert all(call.id and call.type == "function" for call in answer.calls)
    assert "tool_call" not in answer.text
    if "say" in text and stream:
        assert answer.text.startswith("Let me see.")
    if stream:
        assert answer.reason == ("tool_calls" if expected else "stop")
        with_calls = [p for p in answer.pieces if p.delta.message.tool_calls]
        assert len(with_calls) <= 1


def test_tools_are_offered_as_openai_does(server):
    ask(server, "transformers", "nothing")
    (body,) = bodies(server, "/v1/chat/completions")
    assert body["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "get_weather",
                "description": "Tells the weather",
                "parameters": WEATHER.parameters,
            },
        }
    ]
    assert "tool_choice" not in body


def test_nobody_who_was_offered_nothing_calls(server):
    answer = ask(server, "plain", "Hi", tools=())
    assert answer.text == '<tool_call>\n{"name": "x"}\n</tool_call>'
    assert answer.calls == []
    assert "tools" not in bodies(server, "/v1/chat/completions")[0]


def test_every_call_and_every_result_goes_back_with_its_id_and_name(server):
    calls = [
        AssistantPromptMessage.ToolCall(
            id=f"call_{n}",
            type="function",
            function=AssistantPromptMessage.ToolCall.ToolCallFunction(
                name="get_weather", arguments='{"city": "Paris"}'
            ),
        )
        for n in (1, 2)
    ]
    ask(
        server,
        "transformers",
        "nothing",
        AssistantPromptMessage(content="", tool_calls=calls),
        ToolPromptMessage(content="sunny", tool_call_id="call_1"),
        ToolPromptMessage(content="rainy", tool_call_id="call_2", name="other"),
    )
    _, assistant, first, second = bodies(server, "/v1/chat/completions")[0]["messages"]
    assert [call["id"] for call in assistant["tool_calls"]] == ["call_1", "call_2"]
    assert assistant["tool_calls"][0]["function"]["arguments"] == '{"city": "Paris"}'
    assert (first["tool_call_id"], first["name"]) == ("call_1", "get_weather")
    assert (second["tool_call_id"], second["name"]) == ("call_2", "other")


def test_a_model_without_tools_refuses_in_the_servers_words(server):
    with pytest.raises(InvokeError, match="tool"):
        ask(server, "plain", "Hi")


CALLS = st.lists(
    st.tuples(
        st.text("abc_", min_size=1, max_size=6),
        st.dictionaries(st.text(max_size=3), st.text(max_size=5), max_size=2),
    ),
    min_size=1,
    max_size=4,
)


@given(calls=CALLS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_calls_are_joined_from_any_cut_of_their_arguments(calls, data):
    joined = ToolCalls()
    for index, (name, arguments) in enumerate(calls):
        text = json.dumps(arguments)
        joined.add([ToolCallDelta(index=index, id=f"id{index}", name=name)])
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            joined.add([ToolCallDelta(index=index, arguments=text[begin:end])])
    assert [(c.name, json.loads(c.arguments)) for c in joined] == calls


def read(pieces, tools=None):
    """Read a text in pieces; return what is shown of it, and the calls."""
    reader, calls = ToolCallText(tools or {}), ToolCalls()
    texts = []
    for text, deltas in [*map(reader.feed, pieces), reader.close()]:
        texts.append(text)
        for call in deltas:
            calls.add([call])
    return "".join(texts), list(calls)


@given(calls=CALLS, data=st.data())
@settings(max_examples=150, deadline=None)
def test_calls_in_text_are_found_however_it_is_cut_and_never_shown(calls, data):
    before = data.draw(st.text("ab< tool_c", max_size=12))
    written = before + "\n".join(
        f"<tool_call>\n{json.dumps({'name': n, 'arguments': a})}\n</tool_call>" for n, a in calls
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=10)))
    pieces = zip([0, *cuts], [*cuts, len(written)], strict=True)
    visible, read_back = read([written[a:b] for a, b in pieces])
    assert [(c.name, json.loads(c.arguments)) for c in read_back] == calls
    assert visible.rstrip() == before.rstrip()


@given(text=st.text(st.sampled_from('<>/tool_call{}"n:, \n'), max_size=80), data=st.data())
@settings(max_examples=200, deadline=None)
def test_text_that_is_no_call_is_not_lost(text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = zip([0, *cuts], [*cuts, len(text)], strict=True)
    visible, _ = read([text[a:b] for a, b in pieces])
    assert visible == text or "<tool_call>" in text


CALL = '<tool_call>{"name": "x", "arguments": {"a": "%s"}}'


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("written", "arguments", "visible"),
    [
        (CALL % "</tool_call>" + "</tool_call>!", ['{"a": "</tool_call>"}'], "!"),
        (CALL % r"\"}}\\" + "</tool_call>", [r"""{"a": "\"}}\\"}"""], ""),
        (CALL % "1" + "\n" + CALL % "2", ['{"a": "1"}', '{"a": "2"}'], ""),
        (CALL % "1" + " behind", ['{"a": "1"}'], "behind"),
        (CALL % "1" + "</tool_", ['{"a": "1"}'], ""),
        ((CALL % "1")[:-1], [], ""),
        (
            '<tool_call>{"name": {</tool_call>lost?' + CALL % "1" + "</tool_call>",
            ['{"a": "1"}'],
            '<tool_call>{"name": {</tool_call>lost?',
        ),
    ],
    ids=["tag inside", "braces", "unclosed", "text behind", "cut tag", "cut", "unbalanced"],
)
def test_a_call_in_text_ends_with_its_object(written, arguments, visible, size):
    text, calls = read([written[at : at + size] for at in range(0, len(written), size)])
    assert text == visible
    assert [call.arguments for call in calls] == arguments


def test_the_time_for_a_long_call_grows_with_its_length():
    """Read anew with every token, a call of a megabyte would take minutes."""
    reader = ToolCallText({})
    reader.feed('<tool_call>{"name": "x", "arguments": {"a": "')
    for _ in range(200_000):
        reader.feed("token")
    assert reader.feed('"}}</tool_call>!')[0] == "!"


@pytest.mark.parametrize(
    "text", ["<tool_call>", "</tool_call>", "<function=", "<", '{"name": "x"}']
)
def test_the_time_for_many_marks_grows_with_their_number(text):
    """Copied anew at every mark, four megabytes of them would take minutes."""
    many = '<tool_call>{"name": "x"}</tool_call>' + text * (4_000_000 // len(text))
    visible, calls = read([many], {"look": {}})
    assert [call.name for call in calls] == ["x"]
    assert len(visible) <= len(many)


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        # Every call with the same index: a new id begins a new call.
        (
            [
                ToolCallDelta(index=0, id="a", name="x", arguments="{}"),
                ToolCallDelta(index=0, id="b", name="y", arguments="{}"),
            ],
            [("x", "{}"), ("y", "{}")],
        ),
        # Nor an id: another name does.
        (
            [
                ToolCallDelta(index=0, name="x", arguments="{"),
                ToolCallDelta(index=0, name="x", arguments="}"),
                ToolCallDelta(index=0, name="y", arguments="{}"),
            ],
            [("x", "{}"), ("y", "{}")],
        ),
        # No index at all: a name begins a call, what has none goes on with it.
        (
            [
                ToolCallDelta(name="x"),
                ToolCallDelta(arguments='{"a"'),
                ToolCallDelta(arguments=": 1}"),
                ToolCallDelta(name="y", arguments="{}"),
            ],
            [("x", '{"a": 1}'), ("y", "{}")],
        ),
        # Interleaved by index.
        (
            [
                ToolCallDelta(index=0, id="a", name="x"),
                ToolCallDelta(index=1, id="b", name="y"),
                ToolCallDelta(index=0, arguments="1"),
                ToolCallDelta(index=1, arguments="2"),
            ],
            [("x", "1"), ("y", "2")],
        ),
        # Never named: no call.
        ([ToolCallDelta(index=0, arguments="{}")], []),
        # Without arguments: none.
        ([ToolCallDelta(index=0, name="x")], [("x", "{}")]),
    ],
    ids=["same index", "no id", "no index", "interleaved", "nameless", "no arguments"],
)
def test_odd_deltas(deltas, expected):
    joined = ToolCalls()
    for delta in deltas:
        joined.add([delta])
    assert [(call.name, call.arguments) for call in joined] == expected
