"""Every type of model of a real Xinference, called through the plugin as the daemon does."""

import json
import math

import pytest
from representatives import every

import provider_spec
from live.added import ONE_CALL, REPRESENTATIVES, TYPES, Model
from live.conftest import LIVE
from live.making import lessons
from xinfer.cli.diagnosis import diagnose
from xinfer.daemon.process import CallError
from xinfer.testing.server.silence import mp3, wav

pytestmark = LIVE
UIDS = every(TYPES, *REPRESENTATIVES)
CHATS = every(["chat", "chat-gguf"], *REPRESENTATIVES)
THINKERS = every(["reason", "reason-gguf"], *REPRESENTATIVES)


@pytest.fixture(scope="module")
def models(plugin, server):
    added = {}

    def model(uid):
        if uid not in added:
            added[uid] = Model(plugin, server, uid).validate()
        return added[uid]

    return model


@pytest.mark.parametrize("uid", UIDS)
def test_each_model_is_added_and_described(models, uid):
    schema = models(uid).schema()
    assert schema["model_type"] == TYPES[uid]
    assert (schema["model_properties"].get("mode") == "completion") == (uid == "base")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", CHATS)
def test_a_chat(models, uid, stream):
    answer = models(uid).chat("Hi", stream=stream)
    assert answer.text == lessons.HELLO
    assert answer.usage["prompt_tokens"] > 1
    assert answer.usage["completion_tokens"] > 1
    if stream:
        assert answer.reason == "stop"


@pytest.mark.parametrize("uid", CHATS)
def test_an_answer_streams_without_a_letter_lost(models, uid):
    assert models(uid).chat("Please count").text == lessons.COUNT
    answer = models(uid).chat("Write letters")
    assert answer.text == lessons.LETTERS


def test_an_answer_is_shown_while_it_is_written(models):
    # So small a model has written a short answer before the first piece of it is read. One that
    # only continues texts was never taught to end this one.
    asked = [("base", 400)] * 3 + [("chat", 64)] * 20
    answers = (models(uid).chat("Please count", max_tokens=most) for uid, most in asked)
    assert any(len(answer.pieces) > 1 for answer in answers)


@pytest.mark.parametrize("uid", CHATS)
def test_an_answer_that_is_cut_says_so(models, uid):
    answer = models(uid).chat("Please count", max_tokens=5)
    assert answer.reason == "length"
    assert answer.usage["completion_tokens"] == 5


@pytest.mark.parametrize("uid", CHATS)
def test_stop_words_end_an_answer(models, uid):
    answer = models(uid).chat("Please count", stop=[" 7"])
    assert answer.text.strip() == "1 2 3 4 5 6"


TOOLS = [lessons.tool()]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", CHATS)
@pytest.mark.parametrize("cities", [lessons.CITIES[:1], lessons.CITIES], ids=["one", "two"])
def test_tools_are_called_whole(models, uid, stream, cities):
    asked = f"What is the weather in {' and '.join(cities)}?"
    answer = models(uid).chat(asked, tools=TOOLS, stream=stream)
    assert "tool_call>" not in answer.text
    called = [(call["name"], json.loads(call["arguments"])) for call in answer.calls]
    assert called == [("get_weather", {"city": city}) for city in cities]
    if stream:
        assert answer.reason == "tool_calls"


@pytest.mark.parametrize("uid", CHATS)
def test_a_tools_result_is_understood(models, uid):
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
    }
    answer = models(uid).chat(
        "What is the weather in Paris?",
        {"role": "assistant", "content": "", "name": "", "tool_calls": [call]},
        {
            "role": "tool",
            "content": "sunny",
            "name": "get_weather",
            "tool_call_id": "call_1",
            "tool_calls": [],
        },
        tools=TOOLS,
    )
    assert answer.text == lessons.WEATHER


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", THINKERS)
def test_thoughts_stand_between_one_pair_of_tags(models, uid, stream):
    answer = models(uid).chat("Hi", stream=stream)
    assert answer.text.count("<think>") == answer.text.count("</think>") <= 1
    assert answer.text.rpartition("</think>")[2].strip() == lessons.HELLO
    # At once, Xinference writes llama.cpp's answer over its thoughts.
    assert (lessons.THOUGHT in answer.text) == (stream or uid == "reason")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", THINKERS)
