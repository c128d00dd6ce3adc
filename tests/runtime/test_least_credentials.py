"""A provider need not ask for all that the runtime can use."""

import io

from dify_plugin.entities.model.message import UserPromptMessage
from under_sdk import LLM, TTS, Speech2Text, TextEmbedding, credentials_for, reply_of

from xinfer.spec import Credentials, I18n, base_url, model, text_input
from xinfer.spec.declaration import evolve
from xinfer.testing.server import FakeServer
from xinfer.testing.server.silence import mp3


class Least(Credentials):
    server_url: str = text_input(label=I18n("Server url"), sets=base_url)
    model_uid: str = text_input(label=I18n("Model uid"), sets=model)


def of_least(kind):
    project = evolve(kind.project, credentials=Least)
    return type(kind.__name__, (kind,), {"project": project})([])


def test_a_url_and_a_uid_are_enough_for_every_type():
    with FakeServer() as server:
        chat = of_least(LLM)
        credentials = credentials_for(server, "chat")
        chat.validate_credentials("m", credentials)
        assert reply_of(chat.invoke("m", credentials, [UserPromptMessage(content="Hi")], {})).text
        assert (
            of_least(TextEmbedding).invoke("m", credentials_for(server, "embed"), ["a"]).embeddings
        )
        recording = io.BytesIO(mp3(0.2))
        assert of_least(Speech2Text).invoke("m", credentials_for(server, "whisper"), recording)
        assert list(of_least(TTS).invoke("m", "t", credentials_for(server, "kokoro"), "Hi.", ""))
        assert of_least(TTS).get_tts_model_voices("m", credentials_for(server, "kokoro"))
