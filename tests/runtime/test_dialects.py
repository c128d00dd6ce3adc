"""A spec of 55 lines without Python, against servers of every dialect."""

import io
import json
from pathlib import Path

import pytest
from dify_plugin.entities.model import EmbeddingInputType, ModelFeature, ModelPropertyKey
from dify_plugin.entities.model.message import (
    ImagePromptMessageContent,
    PromptMessageTool,
    TextPromptMessageContent,
    UserPromptMessage,
)
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeError,
)
from under_sdk import bodies, reply_of

from xinfer.build.load import load_spec
from xinfer.runtime.dify import llm, rerank, speech2text, text_embedding, tts
from xinfer.testing.server.dialect_shapes import SHAPES
from xinfer.testing.server.dialects import VECTOR, DialectServer
from xinfer.testing.server.silence import mp3

SPEC = Path(__file__).parents[1] / "specs/any_server.py"
PROJECT = load_spec(SPEC).project
EVERY_TYPE = load_spec(Path(__file__).parents[2] / "examples/any-openai/provider_spec.py").project
CHATTING = [name for name, shape in SHAPES.items() if shape.chats]
EMBEDDING = [name for name, shape in SHAPES.items() if shape.embeds]
RERANKING = [name for name, shape in SHAPES.items() if shape.rerank_route]
WEATHER = PromptMessageTool(name="weather", description="Tells it.", parameters={"type": "object"})


class Chat(llm.LargeLanguageModel):
    project = PROJECT


class Embedder(text_embedding.TextEmbeddingModel):
    project = PROJECT


class Ranker(rerank.RerankModel):
    project = PROJECT


class Listener(speech2text.Speech2TextModel):
    project = EVERY_TYPE


class Speaker(tts.TTSModel):
    project = EVERY_TYPE


@pytest.fixture
def server(request):
    with DialectServer(request.param) as started:
        yield started


def added(kind, server, **more):
    """Add the model as a user does; what validation learned is in the credentials."""
    credentials = {"url": server.base_url, **more}
    kind([]).validate_credentials("m", credentials)
    return credentials


def ask(credentials, text, *, tools=None, stream=True, **parameters):
    asked = [UserPromptMessage(content=text)]
    return reply_of(Chat([]).invoke("m", credentials, asked, parameters, tools, None, stream))


def test_the_spec_is_short_and_has_no_python_beside_it():
    assert len(SPEC.read_text("utf-8").splitlines()) <= 60


@pytest.mark.parametrize("server", CHATTING, indirect=True)
@pytest.mark.parametrize("stream", [True, False])
class TestChat:
    def test_an_answer_and_its_tokens(self, server, stream):
        answer = ask(added(Chat, server), "Hi", stream=stream, temperature=0.5)
        assert answer.text == "You said: Hi"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)

    def test_thoughts_are_shown_in_front(self, server, stream):
        answer = ask(added(Chat, server), "think", stream=stream)
        if server._shape.key:
            assert answer.text == "<think>\nI think.\n</think>\n\nDone."
        else:
            assert answer.text.endswith("Done.")

    def test_tools_are_called(self, server, stream):
        answer = ask(added(Chat, server), "weather", tools=[WEATHER], stream=stream)
        assert [(call.function.name, call.function.arguments) for call in answer.calls] == [
            ("weather", '{"city": "Oslo"}'),
            ("weather", '{"city": "Rome"}'),
        ]

    def test_a_failure_has_the_servers_words(self, server, stream):
        with pytest.raises(InvokeError, match="The GPU is on fire"):
            ask(added(Chat, server), "fail", stream=stream)

    def test_a_prompt_that_does_not_fit_is_an_error(self, server, stream):
        with pytest.raises(InvokeError, match="Any server at http"):
            ask(added(Chat, server), "too long", stream=stream)

    def test_only_the_servers_own_switch_for_thinking_is_sent(self, server, stream):
        credentials = added(Chat, server)
        ask(credentials, "Hi", stream=stream, enable_thinking=False)
        body = bodies(server, f"{server._shape.base}/chat/completions")[-1]
        keys = {"chat_template_kwargs", "enable_thinking", "reasoning_effort", "thinking"}
        sent = {key: body[key] for key in keys & set(body)}
        template = {"chat_template_kwargs": {"enable_thinking": False}}
        effort = {"reasoning_effort": "none"}
        plain = {"enable_thinking": False}
        assert sent == {
            "vllm": template,
            "sglang": template,
            "llama.cpp": template,
            "gpustack": template,
            "lmdeploy": template,
            "openai": effort,
            "ollama": effort,
            "localai": effort,
        }.get(dialect_of(credentials), plain)


