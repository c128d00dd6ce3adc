"""Text to speech against the fake server: pieces, streaming and its refusal, parts, voices."""

import pytest
import under_sdk
from dify_plugin.errors.model import InvokeError, InvokeServerUnavailableError
from emitted import TTS, fresh_server
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import bodies, credentials_for

from xinfer.runtime.dify.sentences import sentences
from xinfer.runtime.dify.voices import DEFAULT
from xinfer.testing.server import Served, faults
from xinfer.testing.server.answer import refusal, whole

_TYPE = {"model_type": "audio", "abilities": ("text2audio",)}
_LINE = 5 * 1024 * 1024


@pytest.fixture
def server():
    streaming = Served(uid="cosyvoice", family="CosyVoice", streams=True, **_TYPE)
    at_once = Served(uid="kokoro", name="Kokoro-82M", family="Kokoro", **_TYPE)
    clones = Served(uid="fish", family="FishAudio", **_TYPE)
    with fresh_server([streaming, at_once, clones]) as started:
        yield started


def speak(server, uid, text="Hello there.", voice="", **more):
    return b"".join(pieces(server, uid, text, voice, **more))


def pieces(server, uid, text, voice="", **more):
    return list(TTS([]).invoke(uid, "tenant", credentials_for(server, uid, **more), text, voice))


def spoken(server):
    return bodies(server, "/v1/audio/speech")


def test_speech_comes_as_mp3_in_pieces_that_fit_a_line(server):
    # Dify's daemon gives up a line of 5 MiB; a byte takes two of its letters.
    heard = pieces(server, "cosyvoice", "word " * 400)
    assert b"".join(heard)[:2] in (b"\xff\xfb", b"\xff\xf3", b"ID")
    assert len(heard) > 1
    assert all(0 < len(piece) * 2 < _LINE / 10 for piece in heard)


def test_speech_that_ends_with_its_connection_is_whole(server):
    whole = speak(server, "cosyvoice", "word " * 400)
    server.next_answer(faults.until_close, on="/v1/audio/speech")
    assert speak(server, "cosyvoice", "word " * 400) == whole


def test_a_model_that_refuses_to_stream_is_asked_again_and_remembered(server):
    assert speak(server, "kokoro") == speak(server, "kokoro")
    assert [body.get("stream", False) for body in spoken(server)] == [True, False, False]


@pytest.mark.parametrize(
    "fault",
    [faults.CRASHED, faults.Stall(20), faults.Closed(), refusal(404, "no model my-stream")],
    ids=["crashed", "silent", "closed", "unknown"],
)
def test_another_refusal_is_not_taken_for_that_of_streaming(fault):
    """Not by the uid in its words, nor by what we say of it ourselves."""
    with fresh_server([Served(uid="my-stream", family="Kokoro", **_TYPE)]) as server:
        server.next_answer(fault, on="/v1/audio/speech", times=9)
        with pytest.raises(InvokeError):
            speak(server, "my-stream", invoke_timeout="0.2")
        assert len(spoken(server)) == 1


def test_what_is_not_streamed_is_asked_for_in_sentences(server):
    """Nobody has to wait for the whole text before hearing any of it."""
    text = "".join(f"Sentence number {number} is here. " for number in range(40))
    assert speak(server, "kokoro", text)
    refused, *parts = [body["input"] for body in spoken(server)]
    assert len(parts) > 2
    assert all(len(part) <= 200 and part.endswith(".") for part in parts)
    assert refused == " ".join(parts) == text.strip()


def test_a_voice_that_the_model_has_not_is_named(server):
    server.next_answer(faults.CRASHED, on="/v1/audio/speech")
    with pytest.raises(InvokeServerUnavailableError, match="The voice was 'nobody'"):
        speak(server, "cosyvoice", voice="nobody")


def test_a_long_text_is_spoken_in_parts_in_order(server):
    text = "".join(f"Sentence number {number} is here. " for number in range(200))
    speak(server, "cosyvoice", text)
    parts = [body["input"] for body in spoken(server)]
    limit = TTS([]).get_model_schema("m", credentials_for(server, "cosyvoice")).model_properties
    longest = next(value for key, value in limit.items() if key.value == "word_limit")
    assert len(parts) > 1
    assert all(len(part) <= longest and part.endswith(".") for part in parts)
    assert " ".join(parts) == text.strip()


@pytest.mark.parametrize("text", ["", "  \n "])
def test_nothing_to_say_needs_no_request(server, text):
    assert speak(server, "cosyvoice", text) == b""
    assert spoken(server) == []


@pytest.mark.parametrize(
    ("uid", "voice", "own", "sent"),
    [
        ("kokoro", "", None, ""),
        ("kokoro", DEFAULT, None, ""),
        ("kokoro", "zf_xiaobei", None, "zf_xiaobei"),
        ("kokoro", "", "af_sky, am_adam", "af_sky"),
        ("fish", "my clone", None, "my clone"),
    ],
)
def test_the_voice_that_is_sent(server, uid, voice, own, sent):
    speak(server, uid, voice=voice, **({"voices": own} if own else {}))
    assert {body["voice"] for body in spoken(server)} == {sent}


