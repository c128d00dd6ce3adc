"""Tool calls that go wrong in public with self-hosted models in Dify, and go right here."""

import pytest
from runtime.reports.asking import BOTH, LOOK, ask, called, either, streamed

WRITTEN = {
    "Qwen": '<tool_call>\n{"name": "look", "arguments": {"city": "Paris"}}\n</tool_call>',
    "parameters": '<tool_call>{"name": "look", "parameters": {"city": "Paris"}}</tool_call>',
    "Qwen Coder": "<tool_call>\n<function=look>\n<parameter=city>\nParis\n</parameter>\n"
    "</function>\n</tool_call>",
    "Qwen Coder, bare": "<function=look><parameter=city>\nParis\n</parameter></function>",
    "GLM": "<tool_call>look\n<arg_key>city</arg_key>\n<arg_value>Paris</arg_value>\n</tool_call>",
    "Llama": '{"name": "look", "parameters": {"city": "Paris"}}',
    "Llama, tagged": '<|python_tag|>{"name": "look", "parameters": {"city": "Paris"}}<|eom_id|>',
    "Mistral": '[TOOL_CALLS] [{"name": "look", "arguments": {"city": "Paris"}}]',
    "Mistral 11": '[TOOL_CALLS]look[ARGS]{"city": "Paris"}',
    "Mistral, named": '[TOOL_CALLS]look{"city": "Paris"}',
    "DeepSeek": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>look\n```json\n"
    '{"city": "Paris"}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
    "DeepSeek 3.1": "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>look<｜tool▁sep｜>"
    '{"city": "Paris"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
}


@BOTH
@pytest.mark.parametrize("form", WRITTEN)
def test_a_call_that_was_left_in_the_text_is_called_and_not_shown(server, streams, form):
    answer = ask(server, either(WRITTEN[form])[streams], streams=streams, tools=[LOOK])
    assert called(answer) == [("look", {"city": "Paris"})]
    assert answer.text == ""
    assert answer.reason == ("tool_calls" if streams else answer.reason)


@BOTH
@pytest.mark.parametrize("form", WRITTEN)
def test_where_no_tools_were_offered_it_is_text(server, streams, form):
    answer = ask(server, either(WRITTEN[form])[streams], streams=streams)
    assert (answer.text.strip(), answer.calls) == (WRITTEN[form], [])


@BOTH
@pytest.mark.parametrize(
    "text",
    [
        '{"name": "Ada", "parameters": 3}',
        '{"answer": {"name": "look"}}',
        '{"name": "look" and no JSON',
        "Write <tool_call> around it.",
        "<function=of(x)> is text",
        "[TOOL_CALLS] is a token",
        "a <|python_tag|> alone",
        "[1, 2, 3] and [TOOL",
    ],
)
def test_what_merely_looks_like_a_call_is_shown(server, streams, text):
    answer = ask(server, either(text)[streams], streams=streams, tools=[LOOK])
    assert (answer.text, answer.calls) == (text, [])


@BOTH
def test_values_that_are_written_as_they_are_are_read_by_the_tools_schema(server, streams):
    text = (
        "<tool_call>\n<function=look>\n<parameter=city>\n75001\n</parameter>\n<parameter=days>\n3\n"
        "</parameter>\n</function>\n</tool_call>"
    )
    answer = ask(server, either(text)[streams], streams=streams, tools=[LOOK])
    assert called(answer) == [("look", {"city": "75001", "days": 3})]


@BOTH
def test_text_beside_calls_is_shown_and_what_was_thought_is_not_called(server, streams):
    text = (
        f"<think>\n{WRITTEN['Qwen']}\n</think>\n\nLet me see.\n{WRITTEN['Qwen']}\n{WRITTEN['Qwen']}"
    )
    answer = ask(server, either(text)[streams], streams=streams, tools=[LOOK])
    assert len(answer.calls) == 2
    assert answer.text.endswith("</think>\n\nLet me see.\n")


def call(index=0, id=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    function = {key: value for key, value in function.items() if value is not None}
    return {"tool_calls": [{"index": index, **({"id": id} if id else {}), "function": function}]}


PARIS, LONDON = ("look", {"city": "Paris"}), ("look", {"city": "London"})
DELTAS = {
    "a new id with every piece": (
        [call(0, "a", "look"), call(0, "b", None, '{"city"'), call(0, "c", None, ': "Paris"}')],
        [PARIS],
    ),
    "the name in every piece": (
        [call(0, "a", "look", '{"city"'), call(0, "a", "look", ': "Paris"}')],
        [PARIS],
    ),
    "one index for all": (
        [call(0, "a", "look", '{"city": "Paris"}'), call(0, "a", "look", '{"city": "London"}')],
        [PARIS, LONDON],
    ),
    "one list, one index, one id": (
        [
            {
                "tool_calls": [
                    *call(0, "a", "look", '{"city": "Paris"}')["tool_calls"],
                    *call(0, "a", "look", '{"city": "London"}')["tool_calls"],
                ]
            }
        ],
        [PARIS, LONDON],
    ),
    "no index, no id": (
        [
            call(None, None, "look", '{"city": "Paris"}'),
            call(None, None, "look", '{"city": "London"}'),
        ],
        [PARIS, LONDON],
    ),
    "interleaved": (
        [
            call(0, "a", "look"),
            call(1, "b", "look"),
            call(1, None, None, '{"city": "London"}'),
            call(0, None, None, '{"city": "Paris"}'),
        ],
        [PARIS, LONDON],
    ),
    "an object": ([call(0, "a", "look", {"city": "Paris"})], [PARIS]),
}


@pytest.mark.parametrize("form", DELTAS)
def test_no_arguments_are_lost_and_no_two_calls_become_one(server, form):
    deltas, expected = DELTAS[form]
    answer = ask(server, streamed(*deltas), tools=[LOOK])
    assert called(answer) == expected
    assert len({call.id for call in answer.calls}) == len(expected)
