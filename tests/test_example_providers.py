"""The examples without a test of their own, run as Dify's daemon runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xinfer.build.load import load_spec
from xinfer.build.preparation import prepare
from xinfer.daemon.process import CallError, PluginProcess
from xinfer.plugin.writer import write_tree
from xinfer.spec.credentials import fields
from xinfer.testing.server.answer import DONE, as_json, event, stream
from xinfer.testing.server.dialects import DialectServer

EXAMPLES = Path(__file__).parent.parent / "examples"
WEATHER = {"name": "weather", "description": "Tells it.", "parameters": {"type": "object"}}
KEY = "eu-0123456789"


@pytest.fixture(scope="module")
def any_openai(tmp_path_factory):
    folder = tmp_path_factory.mktemp("any") / "any_openai"
    write_tree(prepare(EXAMPLES / "any-openai/provider_spec.py").tree, folder)
    with PluginProcess.start(folder, environment={"NO_PROXY": "127.0.0.1"}) as running:
        yield running


class Quirk(DialectServer):
    """The made-up service: parameters in an object, text under another key."""

    def _routed(self, arrived):
        if arrived.headers["authorization"] != f"Bearer {KEY}":
            return as_json({"error": {"message": "No such key"}}, 401)
        text = f"You said: {arrived.body['messages'][-1]['content']}"
        if not arrived.body.get("stream"):
            choice = {"message": {"role": "assistant", "say": text}, "finish_reason": "stop"}
            return as_json({"choices": [choice]})
        deltas = [{"say": text}, {}]
        events = [{"choices": [{"delta": delta, "finish_reason": None}]} for delta in deltas]
        events[-1]["choices"][0]["finish_reason"] = "stop"
        return stream(map(event, [*events, DONE]))


@pytest.fixture(scope="module")
def quirk(tmp_path_factory):
    """The plugin, built for a service on this machine."""
    home = tmp_path_factory.mktemp("quirk")
    with Quirk("openai") as server:
        text = (EXAMPLES / "own-python/provider_spec.py").read_text("utf-8")
        text = text.replace("https://api.quirk.example/v1", server.base_url)
        (home / "provider_spec.py").write_text(text, "utf-8")
        (home / "plugin").symlink_to(EXAMPLES / "own-python/plugin")
        write_tree(prepare(home / "provider_spec.py").tree, home / "built")
        environment = {"NO_PROXY": "127.0.0.1"}
        with PluginProcess.start(home / "built", environment=environment) as plugin:
            yield plugin, server


def ask(plugin, provider, model, credentials, text, **more):
    parts = plugin.call(
        "invoke_llm",
        provider=provider,
        model_type="llm",
        model=model,
        credentials=credentials,
        prompt_messages=[{"role": "user", "content": text}],
        **{"model_parameters": {}, "stop": [], "stream": True, "tools": None, **more},
    )
    return [part["delta"] for part in parts]


def text_of(deltas):
    return "".join(delta["message"]["content"] for delta in deltas)


def test_any_openai_has_half_the_fields_of_the_published_one():
    project = load_spec(EXAMPLES / "any-openai/provider_spec.py").project
    assert len(fields(project.credentials)) <= 18
    assert not list((EXAMPLES / "any-openai/plugin").rglob("*.py"))


@pytest.mark.parametrize("dialect", ["vllm", "ollama", "llama.cpp"])
def test_any_openai_adds_and_calls_models(any_openai, dialect):
    with DialectServer(dialect, key="k-12345") as server:
        credentials = {
            "endpoint_url": f"{server.base_url}/chat/completions",  # stored by another plugin
            "endpoint_model_name": "m",
            "api_key": "k-12345",
            "extra_headers": "X-Team: search",
            "extra_body": '{"priority": 1}',
        }
        added = {"provider": "any_openai", "model": "shown as", "credentials": credentials}
        (answer,) = any_openai.call("validate_model_credentials", model_type="llm", **added)
        stored = answer["credentials"]
        deltas = ask(any_openai, "any_openai", "shown as", stored, "weather", tools=[WEATHER])
        calls = [call["function"] for delta in deltas for call in delta["message"]["tool_calls"]]
        assert [json.loads(call["arguments"])["city"] for call in calls] == ["Oslo", "Rome"]
        request = server.requests[-1]
        assert request.headers["x-team"] == "search"
        assert (request.body["model"], request.body["priority"]) == ("m", 1)
        parameters = {"extra_body": '{"priority": 2}'}
        ask(any_openai, "any_openai", "shown as", stored, "Hi", model_parameters=parameters)
        assert server.requests[-1].body["priority"] == 2


def test_any_openai_embeds_with_prefixes_and_dimensions(any_openai):
    with DialectServer("openai") as server:
        credentials = {
            "url": server.base_url,
            "dimensions": "3",
            "query_prefix": "query:",
            "document_prefix": "passage:",
        }
        asked = {"provider": "any_openai", "model_type": "text-embedding", "model": "m"}
        for kind, text in (("query", "query: a"), ("document", "passage: a")):
            (answer,) = any_openai.call(
                "invoke_text_embedding",
                credentials=credentials,
                texts=["a"],
                input_type=kind,
                **asked,
            )
            assert len(answer["embeddings"][0]) == 3
            body = server.requests[-1].body
            assert (body["input"], body["dimensions"]) == ([text], 3)


def test_llama_cpps_logits_are_brought_between_0_and_1(any_openai):
    with DialectServer("llama.cpp") as server:
        asked = {"provider": "any_openai", "model_type": "rerank", "model": "m"}
        (answer,) = any_openai.call(
            "validate_model_credentials", credentials={"url": server.base_url}, **asked
        )
        (ranked,) = any_openai.call(
            "invoke_rerank",
            credentials=answer["credentials"],
            query="q",
            docs=["short", "a document that is longer"],
            score_threshold=0.5,
            top_n=2,
            **asked,
        )
        assert [document["index"] for document in ranked["docs"]] == [1]
        assert ranked["docs"][0]["score"] == pytest.approx(1 / (1 + 2.718281828459045**-13))


def test_own_python_changes_what_is_sent_and_what_is_read(quirk):
    plugin, server = quirk
    for stream_ in (True, False):
        parameters = {"temperature": 0.5, "max_tokens": 7}
        credentials = {"key": KEY}
        deltas = ask(
            plugin,
            "quirk",
            "quirk-1",
            credentials,
            "Hi",
            model_parameters=parameters,
            stream=stream_,
        )
        assert text_of(deltas) == "You said: Hi"
        body = server.requests[-1].body
        assert (body["options"], body["region"]) == (parameters, "eu")
        assert "temperature" not in body


def test_own_python_validates_by_the_declared_model(quirk):
    plugin, server = quirk
    asked = {"provider": "quirk"}
    assert list(plugin.call("validate_provider_credentials", credentials={"key": KEY}, **asked))
    assert server.requests[-1].body["options"] == {"max_tokens": 1}
    with pytest.raises(CallError, match="No such key"):
        list(plugin.call("validate_provider_credentials", credentials={"key": "eu-1"}, **asked))


def test_mypy_knows_the_credentials_class_in_a_hook(tmp_path):
    def checked(code):
        (tmp_path / "quirk.py").write_text(code, "utf-8")
        (tmp_path / "provider_spec.py").write_text(
            (EXAMPLES / "own-python/provider_spec.py").read_text("utf-8"), "utf-8"
        )
        return subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "quirk.py"],
            cwd=tmp_path,
            env={**os.environ, "MYPYPATH": f"{tmp_path}{os.pathsep}{EXAMPLES.parent}"},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    code = (EXAMPLES / "own-python/plugin/quirk.py").read_text("utf-8")
    typo = checked(code.replace("call.credentials.key", "call.credentials.kye"))
    assert '"QuirkCredentials" has no attribute "kye"' in typo