def voices(server, uid, language=None, **more):
    listed = TTS([]).get_tts_model_voices(uid, credentials_for(server, uid, **more), language)
    return [voice["value"] for voice in listed]


def test_voices_are_those_of_the_family_for_a_language(server):
    assert "zf_xiaobei" in voices(server, "kokoro", "zh-Hans")
    assert "af_heart" not in voices(server, "kokoro", "zh-Hans")
    assert {"zf_xiaobei", "af_heart"} <= set(voices(server, "kokoro"))
    assert "中文女" in voices(server, "cosyvoice", "zh-Hans")


@pytest.mark.parametrize("typed", ["a, b ,,c", "a；b; c", "a，b、c", "a\nb\r\nc\n"])
def test_own_voices_are_told_apart_however_they_are_listed(server, typed):
    assert voices(server, "kokoro", "zh-Hans", voices=typed) == ["a", "b", "c"]


@pytest.mark.parametrize("uid", ["kokoro", "cosyvoice", "fish"])
@pytest.mark.parametrize("language", [None, "en-US", "zh-Hans", "xx-YY"])
def test_there_is_always_a_default_voice(server, uid, language):
    assert voices(server, uid, language)[0] == DEFAULT


def test_the_schema_lists_voices_too(server):
    properties = TTS([]).get_model_schema("m", credentials_for(server, "kokoro")).model_properties
    by_key = {key.value: value for key, value in properties.items()}
    assert by_key["default_voice"]
    assert by_key["audio_type"] == "mp3"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.LOGIN_PAGE, "something else than speech"),
        (faults.OTHER_JSON, "something else than speech"),
        (faults.Closed(), "closed the connection"),
    ],
    ids=["login", "json", "closed"],
)
def test_what_goes_wrong_is_one_of_difys_errors(server, fault, words):
    server.next_answer(fault, on="/v1/audio/speech")
    with pytest.raises(InvokeError, match=words):
        speak(server, "cosyvoice")


def test_a_stream_that_breaks_off_before_it_speaks_is_asked_for_whole(server):
    server.next_answer(faults.Cut(after=0), on="/v1/audio/speech")
    assert b"".join(TTS([]).invoke("m", "tenant", credentials_for(server, "cosyvoice"), "Hi.", ""))
    streams = [body.get("stream") for body in bodies(server, "/v1/audio/speech")]
    assert streams == [True, None]


def test_a_family_has_its_own_voices_and_not_those_of_one_with_a_like_name():
    with fresh_server([Served(uid="zh", family="Kokoro-zh", **_TYPE)]) as server:
        listed = TTS([]).get_tts_model_voices("m", credentials_for(server, "zh"))
    assert [voice["value"] for voice in listed] == [DEFAULT, "af_maple", "af_sol", "bf_vale"]


def test_another_type_of_sound_is_told_to_dify_from_the_first_answer_on(server):
    riff = whole(b"RIFF" + bytes(100), "audio/mpeg")
    credentials, model = credentials_for(server, "cosyvoice"), TTS([])
    server.next_answer(riff, on="/v1/audio/speech", times=2)
    model.validate_credentials("m", credentials)
    told = []
    for _ in range(3):
        assert b"".join(model.invoke("m", "tenant", credentials, "Hi.", ""))
        told.append(model.mime_type)
    # The SDK asks for the type before the model speaks: a change is told one answer late.
    assert told == ["audio/wav", "audio/wav", "audio/mpeg"]


def test_what_validation_heard_is_known_after_a_restart(server):
    credentials = credentials_for(server, "cosyvoice")
    server.next_answer(whole(b"RIFF" + bytes(100), "audio/mpeg"), on="/v1/audio/speech")
    TTS([]).validate_credentials("m", credentials)
    restarted = under_sdk.TTS([])
    assert restarted.get_tts_model_mime_type("m", credentials) == "audio/wav"


def test_a_connection_lost_while_speaking_is_an_error_after_what_was_heard(server):
    server.next_answer(faults.Cut(after=1), on="/v1/audio/speech")
    heard = []
    spoken = TTS([]).invoke("m", "tenant", credentials_for(server, "cosyvoice"), "word " * 400, "")
    with pytest.raises(InvokeError, match="broke off in the middle"):
        heard.extend(spoken)
    assert heard


ANY = st.text(alphabet=st.sampled_from("ab .,!?。，！\n\t词字"), max_size=200)


@given(text=ANY, limit=st.integers(1, 60))
@settings(max_examples=300, deadline=None)
def test_parts_keep_every_word_in_order_within_the_limit(text, limit):
    parts = list(sentences(text, limit))
    assert all(part.strip() == part and 0 < len(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
