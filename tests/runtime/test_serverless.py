"""The emitted plugin on a serverless platform: one HTTP request for each call."""

import json

import pytest
import requests
from every_type import EVERY_TYPE, check, check_calls_at_once, check_stream, llm_call, text_of
from peers.serverless import ServerlessPlugin

from xinfer.daemon.session import CallError, PluginError, request_line
from xinfer.testing.server import FakeServer


@pytest.fixture(scope="module")
def plugin(xinference_folder):
    with ServerlessPlugin.start(
        xinference_folder, environment={"NO_PROXY": "127.0.0.1"}
    ) as running:
        yield running


@pytest.fixture
def server():
    with FakeServer() as running:
        yield running


def posted(plugin, body):
    with requests.Session() as session:
        session.trust_env = False
        return session.post(f"{plugin.url}/invoke?action=invoke_llm", data=body, timeout=60)


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_is_validated_and_answers(plugin, server, kind, tmp_path):
    check(plugin, server, kind, tmp_path)


def test_the_answer_is_lines_of_one_session_that_end_once(plugin, server):
    line = request_line("mine", "invoke_llm", llm_call(server, "count to 5"))
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(
            f"{plugin.url}/invoke?action=invoke_llm",
            data=line,
            headers={"Content-Type": "application/json", "Dify-Plugin-Session-ID": "mine"},
            timeout=60,
        )
    assert answer.status_code == 200
    assert answer.headers["Transfer-Encoding"] == "chunked"
    events = [json.loads(line) for line in answer.text.splitlines() if line]
    assert {(each["event"], each["session_id"]) for each in events} == {("session", "mine")}
    kinds = [each["data"]["type"] for each in events]
    assert kinds == ["stream"] * (len(events) - 1) + ["end"]
    assert text_of([each["data"]["data"] for each in events[:-1]]) == "1 2 3 4 5"


def test_a_piece_is_handed_on_while_the_server_has_not_done(plugin):
    check_stream(plugin)


def test_an_error_is_part_of_the_answer(plugin, server):
    with pytest.raises(CallError, match="nowhere") as error:
        list(plugin.call("invoke_llm", **llm_call(server, "Hi", uid="nowhere")))
    assert error.value.kind == "InvokeBadRequestError"


def test_calls_at_the_same_time_keep_their_answers_apart(plugin, server):
    check_calls_at_once(plugin, server)


def test_what_is_no_request_is_refused_and_the_plugin_goes_on(plugin):
    assert posted(plugin, b"{").status_code >= 400
    assert posted(plugin, b"{}").status_code >= 400
    assert plugin.healthy()


def test_a_plugin_that_does_not_start_says_why(tmp_path):
    (tmp_path / "main.py").write_text("raise SystemExit('no more disk')\n")
    with (
        pytest.raises(PluginError, match=r"did not start \(exit code 1\):\nno more disk"),
        ServerlessPlugin.start(tmp_path),
    ):
        pass
