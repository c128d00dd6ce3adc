"""How people enter servers, gateways in front of them, and what operators find out afterwards."""

import re
import zlib

import pytest
from dify_plugin.errors.model import (
    CredentialsValidateFailedError,
    InvokeError,
    InvokeRateLimitError,
)
from emitted import LLM, TTS, Rerank, Speech2Text, TextEmbedding, log, plugin
from runtime.reports.asking import BOTH, END, HELLO, HI, ask
from under_sdk import bodies, credentials_for

from xinfer.daemon.process import CallError
from xinfer.testing.server.answer import DONE, Answer, Hold, as_json, event, refusal, stream


@pytest.mark.parametrize(
    ("url", "likely"),
    [
        ("http:/h", "http://h"),
        ("http//h", "http://h"),
        ("http:h", "http://h"),
        ("http://::1:9997", "http://[::1]:9997"),
    ],
)
@pytest.mark.parametrize("kind", [LLM, TextEmbedding, Rerank, Speech2Text, TTS])
def test_an_address_that_is_none_is_answered_with_the_likely_one(kind, url, likely):
    credentials = {"server_url": url, "model_uid": "m"}
    with pytest.raises(CredentialsValidateFailedError) as raised:
        kind([]).validate_credentials("m", credentials)
    english, chinese = (
        next(line for line in str(raised.value).splitlines() if name in line)
        for name in ("Server URL", "服务器 URL")
    )
    assert english.endswith(likely)
    assert chinese.endswith(likely)


def test_the_providers_own_dialog_sends_users_to_add_a_model():
    with pytest.raises(CallError, match="add a model instead") as raised:
        list(plugin().call("validate_provider_credentials", provider="xinference", credentials={}))
    assert raised.value.kind == "CredentialsValidateFailedError"


@pytest.mark.parametrize(
    "busy",
    [refusal(429, "Rate limit reached"), stream([event({"error": "Rate limit reached for chat"})])],
    ids=["status", "event"],
)
def test_a_busy_server_is_asked_again_however_it_says_so(server, busy):
    assert ask(server, busy, retries="1").text
    assert len(bodies(server, "/v1/chat/completions")) == 2
    with pytest.raises(InvokeRateLimitError, match="Rate limit reached"):
        ask(server, busy, retries="0")


@BOTH
def test_what_a_proxy_compresses_is_shown_as_it_arrives(server, streams):
    """Until the connection closes: such proxies know no length."""
    pieces = [event(HELLO), event(HELLO), event(END), event(DONE)]
    answer = as_json({"choices": [{"message": {"content": "HelloHello"}, "finish_reason": "stop"}]})
    compressor = zlib.compressobj(wbits=31)  # gzip
    steps = []
    for piece in pieces if streams else answer.steps:
        steps += [compressor.compress(piece) + compressor.flush(zlib.Z_SYNC_FLUSH), Hold(0.2)]
    steps.append(compressor.flush())
    kind = "text/event-stream" if streams else "application/json"
    headers = {"content-encoding": "gzip", "content-type": kind}
    proxied = Answer(headers=headers, steps=tuple(steps), streamed=True, until_close=True)
    reply = ask(server, proxied, streams=streams)
    assert reply.text == "HelloHello"
    if streams:
        assert [piece.delta.message.content for piece in reply.pieces][:2] == ["Hello", "Hello"]


def test_an_error_names_the_servers_request_and_the_log_has_a_line_without_content(server):
    server.next_answer(refusal(400, "it broke"), on="/v1/chat")
    credentials = credentials_for(server, "chat", api_key="sk-hidden", max_retries="0")
    with pytest.raises(InvokeError) as raised:
        list(LLM([]).invoke("m", credentials, HI, {}))
    english, chinese = str(raised.value).split("\n")
    (request,) = re.findall(r"\(request ID ([\w-]+)\)", english)
    assert f"（请求 ID：{request}）" in chinese
    lines = [line for line in log if "of model 'chat': 400 after" in line]
    assert lines
    assert not any("sk-hidden" in line for line in log)
