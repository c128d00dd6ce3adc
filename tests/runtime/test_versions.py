"""Every recorded answer of seven older Xinferences, through the plugin, with its right outcome."""

import io
import json

import pytest
from dify_plugin.entities.model.message import PromptMessageTool, UserPromptMessage
from dify_plugin.errors.model import InvokeBadRequestError, InvokeError
from emitted import LLM, TTS, Rerank, Speech2Text, TextEmbedding, fresh_server
from recordings import answer_of, recorded
from under_sdk import bodies, credentials_for, reply_of

from xinfer.testing.server import MODELS
from xinfer.testing.server.answer import Answer
from xinfer.testing.server.silence import mp3

VERSIONS = ("0.16.3", "1.4.1", "1.9.1", "1.17.1", "2.0.0", "2.12.0", "3.5.0")
HI = [UserPromptMessage(content="Hi")]
WEATHER = PromptMessageTool(
    name="get_weather",
    description="",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}},
)
HELLO = "Hello! I am a tiny test model running on Xinference."
THOUGHT = "<think>\nThe user said something.\nI should greet them politely.\n</think>\n\n"
NO_STREAMED_TOOLS = VERSIONS[:5]


def answer(version, case) -> Answer:
    return answer_of(recorded()[version, case])


def has(case):
    return [version for version in VERSIONS if (version, case) in recorded()]


@pytest.fixture
def server():
    with fresh_server(MODELS) as started:
        yield started


def ask(server, *answers, uid="chat", stream=True, tools=(), on="/v1/chat"):
    for answer in answers:
        server.next_answer(answer, on=on)
    result = LLM([]).invoke("m", credentials_for(server, uid), HI, {}, list(tools), None, stream)
    return reply_of(result)


def cities(answer):
    return [json.loads(call.function.arguments)["city"] for call in answer.calls]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", ["chat_stream", "chat_stream_usage", "chat_sync"])
def test_an_answer(server, version, case):
    got = ask(server, answer(version, case), stream="stream" in case)
    assert got.text == HELLO
    assert got.reason in ("stop", None)
    assert got.usage.completion_tokens == counted(version, case)


def counted(version, case):
    """The tokens that the server counted: beside the first finish reason, where it counts there."""
    if case == "chat_sync":
        return json.loads(recorded()[version, case]["body"])["usage"]["completion_tokens"]
    if version in ("0.16.3", "1.4.1", "1.9.1"):  # in a piece of its own, and only when asked
        return 17 if case == "chat_stream_usage" else pytest.approx(13, abs=3)
    return 13


@pytest.mark.parametrize("version", VERSIONS)
def test_an_answer_that_was_cut(server, version):
    got = ask(server, answer(version, "chat_stream_length"))
    assert (got.text, got.reason) == ("1 2 3 4", "length")


@pytest.mark.parametrize("version", has("reason_stream"))
def test_a_thought_is_shown_once(server, version):
    assert ask(server, answer(version, "reason_stream"), uid="reason").text == THOUGHT + HELLO


@pytest.mark.parametrize("version", has("reason_sync"))
def test_a_thought_of_a_whole_answer(server, version):
    got = ask(server, answer(version, "reason_sync"), uid="reason", stream=False)
    assert got.text.startswith(THOUGHT)
    assert got.text.count("think>") == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_of_a_whole_answer(server, version):
    got = ask(server, answer(version, "chat_tools_sync"), stream=False, tools=[WEATHER])
    assert cities(got) == (["Paris"] if version == "2.0.0" else ["Paris", "London"])
    assert got.text == ""
    assert len({call.id for call in got.calls}) == len(got.calls)


@pytest.mark.parametrize("version", VERSIONS)
def test_calls_of_a_stream_or_asked_for_again_without(server, version):
    first, again = answer(version, "chat_tools_stream"), answer(version, "chat_tools_sync")
    refused = version in NO_STREAMED_TOOLS
    got = ask(server, *([first, again] if refused else [first]), tools=[WEATHER])
    assert "Paris" in cities(got)
    assert (got.text, got.reason) == ("", "tool_calls")
    sent = bodies(server, "/v1/chat/completions")
    assert [body.get("stream") for body in sent] == ([True, None] if refused else [True])
    if refused:  # and remembered
        assert cities(ask(server, again, tools=[WEATHER]))
        assert len(bodies(server, "/v1/chat/completions")) == 3


