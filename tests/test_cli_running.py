"""The commands that start a plugin, on a fake server or on credentials of one's own."""

import json
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from command_line import ROOT, xinfer
from representatives import every

from xinfer.cli.serve import serve as SERVE
from xinfer.testing.server import FakeServer, Served
from xinfer.testing.server.dialect_shapes import SHAPES
from xinfer.testing.server.faults import Cut, Stall

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000a49444154789c6360000002000100ffff03000006000557bfabd4"
    "0000000049454e44ae426082"
)


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def on(server, uid="chat"):
    return "--server-url", server.url, "--model-uid", uid


def body(server):
    (asked,) = [r.body for r in server.requests if r.route == "/v1/chat/completions"][-1:]
    return asked


def test_json_is_one_object_for_scripts():
    answered = xinfer("invoke", "llm", "count to 3", "--json")
    result = json.loads(answered.stdout)
    assert (result["text"], result["finish_reason"]) == ("1 2 3", "stop")
    assert result["usage"]["completion_tokens"] > 0
    assert 0 < result["first_token_seconds"] <= result["seconds"]
    assert "tokens/s" not in answered.stderr


def test_raw_is_what_the_plugin_sends():
    answered = xinfer("invoke", "llm", "count to 3", "--raw")
    pieces = [json.loads(line) for line in answered.stdout.splitlines()]
    assert "".join(piece["delta"]["message"]["content"] for piece in pieces) == "1 2 3"


@pytest.mark.parametrize(
    ("arguments", "key", "value"),
    [
        (("text-embedding", "a", "b"), "embeddings", 2),
        (("rerank", "a cat", "a dog", "a cat"), "docs", 2),
    ],
)
def test_every_type_has_json(arguments, key, value):
    result = json.loads(xinfer("invoke", *arguments, "--json").stdout)
    assert len(result[key]) == value


def test_messages_files_tools_and_a_schema_reach_the_server(server, tmp_path):
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "before.json").write_text(
        json.dumps([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}])
    )
    (tmp_path / "weather.json").write_text(
        json.dumps({"name": "weather", "description": "Tells it.", "parameters": {}})
    )
    (tmp_path / "shape.json").write_text('{"type": "object"}')
    answered = xinfer(
        *("invoke", "llm", "What is this?", *on(server, "vision"), "--system", "Be brief."),
        *("--history", tmp_path / "before.json", "--image", tmp_path / "cat.png"),
        *("--tool", tmp_path / "weather.json", "--json-schema", tmp_path / "shape.json"),
        *("--stop", "END", "--no-stream"),
    )
    assert answered.returncode == 0, answered.stderr
    asked = body(server)
    assert [m["role"] for m in asked["messages"]] == ["system", "user", "assistant", "user"]
    parts = asked["messages"][-1]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url"]
    assert parts[1]["image_url"]["url"].startswith("data:image/png;base64,")
    assert asked["tools"][0]["function"]["name"] == "weather"
    assert asked["stop"] == ["END"]
    assert asked["response_format"]["type"] == "json_schema"
    assert not asked.get("stream")


def test_thinking_is_switched(server):
    for flag, value in (("--think", True), ("--no-think", False)):
        answered = xinfer("invoke", "llm", "Hi", *on(server, "reason"), flag)
        assert answered.returncode == 0, answered.stderr
        assert body(server)["chat_template_kwargs"]["enable_thinking"] is value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("embedding", "Hi"), "'embedding' is not one of"),
        (("rerank", "a", "b", "--system", "x"), "are for llm models, not for rerank"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, words):
    failed = xinfer("invoke", *arguments)
    assert failed.returncode == 2
    assert words in failed.stderr


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """A provider with Python of its own."""
    folder = tmp_path_factory.mktemp("own")
    xinfer("init", "acme", "--author", "me", "--kind", "own-python", cwd=folder)
    return folder / "acme"


def test_a_misspelt_model_is_refused_with_the_one_meant(acme):
    failed = xinfer("invoke", "llm", "Hi", "--model", "acme-larg", cwd=acme)
    assert failed.returncode == 2
    assert "no llm model acme-larg: did you mean acme-large?" in failed.stderr


