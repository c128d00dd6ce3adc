"""The client: URLs forgiven, keys sent and never shown, errors in the server's words."""

import json
import re
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from under_sdk import bodies

import provider_spec
from xinfer.runtime.openai import (
    BadRequest,
    CallError,
    ConnectionFailed,
    NotAuthorized,
    RateLimited,
    Server,
    ServerUnavailable,
)
from xinfer.runtime.xinference import XinferenceClient
from xinfer.spec import FormError, Secret
from xinfer.testing.server import FakeServer, Served, faults
from xinfer.testing.server.answer import as_json, refusal, whole

HI = [{"role": "user", "content": "Hi"}]
HAN = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture
def server():
    with FakeServer() as started:
        yield started


def client(server, **more):
    return XinferenceClient(Server(base_url=server.url, max_retries=0, **more))


def form(url):
    raw = {"server_url": url, "model_uid": "chat"}
    return provider_spec.XinferenceCredentials.from_form(raw).server_url


@pytest.mark.parametrize(
    "typed",
    ["{0}", " {0} ", "{0}/", "{0}//", "{0}/v1", "{0}/v1/", "{0}/ui", "{0}/ui/", "{0}/v1 \n"],
)
def test_urls_are_forgiven(server, typed):
    assert form(typed.format(server.url)) == server.url


@pytest.mark.parametrize("path", ["/xxx", "/a/v1x", "/proxy/xinference"])
def test_a_path_of_a_proxy_is_kept(path):
    assert form(f"https://example.com{path}/v1") == f"https://example.com{path}"


@pytest.mark.parametrize("typed", ["localhost:9997", "example.com", "ftp://example.com", "http://"])
def test_what_is_no_url_is_explained(typed):
    with pytest.raises(FormError, match=r"server_url.*http"):
        form(typed)


@pytest.mark.parametrize("uid", ["a b", "qwen/2.5", "模型", "a?b#c", "%2F", "a+b&c=d"])
def test_uids_are_percent_encoded(uid):
    with FakeServer([Served(uid=uid, limits={"context_length": 77})]) as server:
        assert client(server).describe(uid, fresh=True).limits["context_length"] == 77
        assert client(server).chat(uid, HI, {}).text