def dialect_of(credentials):
    return json.loads(credentials["xinfer_learned"])["dialect"]


@pytest.mark.parametrize("server", CHATTING, indirect=True)
def test_a_stream_that_ends_without_an_answer_is_none(server):
    with pytest.raises(InvokeError):
        ask(added(Chat, server), "silence")


FACTS = {
    "vllm": (8192, "unknown"),
    "sglang": (16384, "yes"),
    "llama.cpp": (2048, "yes"),
    "ollama": (4096, "yes"),
    "lm-studio": (4096, "no"),
    "gpustack": (8192, "unknown"),
    "tgi": (4096, "unknown"),
    "litellm": (128000, "yes"),
}


@pytest.mark.parametrize("server", CHATTING, indirect=True)
def test_the_schema_has_what_the_server_tells_and_unknown_is_not_no(server):
    credentials = added(Chat, server)
    server.requests.clear()
    schema = Chat([]).get_model_schema("m", credentials)
    context, vision = FACTS.get(dialect_of(credentials), (4096, "unknown"))
    assert schema.model_properties[ModelPropertyKey.CONTEXT_SIZE] == context
    assert (ModelFeature.VISION in schema.features) == (vision != "no")
    assert server.requests == []


@pytest.mark.parametrize("server", list(SHAPES), indirect=True)
def test_the_dialect_is_recognised_once(server):
    shape = server._shape
    kinds = {Chat: shape.chats, Embedder: shape.embeds, Listener: shape.listens, Ranker: True}
    kind = next(kind for kind, offered in kinds.items() if offered)
    dialect = dialect_of(added(kind, server))
    name = next(name for name, candidate in SHAPES.items() if candidate is shape).removesuffix(
        "-embedding"
    )
    assert dialect == name


@pytest.mark.parametrize("server", EMBEDDING, indirect=True)
def test_texts_become_vectors(server):
    credentials = added(Embedder, server)
    answer = Embedder([]).invoke(
        "m", credentials, ["text"] * 70, input_type=EmbeddingInputType.DOCUMENT
    )
    assert answer.embeddings == [list(VECTOR)] * 70
    sizes = [len(b["input"]) for b in bodies(server, f"{server._shape.base}/embeddings")[1:]]
    assert sizes == [32, 32, 6]


@pytest.mark.parametrize("server", RERANKING, indirect=True)
def test_documents_are_ranked(server):
    documents = ["a", "a longer one", "long"]
    ranked = Ranker([]).invoke("m", added(Ranker, server), "q", documents, top_n=2)
    assert [(doc.index, doc.text) for doc in ranked.docs] == [(1, "a longer one"), (2, "long")]
    everything = Ranker([]).invoke("m", added(Ranker, server), "q", documents, top_n=3)
    assert [doc.index for doc in everything.docs] == [1, 2, 0]
    assert "top_n" not in bodies(server, server._shape.rerank_route)[-1]
    result = Ranker([]).invoke("m", added(Ranker, server), "q", ["alone"])
    assert result.docs[0].score == server._shape.score(5)