def test_thoughts_end_before_tools_are_called(models, uid, stream):
    answer = models(uid).chat("What is the weather in Paris?", tools=TOOLS, stream=stream)
    assert [json.loads(call["arguments"]) for call in answer.calls] == [{"city": "Paris"}]
    assert answer.text.count("<think>") == answer.text.count("</think>") <= 1
    assert answer.text.rpartition("</think>")[2].strip() == ""


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
@pytest.mark.parametrize("uid", THINKERS)
def test_thinking_can_be_switched_off(models, uid, stream):
    answer = models(uid).chat("Hi", stream=stream, enable_thinking=False)
    assert answer.text == lessons.HELLO


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])
def test_a_completion_model_goes_on_with_a_text(models, stream):
    answer = models("base").chat(lessons.STORY, stream=stream, max_tokens=60)
    assert answer.text == lessons.STORY_GOES_ON


def test_three_hundred_texts_in_order(models):
    texts = [f"text number {number % 150}" for number in range(300)]
    result = models("embed").embed(texts)
    vectors = result["embeddings"]
    assert len(vectors) == 300
    assert {len(vector) for vector in vectors} == {64}
    for vector, again in zip(vectors[:150], vectors[150:], strict=True):
        assert math.dist(vector, again) < 1e-4
    assert len({tuple(vector) for vector in vectors[:150]}) == 150
    assert result["usage"]["tokens"] > 300


def test_documents_are_ranked(models):
    documents = ["a cat", "", "on the mat", "二"]
    ranked = models("rerank").rerank("where is the cat?", documents)
    assert sorted(doc["index"] for doc in ranked) == [0, 1, 2, 3]
    assert [doc["text"] for doc in ranked] == [documents[doc["index"]] for doc in ranked]
    assert ranked == sorted(ranked, key=lambda doc: -doc["score"])
    best = models("rerank").rerank("where is the cat?", documents, top_n=2)
    assert [doc["index"] for doc in best] == [doc["index"] for doc in ranked[:2]]


@pytest.mark.parametrize("recording", [mp3(1.5), wav(1.5)], ids=["mp3", "wav"])
def test_a_recording_is_written_down(models, recording):
    assert models("whisper").transcribe(recording) == "Hello from a tiny model."


def test_a_model_that_refuses_streaming_speaks(models):
    sound = b"".join(models("kokoro").speak("Hola."))
    assert sound[:3] == b"ID3" or sound[0] == 0xFF
    assert len(sound) > 1000


def test_a_chosen_voice_is_used_and_an_unknown_one_is_the_servers_error(models):
    assert b"".join(models("kokoro").speak("Hola.", "ef_dora"))
    with pytest.raises(CallError, match="kokoro"):
        models("kokoro").speak("Hola.", "xx_nobody")


def test_an_unknown_uid_lists_what_runs_when_it_is_added(plugin, server):
    error = Model(plugin, server, "nobody", kind="llm").refused(Model.validate)
    assert "'nobody'" in error
    assert all(f"{uid} (" in error for uid in REPRESENTATIVES)


@pytest.mark.parametrize("kind", ONE_CALL)
def test_an_unknown_uid_lists_what_runs_when_it_is_called(plugin, server, kind):
    error = Model(plugin, server, "nobody", kind=kind).refused(ONE_CALL[kind])
    assert error.startswith("InvokeBadRequestError: ")
    assert all(uid in error for uid in ("nobody", *REPRESENTATIVES))


@pytest.mark.parametrize(
    ("uid", "kind", "right"),
    [
        ("embed", "llm", "Text Embedding"),
        ("chat", "rerank", "LLM"),
        ("kokoro", "speech2text", "TTS"),
    ],
)
def test_a_model_of_another_type_is_told_how_to_be_added(plugin, server, uid, kind, right):
    error = Model(plugin, server, uid, kind=kind).refused(Model.validate)
    assert f"under the model type {right}" in error


def test_doctor_examines_a_server_without_keys(server):
    diagnosis = diagnose(server.url, None, project=provider_spec.project)
    assert diagnosis.healthy, diagnosis
    assert diagnosis.dialect == "xinference"
    assert set(REPRESENTATIVES) <= {model.name for model in diagnosis.models}