def test_the_key_goes_with_every_call_and_no_other_credentials_do(tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login someone password netrc-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    with FakeServer() as server:
        with_key = client(server, api_key=Secret("sk-1"))
        with_key.describe("chat")
        with_key.describe("chat", fresh=True)
        with_key.chat("chat", HI, {})
        list(with_key.stream_chat("chat", HI, {}))
        with_key.embed("embed", ["a"])
        with_key.rerank("rerank", "q", ["a"])
        list(with_key.speak("cosyvoice", "Hi", "", stream=True))
        assert {a.headers.get("authorization") for a in server.requests} == {"Bearer sk-1"}
        server.requests.clear()
        client(server).chat("chat", HI, {})
        assert "authorization" not in server.requests[0].headers


ANSWERS = [
    (refusal(400, "wrong"), BadRequest, "wrong"),
    (refusal(404, "not found"), BadRequest, "not found"),
    (refusal(422, [{"loc": ["body", "n"], "msg": "too small"}]), BadRequest, "body.n: too small"),
    (refusal(401, "Invalid API key"), NotAuthorized, "Enter a valid API key"),
    (refusal(403, "no right"), NotAuthorized, "Give the API key the right"),
    (refusal(429, "slow down"), RateLimited, "Try again later"),
    (refusal(500, "[address=10.0.0.1:3, pid=7] boom"), ServerUnavailable, "500: boom"),
    (refusal(503, "loading"), ServerUnavailable, "may still be loading"),
    (as_json({"error": {"message": "of an object"}}, 400), BadRequest, "of an object"),
    (as_json({"error": "of a text"}, 400), BadRequest, "of a text"),
    (as_json({"detail": None}, 500), ServerUnavailable, "500"),
    (as_json([], 500), ServerUnavailable, "500"),
    (whole(b"Internal Server Error", "text/plain", 500), ServerUnavailable, "Internal Server"),
    (faults.BAD_GATEWAY, ServerUnavailable, "502 Bad Gateway.*check that it runs"),
    (refusal(504, "timed out"), ServerUnavailable, "proxy_read_timeout"),
    (refusal(413, "too large"), BadRequest, "client_max_body_size"),
    (refusal(405, "Method Not Allowed"), BadRequest, "that of The server"),
    (refusal(407, "proxy"), BadRequest, "HTTP_PROXY"),
    (
        refusal(429, "IP temporarily banned.", retry_after="290"),
        RateLimited,
        "5 minutes; .*ten wrong",
    ),
    (refusal(429, "locked", retry_after="soon"), RateLimited, "Try again later"),
    (whole(b"<html><body><h1>No</h1> way", "text/html", 500), ServerUnavailable, "No way"),
    (faults.EMPTY_ERROR, ServerUnavailable, "500"),
    (whole(b"\xff\xfe\x00", "text/plain", 500), ServerUnavailable, "500"),
    (whole(b"x" * 100_000, "text/plain", 500), ServerUnavailable, "x…"),
    (faults.Closed(), ConnectionFailed, "closed the connection without an answer"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), ANSWERS)
def test_an_error_names_the_server_the_model_and_what_was_said(server, answer, kind, words):
    server.next_answer(answer, on="/v1/chat")
    with pytest.raises(CallError, match=words) as raised:
        client(server).chat("chat", HI, {})
    message = str(raised.value)
    assert type(raised.value) is kind
    assert server.url in message
    assert "'chat'" in message
    assert len(message) < 1500
    english, _, chinese = message.partition("\n")
    assert not HAN.search(english)
    assert "\n" not in chinese
    assert HAN.search(chinese)


def test_a_key_that_the_server_repeats_is_hidden(server):
    server.next_answer(refusal(401, "the key sk-very-secret is unknown"), on="/v1/")
    with pytest.raises(NotAuthorized) as raised:
        client(server, api_key=Secret("sk-very-secret")).chat("chat", HI, {})
    assert "sk-very-secret" not in str(raised.value)
    assert "sk-very-secret" not in repr(raised.value.__cause__)


def test_a_password_in_the_url_is_hidden(server):
    inside = server.url.replace("//", "//me:hidden@")
    with pytest.raises(CallError) as raised:
        XinferenceClient(Server(base_url=f"{inside}/x", max_retries=0)).chat("chat", HI, {})
    assert "hidden" not in str(raised.value)


def test_a_user_in_the_url_is_sent_to_the_proxy_that_asks_for_one_unless_there_is_a_key(server):
    inside = server.url.replace("//", "//me:pass%21@")
    XinferenceClient(Server(base_url=inside)).chat("chat", HI, {})
    XinferenceClient(Server(base_url=inside, api_key=Secret("sk-1"))).chat("chat", HI, {})
    sent = [arrived.headers["authorization"] for arrived in server.requests]
    assert sent == [f"Basic {b64encode(b'me:pass!').decode()}", "Bearer sk-1"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://other.example/x/v1/chat/completions?a=b", "https://other.example/x"),
        ("/login", "{server}/login"),
        ("http://me:hidden@h/v1/chat/completions", "http://h"),
    ],
)
def test_a_redirect_is_not_followed_but_shown(server, status, location, target):
    """Following it, requests would drop the key, or the question."""
    server.next_answer(whole(b"", "text/html", status, location=location), on="/v1/chat")
    with pytest.raises(BadRequest) as raised:
        client(server).chat("chat", HI, {})
    assert f"Enter {target.format(server=server.url)} as the server URL." in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("key", ["sk-1\nsk-secret", "sk-密钥", "sk-\r\nX: secret"])
def test_a_key_that_cannot_be_sent_is_said_to_be_one_and_not_shown(server, key):
    """Credentials that were saved before the form looked at them."""
    with pytest.raises(BadRequest, match=r"cannot be called.*enter them again") as raised:
        client(server, api_key=Secret(key)).chat("chat", HI, {})
    assert not any(part in str(raised.value) for part in ("sk-", "secret"))
    assert raised.value.__cause__ is None


def test_a_parameter_that_json_has_not_is_said_to_be_one(server):
    with pytest.raises(BadRequest, match="infinite or not a number"):
        client(server).chat("chat", HI, {"temperature": float("nan")})


@pytest.mark.parametrize("path", ["/elsewhere", "/v1/v1"])
def test_an_address_that_leads_nowhere_is_told_from_an_unknown_uid(server, path):
    lost = XinferenceClient(Server(base_url=server.url + path, max_retries=0))
    with pytest.raises(BadRequest, match="URL is that of The server"):
        lost.chat("chat", HI, {})
    with pytest.raises(BadRequest, match="URL is that of The server"):
        lost.describe("chat", fresh=True)


