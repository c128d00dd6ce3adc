"""Cloned voices: how users enter them, how a server receives them, what goes wrong."""

import base64
import json

import pytest
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeBadRequestError,
    InvokeError,
)
from emitted import TTS, fresh_server
from under_sdk import bodies, credentials_for

from xinfer.spec import ClonedVoice, Invalid, cloned_voices
from xinfer.testing.server import FakeServer, Served
from xinfer.testing.server.answer import refusal, whole
from xinfer.testing.server.silence import wav

SOUND = wav(0.2)
DATA = "data:audio/wav;base64," + base64.b64encode(SOUND).decode()
_TYPE = {"model_type": "audio"}
_CLONING = ("text2audio", "text2audio_voice_cloning")


@pytest.fixture
def server():
    models = [
        Served(uid="only-clones", family="CosyVoice", abilities=_CLONING, streams=True, **_TYPE),
        Served(uid="both", family="F5-TTS", abilities=(*_CLONING, "text2audio_zero_shot"), **_TYPE),
        Served(uid="qwen", family="qwen3_tts", abilities=("text2audio",), **_TYPE),
        Served(uid="instruct", family="CosyVoice", abilities=("text2audio",), **_TYPE),
    ]
    with fresh_server(models) as started:
        yield started


def speak(server, uid, voice="", **more):
    return b"".join(
        TTS([]).invoke(uid, "tenant", credentials_for(server, uid, **more), "Hello.", voice)
    )


def sent(server):
    return bodies(server, "/v1/audio/speech")


@pytest.mark.parametrize(
    ("text", "voices"),
    [
        ("Anna = https://h/a.wav", [("Anna", "https://h/a.wav", "")]),
        (
            "Anna=https://h/a.wav|Hi; there = we are.",
            [("Anna", "https://h/a.wav", "Hi; there = we are.")],
        ),
        (
            "A = https://h/a.wav?x=1;y=2 | One; B = http://h/b.mp3 | Two",
            [("A", "https://h/a.wav?x=1;y=2", "One"), ("B", "http://h/b.mp3", "Two")],
        ),
        (
            "小红＝https://h/1.wav｜你好；小明 = https://h/2.wav",
            [("小红", "https://h/1.wav", "你好"), ("小明", "https://h/2.wav", "")],
        ),
        (f"A = {DATA} | One\nB = https://h/b", [("A", DATA, "One"), ("B", "https://h/b", "")]),
        (
            '{"A": "https://h/a", "B": {"audio": "https://h/b", "text": "Two"}}',
            [("A", "https://h/a", ""), ("B", "https://h/b", "Two")],
        ),
    ],
)
def test_voices_are_read_as_people_write_them(text, voices):
    assert cloned_voices(text) == tuple(ClonedVoice(*voice) for voice in voices)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Anna", "a name and the URL"),
        ("Anna = /etc/passwd | x", "a name and the URL"),
        ('{"A": {"audio": "/etc/passwd"}}', "must be a URL that begins with"),
        ('{"A": "file:///etc/passwd"}', "must be a URL that begins with"),
        ('{"A": 3}', "must be a JSON object"),
        ('{"A": ', "must be a JSON object"),
        ("{}", "must be a JSON object"),
        ("A = data:audio/wav;base64,???", "is not whole"),
        ("A = https://h/1; A = https://h/2", "'A' is there twice"),
    ],
)
def test_what_is_no_voice_is_refused_in_both_languages(text, words):
    with pytest.raises(Invalid, match=words) as raised:
        cloned_voices(text)
    assert not raised.value.message.chinese.isascii()


def test_a_model_that_only_clones_is_added_with_a_voice(server):
    TTS([]).validate_credentials(
        "m", credentials_for(server, "only-clones", cloned_voices=f"Anna = {DATA} | Hi")
    )


def test_a_model_that_only_clones_says_so_without_one(server):
    with pytest.raises(CredentialsValidateFailedError, match="cloned voices only") as raised:
        TTS([]).validate_credentials("m", credentials_for(server, "only-clones"))
    assert "只能使用克隆音色" in str(raised.value)


