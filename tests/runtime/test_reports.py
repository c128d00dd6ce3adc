"""What goes wrong in public with self-hosted models in Dify, and goes right here, by its kind."""

import json

import pytest
from dify_plugin.entities.model.message import (
    AssistantPromptMessage,
    AudioPromptMessageContent,
    ImagePromptMessageContent,
    PromptMessageTool,
    SystemPromptMessage,
    TextPromptMessageContent,
    UserPromptMessage,
    VideoPromptMessageContent,
)
from dify_plugin.entities.model.text_embedding import MultiModalContent, MultiModalContentType
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeBadRequestError,
    InvokeConnectionError,
    InvokeError,
    InvokeRateLimitError,
    InvokeServerUnavailableError,
)
from under_sdk import LLM, Rerank, Speech2Text, TextEmbedding, bodies, entered, said

from xinfer.runtime.openai.ways import MEMORY
from xinfer.testing.server import FakeServer, Served
from xinfer.testing.server.answer import DONE, Answer, Hold, as_json, event, refusal, stream, whole

HI = [UserPromptMessage(content="Hi")]
LOOK = PromptMessageTool(
    name="look",
    description="",
    parameters={
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    },
)


@pytest.fixture(scope="module")
def running():
    models = [
        Served(uid="chat", abilities=("chat", "tools")),
        Served(uid="thinker", abilities=("chat", "reasoning", "tools")),
        Served(uid="hybrid", abilities=("chat", "reasoning", "hybrid", "tools")),
        Served(uid="base", abilities=("generate",)),
        Served(uid="omni", abilities=("chat", "omni", "vision", "audio")),
        Served(uid="72B"),
        Served(uid="72B-1"),
        Served(uid="embed", model_type="embedding", abilities=("embed",)),
        Served(uid="rerank", model_type="rerank", abilities=("rerank",)),
    ]
    with FakeServer(models) as started:
        yield started


@pytest.fixture
def server(running):
    MEMORY.forget()
    running.requests.clear()
    return running


def ask(server, *answers, uid="chat", streams=True, tools=(), messages=HI, on="/v1/chat", **set_):
    retries = set_.pop("retries", "0")
    for answer in answers:
        server.next_answer(answer, on=on)
    credentials = entered(server, uid, max_retries=retries)
    return said(LLM([]).invoke("m", credentials, messages, set_, list(tools), None, streams))


def called(answer):
    return [(c.function.name, json.loads(c.function.arguments)) for c in answer.calls]


def streamed(*deltas, done=True, **last) -> Answer:
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": last.pop("reason", "stop")}]}
    return stream([*map(event, events), event({**end, **last}), *([event(DONE)] if done else [])])


def at_once(**message) -> Answer:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return as_json({"choices": [choice]})


def either(content):
    """The same text as a stream, letter by letter, and at once."""
    return {
        True: streamed(*({"content": letter} for letter in content)),
        False: at_once(content=content),
    }


BOTH = pytest.mark.parametrize("streams", [True, False])
SHOWN = "<think>\n{}\n</think>\n\n{}"


# Reasoning


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
    ("uid", "streams", "shown"),
    [
        ("chat", False, SHOWN.format("hm, hm", "Hello!")),
        ("thinker", False, SHOWN.format("hm, hm", "Hello!")),
        ("thinker", True, SHOWN.format("hm, hm", "Hello!")),
        ("chat", True, "hm, hm</think>\n\nHello!"),  # nothing tells that a thought begins
    ],
)
def test_a_text_may_begin_inside_a_thought(server, uid, streams, shown):
    assert (
        ask(server, either("hm, hm</think>\n\nHello!")[streams], uid=uid, streams=streams).text
        == shown
    )


@BOTH
def test_a_model_that_always_thinks_and_did_not_is_heard_all_the_same(server, streams):
    assert ask(server, either("Hello!")[streams], uid="hybrid", streams=streams).text == "Hello!"
    told = streamed({"reasoning_content": "hm"}, {"content": "Hello!"})
    assert ask(server, told, uid="thinker").text == SHOWN.format("hm", "Hello!")


