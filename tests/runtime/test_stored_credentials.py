"""Models that were added with earlier versions work without being added again."""

import io
import json
from pathlib import Path

import pytest
from dify_plugin.entities.model.message import UserPromptMessage
from under_sdk import LLM, TTS, Rerank, Speech2Text, TextEmbedding, bodies, reply_of

from xinfer.testing.server import FakeServer
from xinfer.testing.server.silence import mp3

STORED = json.loads((Path(__file__).parents[1] / "data/stored_credentials.json").read_text("utf-8"))
VERSIONS = list(STORED)


@pytest.fixture
def server():
    with FakeServer() as started:
        yield started


@pytest.fixture(params=VERSIONS)
def stored(request, server):
    def of(uid):
        text = json.dumps(STORED[request.param][uid])
        # What validation kept is JSON within JSON.
        text = text.replace("{url}", server.url).replace("{uid}", uid)
        return json.loads(text)

    return of


@pytest.mark.parametrize(("uid", "route"), [("chat", "chat/completions"), ("base", "completions")])
@pytest.mark.parametrize("stream", [True, False])
def test_language_models(server, stored, uid, route, stream):
    credentials = stored(uid)
    asked = [UserPromptMessage(content="Hi")]
    assert reply_of(LLM([]).invoke("m", credentials, asked, {"max_tokens": 5}, stream=stream)).text
    (body,) = bodies(server, f"/v1/{route}")
    assert (body["model"], body["max_tokens"]) == (uid, 5)


def test_the_schema_is_the_stored_one_where_one_was_stored(server, stored):
    credentials = stored("chat")
    schema = LLM([]).get_model_schema("m", credentials)
    features = {feature.value for feature in schema.features}
    asked = [arrived.route for arrived in server.requests]
    if "xinfer_learned" in credentials:
        assert asked == []
        assert "tool-call" in features
        base = LLM([]).get_model_schema("m", stored("base")).model_properties
        assert {key.value: value for key, value in base.items()} == {
            "mode": "completion",
            "context_size": 2048,
        }
    else:
        assert asked == ["/v1/models/chat"]


def test_embedding_rerank_and_audio(server, stored):
    assert len(TextEmbedding([]).invoke("m", stored("embed"), ["a", "b"]).embeddings) == 2
    assert Rerank([]).invoke("m", stored("rerank"), "q", ["a", "b"]).docs
    assert Speech2Text([]).invoke("m", stored("whisper"), io.BytesIO(mp3(0.2)))
    assert list(TTS([]).invoke("m", "t", stored("kokoro"), "Hi.", ""))


def test_voices_are_the_stored_ones(server, stored):
    credentials = stored("kokoro")
    voices = [voice["value"] for voice in TTS([]).get_tts_model_voices("m", credentials)]
    own = credentials.get("voices")
    assert voices == own.split(",") if own else "af_sky" in voices


def test_they_can_be_saved_again(server, stored):
    credentials = stored("chat")
    LLM([]).validate_credentials("m", credentials)
    learned = json.loads(credentials["xinfer_learned"])
    assert (learned["dialect"], learned["of"]) == ("xinference", [server.url, "chat"])