@pytest.mark.parametrize("version", ["1.17.1", "2.0.0"])
def test_what_fails_in_both_ways_is_told_in_the_words_of_the_first(server, version):
    sync, stream = (answer(version, f"gguf_chat_tools_{way}") for way in ("sync", "stream"))
    with pytest.raises(InvokeError, match="list_iterator") as raised:
        ask(server, sync, stream, uid="chat-gguf", stream=False, tools=[WEATHER])
    assert "list_iterator" in str(raised.value).partition("\n")[2]


@pytest.mark.parametrize("version", has("reason_tools_stream"))
def test_calls_behind_a_thought(server, version):
    row = answer(version, "reason_tools_stream")
    if row.status == 400 and version != "1.4.1":
        again = answer(version, "chat_tools_sync")
        assert cities(ask(server, row, again, uid="reason", tools=[WEATHER]))
    elif row.status == 400:
        with pytest.raises(InvokeBadRequestError, match="some model families only"):
            ask(server, row, uid="reason", tools=[WEATHER])
    else:
        got = ask(server, row, uid="reason", tools=[WEATHER])
        assert cities(got) == ["Paris"]
        assert got.text == THOUGHT


@pytest.mark.parametrize("version", VERSIONS)
def test_the_text_of_a_completion(server, version):
    got = ask(server, answer(version, "completion_stream"), uid="base", on="/v1/completions")
    assert got.text.startswith("! I am a tiny test model")
    assert got.reason in ("length", "stop")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_ranking(server, version):
    server.next_answer(answer(version, "rerank_basic"), on="/v1/rerank")
    documents = ["a cat", "a dog", "a database index"]
    ranked = Rerank([]).invoke("m", credentials_for(server, "rerank"), "q", documents).docs
    assert [document.index for document in ranked] == [2, 1, 0]
    assert [round(document.score, 3) for document in ranked] == [0.906, 0.653, 0.596]
    assert ranked[0].text == "a database index"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recording(server, version):
    server.next_answer(answer(version, "stt_json"), on="/v1/audio")
    credentials = credentials_for(server, "whisper")
    written = Speech2Text([]).invoke("m", credentials, io.BytesIO(mp3(0.2)))
    assert written == "Hello from the tiny whisper model."
    server.next_answer(answer(version, "stt_bad_audio"), on="/v1/audio")
    with pytest.raises(InvokeBadRequestError, match="convert it to WAV or MP3") as raised:
        Speech2Text([]).invoke("m", credentials, io.BytesIO(b"no sound at all"))
    assert "请转换为 WAV 或 MP3" in str(raised.value)


@pytest.mark.parametrize("version", has("speech_stream"))
def test_speech_of_a_model_that_does_not_stream(server, version):
    server.next_answer(answer(version, "speech_stream"), on="/v1/audio/speech")
    spoken = b"".join(TTS([]).invoke("m", "tenant", credentials_for(server, "kokoro"), "Hi.", ""))
    assert spoken


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("stream", [True, False])
def test_an_unknown_uid(server, version, stream):
    with pytest.raises(InvokeBadRequestError, match="Model not found"):
        ask(server, answer(version, "err_chat_missing"), stream=stream)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_parameter_is_no_outage(server, version):
    with pytest.raises(InvokeBadRequestError, match="Correct the parameter") as raised:
        ask(server, answer(version, "err_chat_temperature_range"))
    assert "temperature" in str(raised.value)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("uid", "kind"), [("chat", LLM), ("embed", TextEmbedding)])
def test_a_model_can_be_added(version, uid, kind):
    with fresh_server(MODELS, version=version) as server:
        server.next_answer(answer(version, f"models_get_{uid}"), on="/v1/models")
        kind([]).validate_credentials("m", credentials_for(server, uid))
