"""A model as Dify has it once it was added: validated, then called with what was stored."""

import pytest

from live.making import lessons
from xinfer.daemon.process import CallError
from xinfer.testing.server.silence import wav

TYPES = {
    "chat": "llm",
    "chat-gguf": "llm",
    "reason": "llm",
    "reason-gguf": "llm",
    "base": "llm",
    "embed": "text-embedding",
    "rerank": "rerank",
    "whisper": "speech2text",
    "kokoro": "tts",
}
"""Dify's type of each model that the server runs, by uid."""
REPRESENTATIVES = ("chat", "base", "embed", "rerank", "whisper", "kokoro")
"""The models of a run that does not try every case: a process of each takes its time to start."""


class Model:
    """Calls the plugin as Dify's daemon does.

    :param kind: Dify's model type, where another than the model's own is meant.
    :param credentials: those besides the server and the uid.
    """

    def __init__(self, plugin, server, uid, *, kind=None, **credentials):
        self._plugin = plugin
        kind = kind or TYPES[uid]
        self._common = {"provider": "xinference", "model_type": kind, "model": "my model"}
        self._credentials = {"server_url": server.url, "model_uid": uid, **credentials}

    def validate(self):
        """Add the model; from then on it is called with the credentials that came back."""
        (answer,) = self._call("validate_model_credentials")
        assert answer["result"] is True
        self._credentials = answer["credentials"]
        return self

    def refused(self, act):
        """Return the error's class and words, as Dify shows them, that an action ends with."""
        with pytest.raises(CallError) as error:
            act(self)
        return str(error.value)

    def _call(self, action, **fields):
        common = {**self._common, "credentials": self._credentials}
        return list(self._plugin.call(action, **common, **fields))

    def chat(self, *messages, tools=None, stream=True, stop=None, **parameters):
        pieces = self._call(
            "invoke_llm",
            prompt_messages=[user(m) if isinstance(m, str) else m for m in messages],
            model_parameters={"temperature": 0.01, **parameters},
            tools=tools,
            stop=stop,
            stream=stream,
        )
        return Answer([piece["delta"] for piece in pieces])

    def embed(self, texts):
        (result,) = self._call("invoke_text_embedding", texts=texts, input_type="document")
        return result

    def rerank(self, query, documents, **more):
        unset = {"score_threshold": 0, "top_n": 0}
        (result,) = self._call("invoke_rerank", query=query, docs=documents, **{**unset, **more})
        return result["docs"]

    def transcribe(self, recording):
        (result,) = self._call("invoke_speech2text", file=recording.hex())
        return result["result"].strip()

    def speak(self, text, voice=""):
        pieces = self._call("invoke_tts", content_text=text, voice=voice, tenant_id="t")
        return [bytes.fromhex(piece["result"]) for piece in pieces]

    def schema(self):
        (result,) = self._call("get_ai_model_schemas")
        return result["model_schema"]


class Answer:
    """What a language model said, put together again."""

    def __init__(self, deltas):
        self.pieces = [d["message"]["content"] for d in deltas if d["message"]["content"]]
        self.text = "".join(self.pieces)
        self.calls = [c["function"] for d in deltas for c in d["message"]["tool_calls"]]
        (self.usage,) = [d["usage"] for d in deltas if d.get("usage")]
        self.reason = deltas[-1].get("finish_reason")


def user(text):
    return {"role": "user", "content": text, "name": "", "tool_calls": []}


ONE_CALL = {
    "llm": lambda model: model.chat("Hi").text,
    "text-embedding": lambda model: model.embed(["Hi"])["embeddings"][0],
    "rerank": lambda model: model.rerank("Hi", ["Hi"])[0]["score"],
    "speech2text": lambda model: model.transcribe(wav(1.0)),
    "tts": lambda model: model.speak("Hola."),
}
"""The plainest thing to ask of each type."""
HELLO = lessons.HELLO