@BOTH
@pytest.mark.parametrize(
    ("content", "shown"),
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
def test_no_empty_thought_is_shown(server, streams, content, shown):
    assert ask(server, either(content)[streams], streams=streams).text == shown


@pytest.mark.parametrize("first", ["<think>\n", "<think>", "\n<think>\n"])
def test_a_tag_in_front_of_a_parsed_thought_is_shown_once(server, first):
    told = streamed({"reasoning_content": first + "hm"}, {"content": "Hello!"})
    assert ask(server, told).text == SHOWN.format("hm", "Hello!")


# Tools

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
    assert len({one.id for one in answer.calls}) == len(expected)


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


# Errors, retries


@pytest.mark.parametrize("streams", [True, False])
def test_a_busy_server_is_asked_again_whichever_way_it_says_so(server, streams):
    busy = {"error": "Rate limit reached for the model"}
    answer = stream([event(busy)]) if streams else as_json(busy)
    assert ask(server, answer, streams=streams, retries="2").text
    assert len(bodies(server, "/v1/chat/completions")) == 2
    with pytest.raises(InvokeRateLimitError, match=r"Try again later"):
        ask(server, answer, streams=streams)


WORDS = [
    ("CUDA out of memory. Tried to allocate", InvokeServerUnavailableError, "larger GPU", "显存"),
    (
        "Conversation roles must alternate user/assistant/user",
        InvokeBadRequestError,
        "in turn only",
        "交替",
    ),
    (
        "Model not found in the model list, uid: 72B-1-0",
        InvokeServerUnavailableError,
        "loads it again",
        "重新加载",
    ),
    (
        "Remote server 127.0.0.1:4 closed",
        InvokeServerUnavailableError,
        "relaunch the model",
        "重新启动模型",
    ),
    (
        "This model's maximum context length is 100 tokens.",
        InvokeBadRequestError,
        "lower Max Tokens",
        "调低最大生成长度",
    ),
    (
        "image input is not supported - hint: if this is unexpected, provide the mmproj",
        InvokeBadRequestError,
        "does not take images",
        "不支持图片",
    ),
    (
        '"auto" tool choice requires --enable-auto-tool-choice',
        InvokeBadRequestError,
        "without tools",
        "工具",
    ),
]


@BOTH
@pytest.mark.parametrize("status", [400, 500, None])
@pytest.mark.parametrize(("words", "error", "english", "chinese"), WORDS)
def test_the_servers_words_lead_to_the_right_advice(
    server, streams, status, words, error, english, chinese
):
    answer = refusal(status, words) if status else as_json({"error": {"message": words}})
    if streams and not status:
        answer = stream([event({"error": {"message": words}})])
    with pytest.raises(error) as raised:
        ask(server, answer, uid="72B", streams=streams, max_tokens=4000)
    told = str(raised.value)
    assert english in told.partition("\n")[0]
    assert chinese in told.partition("\n")[2]
    assert words[:20] in told.partition("\n")[2]
    assert ("Max Tokens" in told) == ("context length" in words)


def test_a_uid_that_looks_like_a_replica_is_a_uid(server):
    with pytest.raises(InvokeBadRequestError):
        ask(server, refusal(404, "Model not found in the model list, uid: 72B-1"), uid="72B-1")


@pytest.mark.parametrize("kind", [TextEmbedding, Rerank])
def test_texts_that_take_too_much_memory_are_to_be_fewer_or_shorter(server, kind):
    uid = "embed" if kind is TextEmbedding else "rerank"
    server.next_answer(refusal(500, "CUDA out of memory"), on=f"/v1/{uid}")
    asked = (["a"],) if kind is TextEmbedding else ("q", ["a"])
    with pytest.raises(InvokeServerUnavailableError, match="fewer or shorter texts"):
        kind([]).invoke("m", entered(server, uid), *asked)


HELLO = {"choices": [{"index": 0, "delta": {"content": "Hello"}}]}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


def raw(body, kind="text/event-stream") -> Answer:
    return whole(body if isinstance(body, bytes) else body.encode(), kind)


@pytest.mark.parametrize(
    "answer",
    [
        raw(f"\ufeffdata: {json.dumps(HELLO)}\n\ndata: {json.dumps(END)}\n\n"),
        raw(
            f"data: {json.dumps(HELLO, indent=1)}\n".replace("\n", "\ndata: ", 9)
            + f"\n\ndata: {json.dumps(END)}\n\n"
        ),
        raw(f"data: {json.dumps(HELLO)}\r\rdata: {json.dumps(END)}\r\r"),
        raw(f"data:{json.dumps(HELLO)}\ndata:{json.dumps(END)}\n"),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}}]}), ""),
        raw(json.dumps({"choices": [{"message": {"content": "Hello"}}]}), "text/plain"),
        raw(
            "\n\n " + json.dumps({"choices": [{"message": {"content": "Hello"}}]}),
            "application/json",
        ),
    ],
    ids=["BOM", "several lines", "CR", "LF", "JSON", "no type", "text", "blanks"],
)
def test_odd_streams_lose_nothing(server, answer):
    assert ask(server, answer).text == "Hello"