@pytest.mark.parametrize("server", CHATTING, indirect=True)
def test_an_image_goes_along_as_a_part(server):
    image = ImagePromptMessageContent(format="png", base64_data="QUJD", mime_type="image/png")
    asked = [TextPromptMessageContent(data="What is it?"), image]
    credentials = added(Chat, server)
    if FACTS.get(dialect_of(credentials), (0, "unknown"))[1] == "no":  # the server tells so
        with pytest.raises(InvokeError, match="holds image, which this model does not take"):
            reply_of(Chat([]).invoke("m", credentials, [UserPromptMessage(content=asked)], {}))
        return
    answer = reply_of(Chat([]).invoke("m", credentials, [UserPromptMessage(content=asked)], {}))
    assert answer.text == "You said: What is it? and image_url"
    (_, part) = bodies(server, f"{server._shape.base}/chat/completions")[-1]["messages"][0][
        "content"
    ]
    assert part["image_url"]["url"] == "data:image/png;base64,QUJD"


@pytest.mark.parametrize("server", ["speaches"], indirect=True)
def test_speech_is_written_down_and_spoken(server):
    credentials = added(Listener, server)
    text = Listener([]).invoke("m", credentials, io.BytesIO(mp3(0.1)))
    assert text == f"{len(mp3(0.1))} bytes were spoken."
    credentials = added(Speaker, server, served_as="voice")
    assert b"".join(Speaker([]).invoke("shown", "tenant", credentials, "Hi.", "af")) == mp3(0.1)
    assert bodies(server, "/v1/audio/speech")[-1] == {
        "model": "voice",
        "input": "Hi.",
        "voice": "af",
        "response_format": "mp3",
    }


@pytest.mark.parametrize("server", ["speaches"], indirect=True)
def test_a_model_of_another_task_is_named(server):
    with pytest.raises(CredentialsValidateFailedError, match="is for TTS, not for Speech2text"):
        added(Listener, server, served_as="voice")


def test_speaches_refuses_a_key_with_403():
    with (
        DialectServer("speaches", key="right") as server,
        pytest.raises(CredentialsValidateFailedError, match=r"403.*enter another key"),
    ):
        added(Listener, server, key="wrong-key")


@pytest.mark.parametrize("server", ["tei"], indirect=True)
def test_more_documents_than_the_server_takes_at_once_keep_their_order(server):
    documents = ["x" * length for length in range(1, 41)]
    ranked = Ranker([]).invoke("m", added(Ranker, server), "q", documents, top_n=3)
    assert [doc.index for doc in ranked.docs] == [39, 38, 37]


@pytest.mark.parametrize(
    ("name", "words"), [("ollama", "answered 404"), ("lm-studio", "is for LLM, not for Rerank")]
)
def test_a_server_without_rerank_says_so(name, words):
    with DialectServer(name) as server, pytest.raises(CredentialsValidateFailedError) as refused:
        added(Ranker, server)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", CHATTING)
def test_a_wrong_key_is_refused_at_once_and_never_shown(name):
    with DialectServer(name, key="right") as server:
        with pytest.raises(CredentialsValidateFailedError, match="401") as refused:
            added(Chat, server, key="wrong-key")
        assert "wrong-key" not in str(refused.value)
        credentials = added(Chat, server, key="right")
        with pytest.raises(InvokeAuthorizationError):
            ask(credentials | {"key": "wrong-key"}, "Hi")


@pytest.mark.parametrize(
    ("name", "path", "right"),
    [("vllm", "", "/v1"), ("openai", "", "/v1"), ("infinity", "/v1", "")],
)
def test_a_version_part_that_is_missing_or_too_many_is_named(name, path, right):
    kind = Embedder if name == "infinity" else Chat
    with DialectServer(name) as server:
        credentials = {"url": server.url + path}
        with pytest.raises(CredentialsValidateFailedError) as refused:
            kind([]).validate_credentials("m", credentials)
        assert f"Enter {server.url}{right} as the URL." in str(refused.value)


@pytest.mark.parametrize("pasted", ["/chat/completions", "/models", "/embeddings/", ""])
def test_a_pasted_endpoint_is_cut_off(pasted):
    with DialectServer("vllm") as server:
        credentials = {"url": server.base_url + pasted}
        Chat([]).validate_credentials("m", credentials)
        assert ask(credentials, "Hi").text == "You said: Hi"