@pytest.mark.parametrize("uid", ["only-clones", "both"])
@pytest.mark.parametrize("voice", ["", "Anna"])
def test_the_recording_and_its_words_are_sent_in_a_form(server, uid, voice):
    assert speak(server, uid, voice, cloned_voices=f"Anna = {DATA} | What I say.", speed="1.5")
    body = sent(server)[-1]
    assert body["prompt_speech"].content == SOUND
    assert json.loads(body["kwargs"]) == {"prompt_text": "What I say."}
    fields = (body["model"], body["input"], body["voice"], body["response_format"], body["speed"])
    assert fields == (uid, "Hello.", "", "mp3", "1.5")
    # One that cannot stream was asked again.
    assert [form.get("stream") for form in sent(server)] == (
        ["True"] if uid == "only-clones" else ["True", None]
    )


def test_a_recording_without_words(server):
    assert speak(server, "only-clones", cloned_voices=f"Anna = {DATA}")
    assert "kwargs" not in sent(server)[-1]


def test_clones_are_listed_before_the_users_own_and_in_place_of_the_familys(server):
    def listed(**more):
        voices = TTS([]).get_tts_model_voices("m", credentials_for(server, "instruct", **more))
        return [voice["value"] for voice in voices]

    clones = f"Anna = {DATA}; Ben = {DATA}"
    assert listed(cloned_voices=clones) == ["Anna", "Ben"]
    assert listed(cloned_voices=clones, voices="x, y") == ["Anna", "Ben", "x", "y"]
    assert "中文女" in listed()


def test_a_model_that_only_clones_has_none_of_its_familys_voices(server):
    listed = TTS([]).get_tts_model_voices("m", credentials_for(server, "only-clones"))
    assert [voice["value"] for voice in listed] == ["default"]


def test_a_recording_is_fetched_once_without_the_servers_key(server):
    with FakeServer([]) as host:
        host.next_answer(whole(SOUND, "audio/wav"), on="/a.wav")
        clones = f"Anna = {host.url}/a.wav?sig=1 | Hi"
        more = {"api_key": "server-key", "extra_headers": "X-Team: search", "cloned_voices": clones}
        assert speak(server, "only-clones", **more)
        assert speak(server, "only-clones", **more)
    (request,) = host.requests
    assert request.path == "/a.wav?sig=1"
    assert not {"authorization", "x-team"} & request.headers.keys()
    assert [form["prompt_speech"].content for form in sent(server)] == [SOUND, SOUND]


def test_a_recording_that_cannot_be_fetched_is_named(server):
    with FakeServer([]) as host:
        host.next_answer(refusal(403, "Expired"), on="/a.wav")
        clones = f"Anna = {host.url}/a.wav?sig=secret | Hi"
        with pytest.raises(InvokeError, match="The host of the voice 'Anna'") as raised:
            speak(server, "only-clones", cloned_voices=clones)
    assert "without signing in" in str(raised.value)
    assert "无需登录" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert sent(server) == []


def test_a_recording_that_is_too_large_is_refused(server):
    with FakeServer([]) as host:
        host.next_answer(whole(bytes(5 * 1024 * 1024), "audio/wav"), on="/a.wav")
        clones = f"Anna = {host.url}/a.wav | Hi"
        with pytest.raises(InvokeError, match="The host of the voice 'Anna'"):
            speak(server, "only-clones", cloned_voices=clones)


@pytest.mark.parametrize(
    ("words", "fix"),
    [
        ("`prompt_text` cannot be empty", "words that are spoken in the recording"),
        (
            "FireRedTTS3-Base requires the reference audio transcript in `prompt_text`.",
            "words that are spoken in the recording",
        ),
        ("CosyVoice model expect a prompt_speech", "cloned voices only"),
        ("IndexTTS2 requires a reference audio for voice cloning.", "cloned voices only"),
        ("prompt_speech must contain reference audio bytes", "cloned voices only"),
        ("Invalid prompt_speech: failed to decode reference audio.", "convert it to WAV or MP3"),
    ],
)
def test_what_servers_say_of_recordings_is_no_outage(server, words, fix):
    server.next_answer(refusal(500, words), on="/v1/audio/speech", times=2)
    with pytest.raises(InvokeBadRequestError, match=fix):
        speak(server, "both", cloned_voices=f"Anna = {DATA}")


@pytest.mark.parametrize(
    ("uid", "options"),
    [("qwen", {"instruct": "Slowly"}), ("instruct", {"instruct_text": "Slowly"})],
)
def test_instructions_go_under_the_name_that_the_family_has(server, uid, options):
    assert speak(server, uid, instructions="Slowly")
    assert json.loads(sent(server)[-1]["kwargs"]) == options