FLAT = {"object": "error", "message": "it broke", "code": 400}


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (stream([event(HELLO), event(FLAT), event(DONE)]), InvokeBadRequestError, "it broke"),
        (stream([event({"error": FLAT, **END})]), InvokeBadRequestError, "it broke"),
        (
            stream([event({"choices": [], "usage": {"prompt_tokens": 9}}), event(DONE)]),
            InvokeServerUnavailableError,
            "answered nothing.*longer context",
        ),
        (stream([event(HELLO)]), InvokeConnectionError, "broke off in the middle"),
        (
            as_json({"error": "Unexpected endpoint or method. (POST /v1/chat/completions)"}),
            InvokeBadRequestError,
            "does not offer this",
        ),
    ],
    ids=["flat", "both", "usage alone", "no end", "LM Studio"],
)
def test_no_error_passes_for_an_answer(server, answer, error, words):
    with pytest.raises(error, match=words):
        ask(server, answer)


RANKINGS = {
    "Jina": {
        "results": [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    },
    "Cohere": {"results": [{"index": 1, "relevance_score": 0.9, "document": "b"}, {"index": 0}]},
    "SGLang": [{"score": 0.9, "index": 1, "document": "b"}, {"score": 0.1, "index": 0}],
    "data": {"data": [{"index": 1, "score": 0.9}, {"index": 0, "score": 0.1}]},
}


@pytest.mark.parametrize("form", RANKINGS)
def test_rankings_of_every_form_are_read(server, form):
    server.next_answer(as_json(RANKINGS[form]), on="/v1/rerank")
    docs = Rerank([]).invoke("m", entered(server, "rerank"), "q", ["a", "b"]).docs
    assert [(doc.index, doc.text) for doc in docs] == [(1, "b"), (0, "a")]
    assert docs[0].score == 0.9


@BOTH
def test_the_first_count_beside_a_finish_reason_is_the_bill(server, streams):
    counted = {"prompt_tokens": 9, "completion_tokens": 8}
    later = {
        "choices": [{"delta": {}, "finish_reason": "stop"}],
        "usage": {**counted, "completion_tokens": 17},
    }
    first = streamed({"content": "Hello"}, done=False, usage=counted)
    answer = stream([*first.steps, event(later), event(DONE)])
    if streams:
        assert ask(server, answer).usage.completion_tokens == 8


@pytest.mark.parametrize(
    ("model_type", "abilities", "kind"),
    [
        ("embedding", ("embed", "embed_vision"), TextEmbedding),
        ("rerank", ("rerank", "rerank_vision"), Rerank),
    ],
)
def test_models_that_see_have_the_feature(model_type, abilities, kind):
    seeing = Served(uid="sees", model_type=model_type, abilities=abilities)
    blind = Served(uid="blind", model_type=model_type, abilities=abilities[:1])
    with FakeServer([seeing, blind]) as server:
        schemas = [
            kind([]).get_customizable_model_schema("m", entered(server, uid))
            for uid in ("sees", "blind")
        ]
    assert [[feature.value for feature in schema.features] for schema in schemas] == [
        ["vision"],
        [],
    ]


@pytest.mark.parametrize(
    ("name", "model_type", "kind", "features"),
    [
        ("jina-clip-v2", "embedding", TextEmbedding, ["vision"]),
        ("gme-Qwen2-VL-2B-Instruct", "embedding", TextEmbedding, ["vision"]),
        ("Qwen3-VL-Embedding-2B", "embedding", TextEmbedding, ["vision"]),
        ("jina-embeddings-v4", "embedding", TextEmbedding, ["vision"]),
        ("jina-embeddings-v3", "embedding", TextEmbedding, []),
        ("bge-m3", "embedding", TextEmbedding, []),
        ("Qwen3-VL-Reranker-2B", "rerank", Rerank, []),  # refused by the server: texts only
    ],
)
def test_an_older_server_tells_models_that_see_by_their_names(name, model_type, kind, features):
    model = Served(uid="m", name=name, model_type=model_type, unreported=("model_ability",))
    with FakeServer([model], version="2.12.0") as server:
        credentials = entered(server, "m")
        kind([]).validate_credentials("m", credentials)
        schema = kind([]).get_customizable_model_schema("m", credentials)
    assert [feature.value for feature in schema.features] == features


NOWHERE = ["", "/files/a.png", "None/files/a.png", "http:///files/a.png", "data:image/png;base64,"]


@BOTH
@pytest.mark.parametrize("url", NOWHERE)
@pytest.mark.parametrize(
    ("part", "kind", "chinese"),
    [
        (ImagePromptMessageContent, "image", "图片"),
        (AudioPromptMessageContent, "audio", "音频"),
        (VideoPromptMessageContent, "video", "视频"),
    ],
)
def test_a_file_that_leads_nowhere_is_not_sent(server, part, kind, chinese, url, streams):
    file = part(url=url, format="png", mime_type="image/png")
    messages = [UserPromptMessage(content=[TextPromptMessageContent(data="Look"), file])]
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL") as raised:
        ask(server, uid="omni", streams=streams, messages=messages)
    assert f"The {kind} in the message has neither data" in str(raised.value)
    assert f"消息中的{chinese}没有数据" in str(raised.value)
    assert bodies(server, "/v1/chat/completions") == []


@pytest.mark.parametrize("url", NOWHERE)
def test_an_image_to_embed_or_rank_that_leads_nowhere_is_not_sent(server, url):
    image = MultiModalContent(content=url, content_type=MultiModalContentType.IMAGE)
    text = MultiModalContent(content="a", content_type=MultiModalContentType.TEXT)
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL"):
        TextEmbedding([]).invoke_multimodal("m", entered(server, "embed"), [text, image])
    with pytest.raises(InvokeBadRequestError, match="set FILES_URL"):
        Rerank([]).invoke_multimodal("m", entered(server, "rerank"), text, [image])
    assert not bodies(server, "/v1/embeddings") + bodies(server, "/v1/rerank")


@pytest.mark.parametrize("ability", ["speaker_embedding", "text2music"])
def test_audio_models_that_do_not_transcribe_cannot_be_added_to_transcribe(ability):
    model = Served(uid="m", model_type="audio", abilities=(ability,))
    refused = pytest.raises(CredentialsValidateFailedError, match="Dify has no use")
    with FakeServer([model]) as server, refused:
        Speech2Text([]).validate_credentials("m", entered(server, "m"))
