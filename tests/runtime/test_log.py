"""What operators look up: the server's request ID in errors, and a line a call when debugging."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from xinfer.runtime.openai import BadRequest, Client, Server
from xinfer.spec import Secret
from xinfer.testing.server.answer import as_json
from xinfer.testing.server.dialects import DialectServer

CHAT = [{"role": "user", "content": "a secret question"}]


def client(server, **more):
    return Client(Server(base_url=server.base_url, max_retries=0, **more))


def test_an_error_names_the_servers_request_id():
    with DialectServer("openai") as server, pytest.raises(BadRequest) as refused:
        client(server).chat("other", CHAT, {})
    assert " (request ID " in refused.value.english
    assert "（请求 ID：" in refused.value.chinese


@pytest.mark.parametrize("sent", ["", "x" * 500, "a\tb"])
def test_an_id_that_is_none_is_not_named(sent):
    from xinfer.runtime.openai.calls import _request_id

    assert _request_id(sent).english == ""


def test_a_call_is_a_line_without_content_or_keys(caplog):
    caplog.set_level(logging.DEBUG, logger="xinfer.calls")
    with DialectServer("openai", key="k-12345") as server:
        calling = client(server, api_key=Secret("k-12345"), headers=(("X-A", Secret("hidden")),))
        calling.chat("m", CHAT, {})
        server.next_answer(as_json({"error": "busy"}, 503))
        Client(Server(base_url=server.base_url, api_key=Secret("k-12345"))).chat("m", CHAT, {})
    lines = [record.getMessage() for record in caplog.records if record.name == "xinfer.calls"]
    assert len(lines) == 3
    assert lines[0].startswith("POST /v1/chat/completions of model 'm': 200 after ")
    assert lines[1].split(" after ")[0].endswith(": 503")
    assert lines[2].endswith(" and 1 retries")
    for word in ("k-12345", "hidden", "secret question"):
        assert word not in caplog.text


@pytest.mark.parametrize(("value", "level"), [("", "INFO"), ("1", "DEBUG")])
def test_the_lines_are_written_only_when_asked_for(value, level):
    code = (
        "import logging, xinfer.runtime.dify.errors as e;"
        "print(logging.getLevelName(e.logger.level), len(e.logger.handlers))"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "XINFER_DEBUG": value},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.split() == [level, "1"]