def test_an_error_in_own_python_names_its_file_and_line(acme, tmp_path):
    project = shutil.copytree(acme, tmp_path / "acme")
    code = project / "plugin/models/llm/llm.py"
    text = code.read_text()
    code.write_text(text.replace("        body = {\n", '        {}["nope"]\n        body = {\n', 1))
    line = text[: text.index("        body = {\n")].count("\n") + 1
    with FakeServer([Served(uid="acme-large")]) as server:
        call = ("invoke", "llm", "Hi", "--api-key", "sk-secret-1")
        call = (*call, "--base-url", f"{server.url}/v1")
        failed = xinfer(*call, cwd=project)
        detailed = xinfer(*call, "-v", cwd=project)
    assert failed.returncode == detailed.returncode == 1
    assert f"  plugin/models/llm/llm.py:{line} in _invoke: KeyError: 'nope'" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "Traceback (most recent call last)" in detailed.stderr
    assert '"api_key": "***"' in detailed.stderr
    assert "sk-secret-1" not in failed.stderr + detailed.stderr
    assert "invoke_llm {" in detailed.stderr


def test_an_error_of_the_service_is_not_taken_for_one_of_the_code(acme):
    with FakeServer([Served(uid="acme-large")], key="other") as server:
        options = ("--api-key", "sk-1", "--base-url", f"{server.url}/v1")
        failed = xinfer("invoke", "llm", "Hi", *options, cwd=acme)
    assert failed.returncode == 1
    assert "answered 401" in failed.stderr
    assert ".py:" not in failed.stderr


def test_credentials_come_from_a_file_and_variables_and_options(server, tmp_path, monkeypatch):
    shutil.copy(ROOT / "provider_spec.py", tmp_path)
    shutil.copytree(ROOT / "plugin", tmp_path / "plugin")
    env = tmp_path / ".env"
    env.write_text(f'# mine\nexport XINFER_SERVER_URL="{server.url}"\nXINFER_MODEL_UID=chat\n')
    answered = xinfer("invoke", "llm", "Hi", cwd=tmp_path)
    assert answered.returncode == 0, answered.stderr
    assert "fake server" not in answered.stderr
    monkeypatch.setenv("XINFER_MODEL_UID", "reason")
    xinfer("invoke", "llm", "Hi", cwd=tmp_path)
    assert body(server)["model"] == "reason"
    xinfer("invoke", "llm", "Hi", "--model-uid", "vision", cwd=tmp_path)
    assert body(server)["model"] == "vision"
    answered = xinfer("invoke", "llm", "Hi", "--fake", cwd=tmp_path)
    assert "A fake server answers" in answered.stderr


def test_the_notice_of_the_fake_server_names_the_options_of_the_spec():
    noticed = xinfer("validate", "llm").stderr
    assert "give --server-url and --model-uid for a real one" in noticed


def test_validate_says_whose_credentials_are_valid(server):
    valid = xinfer("validate", "rerank", *on(server, "rerank"))
    assert valid.stdout == "The credentials of the model rerank are valid.\n"
    refused = xinfer("validate", "rerank", *on(server, "chat"))
    assert refused.returncode == 1
    assert "CredentialsValidateFailedError" in refused.stderr


def test_tokens_are_counted():
    assert int(xinfer("tokens", "llm", "Hello there").stdout) > 1
    assert int(xinfer("tokens", "text-embedding", "Hello there", "and there").stdout) > 1


def test_voices_are_listed():
    lines = xinfer("voices").stdout.splitlines()
    assert lines[0] == "default\tDefault"
    assert "af_heart\tHeart" in lines


def test_the_schema_of_a_model_is_what_dify_gets():
    described = json.loads(xinfer("schema", "llm").stdout)
    assert described["model_type"] == "llm"
    assert described["model_properties"]["context_size"] == 4096
    assert described["fetch_from"] == "customizable-model"