def test_a_host_that_nobody_knows_is_named():
    lost = XinferenceClient(Server(base_url="http://nowhere.invalid:9997", max_retries=0))
    with pytest.raises(ConnectionFailed, match=r"name nowhere\.invalid cannot be resolved"):
        lost.describe("chat", fresh=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_loopback_url_that_refuses_gets_the_hint_of_the_container(host):
    with pytest.raises(ConnectionFailed, match=r"container.*host\.docker\.internal"):
        XinferenceClient(Server(base_url=f"http://{host}:9", max_retries=0)).describe(
            "chat", fresh=True
        )


def test_a_silent_server_is_named_with_the_cure(server):
    server.next_answer(faults.Stall(20), on="/v1/")
    with pytest.raises(ConnectionFailed, match=r"did not answer in time.*Raise the timeout"):
        client(server, timeout=0.2).chat("chat", HI, {})


@pytest.mark.parametrize("framing", [(), (faults.until_close,)], ids=["chunked", "until close"])
def test_the_timeout_is_the_longest_silence_and_not_the_longest_answer(server, framing):
    server.next_answer(faults.Paced(0.15), *framing, on="/v1/")
    chunks = [c for part in client(server, timeout=1.0).stream_chat("chat", HI, {}) for c in part]
    assert len(chunks) > 8
    server.next_answer(faults.Stall(20, after=3), on="/v1/")
    with pytest.raises(ConnectionFailed, match="did not answer in time"):
        list(client(server, timeout=0.3).stream_chat("chat", HI, {}))


def test_a_proxy_is_used_and_named(server, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    with pytest.raises(ConnectionFailed, match=r"through the proxy.*HTTP_PROXY"):
        XinferenceClient(Server(base_url="http://xinference.example", max_retries=0)).describe(
            "chat", fresh=True
        )


def test_cookies_of_one_user_are_not_sent_for_another(server):
    cookie = as_json({"object": "list", "data": []}, 200, **{"set-cookie": "session=1"})
    server.next_answer(cookie, on="/v1/models")
    client(server).describe("chat", fresh=True)
    client(server).describe("chat", fresh=True)
    assert "cookie" not in server.requests[1].headers


CALLS = [
    lambda c: c.describe("m", fresh=True),
    lambda c: c.chat("m", HI, {}),
    lambda c: list(c.stream_chat("m", HI, {})),
    lambda c: c.complete("m", "Hi", {}),
    lambda c: list(c.stream_complete("m", "Hi", {})),
    lambda c: c.embed("m", ["a", "b"]),
    lambda c: c.rerank("m", "q", ["a", "b"]),
    lambda c: c.transcribe("m", "a.mp3", b"x"),
    lambda c: list(c.speak("m", "Hi", "", stream=False)),
]


KEYS = st.sampled_from(
    [
        *("choices", "delta", "message", "content", "text", "reasoning_content", "finish_reason"),
        *("tool_calls", "function", "name", "arguments", "usage", "prompt_tokens", "error"),
        *("data", "embedding", "index", "results", "relevance_score", "detail"),
        *("id", "model_type", "model_ability", "context_length"),
    ]
)


@pytest.fixture(scope="module")
def shared():
    with FakeServer([]) as started:
        yield started


@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5) | st.booleans(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    ).map(lambda value: json.dumps(value).encode()),
    as_events=st.booleans(),
    kind=st.sampled_from(["application/json", "text/event-stream", "text/html", "audio/mpeg", ""]),
    status=st.sampled_from([200, 200, 200, 400, 404, 429, 500]),
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_server_answers_is_a_result_or_an_error_of_ours(
    shared, body, as_events, kind, status
):
    body = b"data: " + body + b"\n\n" if as_events else body
    for call in CALLS:
        shared.next_answer(whole(body, kind, status))
        with suppress(CallError):
            call(client(shared))


def test_nothing_is_sent_beside_what_was_asked(server):
    client(server).chat("chat", HI, {"temperature": 0.5})
    (body,) = bodies(server, "/v1/chat/completions")
    assert body == {"model": "chat", "messages": HI, "temperature": 0.5}
