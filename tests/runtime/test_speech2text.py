"""Speech to text against the fake server: the form that is sent, and what comes back."""

import io

import pytest
from dify_plugin.errors.model import (
    InvokeBadRequestError,
    InvokeError,
    InvokeServerUnavailableError,
)
from under_sdk import Speech2Text, bodies, credentials_for

from xinfer.testing.server import FakeServer, Served, faults
from xinfer.testing.server.silence import mp3, wav

_TYPE = {"model_type": "audio", "family": "whisper"}


@pytest.fixture(scope="module")
def server():
    heard = Served(uid="whisper", abilities=("audio2text",), answer=" 你好, world. ", **_TYPE)
    with FakeServer([heard]) as started:
        yield started


@pytest.fixture(autouse=True)
def forget(server):
    server.requests.clear()


def transcribe(server, recording, name=None, **more):
    file = io.BytesIO(recording)
    if name:
        file.name = name
    return Speech2Text([]).invoke("whisper", credentials_for(server, "whisper", **more), file)


@pytest.mark.parametrize(
    ("recording", "name"),
    [(mp3(0.5), None), (mp3(0.5), "uploads/a.mp3"), (wav(0.5), "b.wav")],
    ids=["nameless", "mp3", "wav"],
)
def test_a_recording_is_sent_whole_under_its_own_name(server, recording, name):
    assert "你好, world." in transcribe(server, recording, name)
    (form,) = bodies(server, "/v1/audio/transcriptions")
    assert form["file"].content == recording
    assert form["file"].filename == (name or "audio.mp3").rpartition("/")[2]
    # verbose_json loses sentences on some models.
    assert form["response_format"] == "json"
    assert "language" not in form


def test_the_language_that_the_user_entered_is_sent(server):
    transcribe(server, mp3(0.5), language="zh")
    assert bodies(server, "/v1/audio/transcriptions")[0]["language"] == "zh"


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (faults.Edited(lambda value: value.pop("text")), InvokeError, "without text"),
        (faults.Edited(lambda value: value.update(text=None)), InvokeError, "without text"),
        (faults.LOGIN_PAGE, InvokeError, "is that of Xorbits Inference"),
        (faults.CRASHED, InvokeServerUnavailableError, "something is wrong"),
        (faults.Cut(after=0), InvokeError, "whisper"),
    ],
    ids=["no text", "null", "login", "crashed", "cut"],
)
def test_what_goes_wrong_is_one_of_difys_errors(server, fault, error, words):
    server.next_answer(fault, on="/v1/audio")
    with pytest.raises(error, match=words):
        transcribe(server, mp3(0.5))


def test_what_is_no_recording_is_refused_in_the_servers_words(server):
    with pytest.raises(InvokeBadRequestError, match=r"(?i)malformed.*convert it to WAV or MP3"):
        transcribe(server, b"no sound at all")
