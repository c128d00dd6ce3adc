"""``xinfer doctor``: each way in which a server fails is told apart, with what to do."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import trustme

import provider_spec
from xinfer.cli.diagnosis import diagnose
from xinfer.spec import Secret
from xinfer.testing.server import FakeServer, Served, faults
from xinfer.testing.server.served import MODELS

ROOT = Path(__file__).parent.parent
KEY = "sk-0123456789abcdef"


def _free_port():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]


def failed(diagnosis):
    (step,) = [step for step in diagnosis.steps if step.outcome == "failed"]
    assert step.chinese, step
    assert not diagnosis.healthy
    return step


def test_a_server_that_works_is_described_model_by_model():
    with FakeServer() as server:
        diagnosis = diagnose(server.url, None, project=provider_spec.project)
    assert diagnosis.healthy
    assert (diagnosis.dialect, diagnosis.version) == ("xinference", "4.1.0")
    assert diagnosis.base_url == server.url
    models = {model.name: model for model in diagnosis.models}
    assert set(models) == {served.uid for served in MODELS}
    assert [str(f) for f in models["omni"].offered.features] == [
        "agent-thought",
        "vision",
        "audio",
        "video",
        "structured-output",
    ]
    assert models["embed"].offered.model_properties.max_chunks == 64
    tried = {name: models[name].tried.english for name in ("chat", "base", "embed", "rerank")}
    assert tried == {
        "chat": "answers a message",
        "base": "completes a text",
        "embed": "embeds a text in 384 dimensions",
        "rerank": "scores two documents",
    }
    assert models["whisper"].tried.outcome == models["kokoro"].tried.outcome == "ok"


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/models"])
def test_whatever_is_pasted_leads_to_what_to_enter(path):
    with FakeServer() as server:
        diagnosis = diagnose(server.url + path, None)
        assert diagnosis.base_url in (server.url, f"{server.url}/v1")
        assert diagnosis.dialect == "xinference"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("not-a-url", "is not a URL"),
        ("http://127.0.0.1:99999", "port"),
        ("http://nowhere.invalid", "nowhere.invalid"),
        (f"http://127.0.0.1:{_free_port()}", "cannot be reached"),
    ],
)
def test_an_address_that_leads_nowhere(url, words):
    assert words in failed(diagnose(url, None)).english


@pytest.mark.parametrize(
    ("key", "words"), [(None, "API key"), (Secret("sk-wrong"), "API key")], ids=["none", "wrong"]
)
def test_a_missing_and_a_wrong_key(key, words):
    with FakeServer(key=KEY) as server:
        step = failed(diagnose(server.url, key))
    assert "401" in step.english
    assert words in step.english


def test_the_right_key_works_and_is_never_shown():
    with FakeServer(key=KEY) as server:
        diagnosis = diagnose(server.url, Secret(KEY))
    assert diagnosis.healthy
    assert KEY not in repr(diagnosis)


def test_a_key_that_may_not_use_a_model_is_told_at_that_model():
    with FakeServer(limited={KEY: ["chat"]}) as server:
        diagnosis = diagnose(server.url, Secret(KEY))
    outcomes = {model.name: model.tried.outcome for model in diagnosis.models if model.tried}
    assert outcomes["chat"] == "ok"
    assert "failed" in outcomes.values()
    assert not diagnosis.healthy


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.LOADING, "503"),
        (faults.BAD_GATEWAY, "502"),
        (faults.CRASHED, "500"),
        (faults.TOO_MANY, "429"),
        (faults.LOGIN_PAGE, "Check that the server URL"),
        (faults.OTHER_JSON, "Check that the server URL"),
        (faults.EMPTY, "Check that the server URL"),
    ],
    ids=["loading", "bad-gateway", "crashed", "too-many", "login-page", "other-json", "empty"],
)
def test_a_list_of_models_that_does_not_come(fault, words):
    with FakeServer() as server:
        server.next_answer(fault, on="/v1/models", times=20)
        diagnosis = diagnose(server.url, None)
    step = next(step for step in diagnosis.steps if step.outcome == "failed")
    assert words in step.english
    assert step.chinese


def test_a_model_that_fails_is_told_at_that_model_and_others_are_tried():
    with FakeServer() as server:
        server.next_answer(faults.CRASHED, on="/v1/chat", model="chat", times=5)
        diagnosis = diagnose(server.url, None)
    outcomes = {model.name: model.tried.outcome for model in diagnosis.models}
    assert outcomes["chat"] == "failed"
    assert set(outcomes.values()) == {"failed", "ok"}
    assert not diagnosis.healthy


def test_a_server_without_a_model_says_so():
    with FakeServer(models=()) as server:
        assert "start one on the server" in failed(diagnose(server.url, None)).english


def test_https_where_plain_http_is_spoken():
    with FakeServer() as server:
        step = failed(diagnose(server.url.replace("http:", "https:"), None))
    assert "TLS" in step.english


def test_a_proxy_that_is_not_there(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{_free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    step = failed(diagnose("http://192.0.2.1:9997", None))
    assert "proxy" in step.english


def doctor(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "xinfer", "doctor", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_table_ends_with_what_to_enter_field_by_field():
    with FakeServer() as server:
        run = doctor("--server-url", server.url)
    assert run.returncode == 0
    assert "chat: answers a message" in run.stdout
    assert "Enter in Dify, for chat (model type llm):" in run.stdout
    assert f": {server.url}\n" in run.stdout.partition("Enter in Dify")[2]


def test_json_for_scripts():
    with FakeServer() as server:
        data = json.loads(doctor("--server-url", server.url, "--json").stdout)
    assert data["healthy"] is True
    assert data["models"][0]["works"]["outcome"] == "ok"


def test_a_key_that_the_server_repeats_is_in_no_part_of_the_diagnosis():
    with FakeServer([Served(uid=f"m-{KEY}", family=KEY)], key=KEY) as server:
        diagnosis = diagnose(server.url, Secret(KEY), project=provider_spec.project)
    (model,) = diagnosis.models
    assert model.offered
    assert KEY not in repr(diagnosis)


def test_console_calls_are_printed_and_hold_no_key():
    with FakeServer(key=KEY) as server:
        run = doctor("--server-url", server.url, "--dify", XINFER_API_KEY=KEY)
        requests = len(server.requests)
    calls = run.stdout.split("curl ")[1:]
    assert len(calls) == len(MODELS)
    assert "/model-providers/xinfer/xinference/xinference/models/credentials" in calls[0]
    assert KEY not in run.stdout + run.stderr
    assert requests
    data = calls[0].partition("-d ")[2]
    # What a shell makes of it holds the key.
    body = subprocess.run(
        ["sh", "-c", f"printf %s {data}"],
        capture_output=True,
        text=True,
        env={**os.environ, "XINFER_API_KEY": KEY},
        check=True,
    ).stdout
    assert json.loads(body)["credentials"] == {
        "server_url": server.url,
        "model_uid": MODELS[0].uid,
        "api_key": KEY,
    }


def test_a_failure_exits_with_one_and_speaks_both_languages():
    run = doctor("--server-url", f"http://127.0.0.1:{_free_port()}")
    assert run.returncode == 1
    assert "failed  Reach" in run.stdout
    assert "无法连接" in run.stdout
    assert "Traceback" not in run.stderr


def test_a_private_certificate_is_told_from_plain_http(tmp_path):
    import ssl
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as web:
        web.socket = context.wrap_socket(web.socket, server_side=True)
        thread = Thread(target=web.serve_forever, daemon=True)
        thread.start()
        step = failed(diagnose(f"https://127.0.0.1:{web.server_port}", None))
        web.shutdown()
        thread.join(5)
    assert "certificate that is not trusted" in step.english