def test_a_conversation_remembers(server):
    talked = subprocess.run(
        [sys.executable, "-m", "xinfer", "chat", *on(server), "--system", "Be brief."],
        input="Hello\nAnd now?\n\n",
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert talked.returncode == 0, talked.stderr
    first, second = talked.stdout.splitlines()
    assert "Hello" in first
    assert "And now?" in second
    roles = [message["role"] for message in body(server)["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


def test_an_answer_that_breaks_off_ends_with_an_error(server):
    server.next_answer(Cut(after=2), on="/v1/chat/completions", model="chat")
    server.next_answer(Cut(after=2), on="/v1/chat/completions", model="chat")
    failed = xinfer("invoke", "llm", "count to 30", *on(server), "--max-retries", "0")
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr


def serve(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "xinfer", "serve", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_fake_server_runs_until_it_is_stopped(number):
    running = serve("--key", "sk-1", "--model", "acme:rerank", "--fault", "crashed")
    try:
        url = running.stdout.readline().strip()
        headers = {"authorization": "Bearer sk-1"}
        assert requests.get(f"{url}/v1/models", headers=headers).status_code == 500
        rows = requests.get(f"{url}/v1/models", headers=headers).json()["data"]
        assert {row["id"]: row["model_type"] for row in rows}["acme"] == "rerank"
        assert requests.get(f"{url}/v1/models").status_code == 401
    finally:
        running.send_signal(number)
        running.communicate(timeout=20)
    assert running.returncode == 0


@contextmanager
def served(*arguments):
    running = serve(*arguments)
    try:
        yield running.stdout.readline().strip()
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=20)


def test_it_moderates_and_is_of_any_version():
    with served("--model", "guard:moderation", "--version", "1.9.1") as url:
        assert requests.get(f"{url}/v1/cluster/version").json()["version"] == "1.9.1"
        asked = {"model": "guard", "input": ["a kitten", "a forbidden weapon"]}
        results = requests.post(f"{url}/v1/moderations", json=asked).json()["results"]
        assert [result["flagged"] for result in results] == [False, True]
        assert results[1]["categories"]["violence"]
        refused = requests.post(f"{url}/v1/moderations", json={**asked, "model": "chat"})
        assert refused.status_code == 400
    with served() as url:
        assert requests.post(f"{url}/v1/moderations", json=asked).status_code == 404


DIALECTS = next(option for option in SERVE.params if option.name == "dialect").type.choices
FAULTS = next(option for option in SERVE.params if option.name == "faults").type.choices


def test_every_dialect_of_the_fake_server_can_be_served():
    assert set(DIALECTS) == {"xinference", *SHAPES}


@pytest.mark.parametrize("dialect", every(DIALECTS, "vllm", "tei"))
def test_it_answers_as_another_server(dialect):
    with served("--dialect", dialect, "--key", "sk-1") as url:
        run = xinfer("doctor", "--server-url", url, "--api-key", "sk-1", "--json", cwd="/")
    read = json.loads(run.stdout)
    expected = dialect.removesuffix("-embedding") if dialect.startswith("tei") else dialect
    assert read["dialect"] in (expected, "openai")
    if dialect in ("vllm", "tei"):
        assert read["dialect"] == dialect


@pytest.mark.parametrize("fault", every(FAULTS, "closed", "login-page"))
def test_a_fault_spoils_one_answer(fault):
    with served("--fault", fault) as url:
        try:
            first = requests.get(f"{url}/v1/models", timeout=1)
            spoilt = first.status_code != 200 or "chat-gguf" not in first.text
        except requests.RequestException:
            spoilt = True
        assert spoilt
        assert "chat-gguf" in requests.get(f"{url}/v1/models", timeout=10).text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "acme:embed"), "must be one of llm, text-embedding, rerank, speech2text, tts"),
        (("--model", ":llm"), "name the model"),
        (("--version", "latest"), "--version latest is not a version: write it as 4.1.0."),
        (("--dialect", "vllm", "--model", "a"), "--model is for xinference; leave it out"),
        (("--dialect", "vllm", "--version", "1.0"), "--version is for xinference; leave it out"),
        (("--port", "70000"), "70000 is not in the range 0<=x<=65535"),
    ],
)
def test_what_cannot_be_served_is_refused(arguments, message):
    failed = xinfer("serve", *arguments)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert message in " ".join(failed.stderr.split())
    assert "Traceback" not in failed.stderr


def test_a_port_in_use_is_refused(server):
    port = server.url.rpartition(":")[2]
    failed = xinfer("serve", "--port", port)
    assert failed.returncode == 2
    assert f"Port {port} cannot be used: Address already in use." in failed.stderr


def test_ctrl_c_leaves_no_process(server):
    server.next_answer(Stall(60), on="/v1/chat/completions")
    asking = subprocess.Popen(
        [sys.executable, "-m", "xinfer", "invoke", "llm", "Hi", *on(server)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    while not any(r.route == "/v1/chat/completions" for r in server.requests):
        assert asking.poll() is None
        time.sleep(0.05)
    children = Path(f"/proc/{asking.pid}/task/{asking.pid}/children").read_text().split()
    assert len(children) == 1
    asking.send_signal(signal.SIGINT)
    asking.communicate(timeout=30)
    assert asking.returncode != 0
    assert not Path(f"/proc/{children[0]}").exists()
