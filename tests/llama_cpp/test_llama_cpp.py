"""A spec of 55 lines without Python, against llama.cpp's own server."""

import json
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from dify_plugin.entities.model import ModelFeature, ModelPropertyKey
from dify_plugin.entities.model.message import UserPromptMessage
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeAuthorizationError,
    InvokeBadRequestError,
)
from under_sdk import reply_of

from xinfer.build.load import load_spec
from xinfer.cli.diagnosis import diagnose
from xinfer.runtime.dify import llm, rerank, text_embedding
from xinfer.spec import Secret

PYTHON = os.environ.get("XINFER_LLAMA_CPP", "")
pytestmark = pytest.mark.only_if(
    bool(PYTHON),
    "set XINFER_LLAMA_CPP to a Python with llama.cpp's server, as in .ci/run",
)
HERE = Path(__file__).parent
PROJECT = load_spec(HERE.parent / "specs/any_server.py").project
KEY = "llama-key"
_LONGEST = 60
"""Seconds to wait for a server."""


class Chat(llm.LargeLanguageModel):
    project = PROJECT


class Embedder(text_embedding.TextEmbeddingModel):
    project = PROJECT


class Ranker(rerank.RerankModel):
    project = PROJECT


@contextmanager
def serving(folder, task):
    with (folder / f"{task}.log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, HERE / "serve.py", folder, task],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            url = process.stdout.readline().strip()
            until = time.monotonic() + _LONGEST
            while requests.get(f"{url}/health", timeout=5).status_code != 200:
                assert time.monotonic() < until, "the server does not become ready"
                time.sleep(0.1)
            yield f"{url}/v1"
        finally:
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()


def server_of(task):
    @pytest.fixture(scope="module")
    def server(tmp_path_factory):
        with serving(tmp_path_factory.mktemp("llama"), task) as url:
            yield url

    return server


chat_server = server_of("chat")
embedding_server = server_of("embedding")
rerank_server = server_of("rerank")


def added(kind, url):
    credentials = {"url": url, "key": KEY}
    kind([]).validate_credentials("tiny", credentials)
    return credentials


def ask(credentials, text, *, stream=True, **parameters):
    asked = [UserPromptMessage(content=text)]
    return reply_of(Chat([]).invoke("tiny", credentials, asked, parameters, stream=stream))


def test_it_is_recognised_and_tells_what_the_model_holds(chat_server):
    credentials = added(Chat, chat_server)
    assert json.loads(credentials["xinfer_learned"])["dialect"] == "llama.cpp"
    schema = Chat([]).get_model_schema("tiny", credentials)
    assert schema.model_properties[ModelPropertyKey.CONTEXT_SIZE] == 512
    assert ModelFeature.VISION not in schema.features


@pytest.mark.parametrize("stream", [True, False])
def test_it_answers_as_long_as_asked_for(chat_server, stream):
    answer = ask(added(Chat, chat_server), "Hi", stream=stream, max_tokens=5, temperature=0.1)
    assert answer.usage.completion_tokens == 5
    assert answer.usage.prompt_tokens > 2
    assert answer.reason in ("length", None)


@pytest.mark.parametrize("thinks", [True, False])
def test_it_takes_the_switch_for_thinking(chat_server, thinks):
    answer = ask(added(Chat, chat_server), "Hi", max_tokens=3, enable_thinking=thinks)
    assert answer.usage.completion_tokens == 3


@pytest.mark.parametrize("stream", [True, False])
def test_a_prompt_that_does_not_fit_is_a_bad_request(chat_server, stream):
    with pytest.raises(InvokeBadRequestError, match="exceeds the available context size"):
        ask(added(Chat, chat_server), "word " * 600, stream=stream)


def test_a_wrong_key_is_refused(chat_server):
    with pytest.raises(CredentialsValidateFailedError, match="401"):
        Chat([]).validate_credentials("tiny", {"url": chat_server, "key": "other-key"})
    with pytest.raises(InvokeAuthorizationError):
        ask({"url": chat_server, "key": "other-key"}, "Hi")


def test_a_url_without_its_version_is_taken_as_it_is(chat_server):
    credentials = added(Chat, chat_server.removesuffix("/v1"))
    assert ask(credentials, "Hi", max_tokens=2).usage.completion_tokens == 2


def test_texts_become_vectors(embedding_server):
    credentials = added(Embedder, embedding_server)
    result = Embedder([]).invoke("tiny", credentials, ["one", "two", "one"])
    assert [len(vector) for vector in result.embeddings] == [64] * 3
    first, second, again = result.embeddings
    assert first == pytest.approx(again, abs=1e-4)
    assert first != pytest.approx(second, abs=1e-4)


def test_documents_are_ranked(rerank_server):
    credentials = added(Ranker, rerank_server)
    documents = ["a", "another document", "b"]
    ranked = Ranker([]).invoke("tiny", credentials, "query", documents, top_n=2)
    assert len(ranked.docs) == 2
    assert all(doc.text == documents[doc.index] for doc in ranked.docs)


def test_what_the_server_was_not_started_for_is_refused_with_its_words(chat_server):
    with pytest.raises(CredentialsValidateFailedError, match="--reranking"):
        added(Ranker, chat_server)
    with pytest.raises(CredentialsValidateFailedError, match="embeddings"):
        added(Embedder, chat_server)


@pytest.mark.parametrize("task", ["chat", "embedding", "rerank"])
def test_doctor_recognises_it_and_calls_its_model(request, task):
    url = request.getfixturevalue(f"{task}_server")
    diagnosis = diagnose(url, Secret(KEY), project=PROJECT)
    assert diagnosis.dialect == "llama.cpp"
    (model,) = diagnosis.models
    assert (model.tried.outcome, diagnosis.healthy) == ("ok", True), diagnosis


def test_doctor_tells_a_wrong_key(chat_server):
    diagnosis = diagnose(chat_server, Secret("sk-wrong"), project=PROJECT)
    (step,) = [step for step in diagnosis.steps if step.outcome == "failed"]
    assert "Enter a valid API key" in step.english
    assert "API 密钥" in step.chinese
